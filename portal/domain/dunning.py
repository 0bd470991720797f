"""What happens to invoices whose charge failed: when it is tried again, when service stops."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from portal.domain.instances import SubscriptionStatus
from portal.domain.periods import Anchor, BillingPeriod, Interval

RETRY_DAYS = (1, 4, 7)
SUSPENSION_DAY = 21
_DAY = Interval(BillingPeriod.DAILY)
_STOPPED = frozenset({SubscriptionStatus.SUSPENDED, SubscriptionStatus.CANCELLED})


class StepKind(StrEnum):
    RETRY = "retry"
    SUSPEND = "suspend"


@dataclass(frozen=True, slots=True)
class Unpaid:
    """An open invoice. retries: those taken so far, also the ones that sent no charge.

    failed_at: when its first charge failed, by the account's clock. refused_cards: fingerprints
    of the cards that must not be tried again for it (`declines.may_retry`).
    """

    invoice_id: int
    failed_at: datetime
    retries: int = 0
    refused_cards: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Step:
    """at: when it is due, however late it is taken. number: of the retry, from 1.

    charges: False when the date passes without a charge, as no card may be tried.
    """

    kind: StepKind
    at: datetime
    invoice_id: int
    number: int = 0
    charges: bool = False


def suspension_at(unpaid: Iterable[Unpaid], zone: str) -> datetime | None:
    """When the subscription is suspended: 21 days after the oldest failure still open."""
    failed = min((each.failed_at for each in unpaid), default=None)
    return None if failed is None else Anchor(failed, zone).boundary(SUSPENSION_DAY, _DAY)


def next_step(unpaid: Iterable[Unpaid], card: str | None, zone: str) -> Step | None:
    """What is to be done next about the open invoices of a subscription that is not suspended.

    card: fingerprint of the default card, None without one. Days are those of the account's
    zone. A retry that would come after the suspension is never made: the customer pays then.
    Source: product.md §6 (renewal); reference/stripe.md §4.5.
    """
    open_ones = tuple(unpaid)
    suspended_at = suspension_at(open_ones, zone)
    if suspended_at is None:
        return None
    retries = [_retry(each, card, zone) for each in open_ones if each.retries < len(RETRY_DAYS)]
    oldest = min(open_ones, key=lambda each: (each.failed_at, each.invoice_id))
    suspension = Step(StepKind.SUSPEND, suspended_at, oldest.invoice_id)
    return min([suspension, *retries], key=_order)


def next_try(unpaid: Iterable[Unpaid], card: str | None, zone: str) -> datetime | None:
    """When the card is charged next for any of the open invoices; None when it is not any more.

    card: as for `next_step`.
    """
    open_ones = tuple(unpaid)
    suspended_at = suspension_at(open_ones, zone)
    steps = [_retry(each, card, zone) for each in open_ones if each.retries < len(RETRY_DAYS)]
    charged_at = [step.at for step in steps if step.charges]
    before = [at for at in charged_at if suspended_at is not None and at < suspended_at]
    return min(before, default=None)


def due_step(unpaid: Iterable[Unpaid], card: str | None, zone: str, now: datetime) -> Step | None:
    """The next step if it is due by `now`; taken one by one, a delay changes no row."""
    step = next_step(unpaid, card, zone)
    return step if step is not None and step.at <= now else None


def status_after(
    current: SubscriptionStatus, unpaid: Iterable[Unpaid], zone: str, now: datetime
) -> SubscriptionStatus:
    """What the subscription is with these open invoices.

    A suspended one is restored only when all of them are paid, and then at once. A trial is over
    with its first bill, paid or not.
    """
    suspended_at = suspension_at(unpaid, zone)
    if current is SubscriptionStatus.CANCELLED:
        return current
    if suspended_at is None:
        trying = current is SubscriptionStatus.TRIALING
        return current if trying else SubscriptionStatus.ACTIVE
    late = current is SubscriptionStatus.SUSPENDED or suspended_at <= now
    return SubscriptionStatus.SUSPENDED if late else SubscriptionStatus.PAST_DUE


def bills_on(status: SubscriptionStatus) -> bool:
    """Whether what falls due is billed: still when past due, no longer when suspended."""
    return status not in _STOPPED


def _order(step: Step) -> tuple[datetime, bool, int]:
    return (step.at, step.kind is StepKind.RETRY, step.invoice_id)


def _retry(unpaid: Unpaid, card: str | None, zone: str) -> Step:
    at = Anchor(unpaid.failed_at, zone).boundary(RETRY_DAYS[unpaid.retries], _DAY)
    charges = card is not None and card not in unpaid.refused_cards
    return Step(StepKind.RETRY, at, unpaid.invoice_id, unpaid.retries + 1, charges)
