"""Money that goes back to a card: why, what is asked for, and what it stands at."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from portal.domain.money import Money
from portal.domain.purchases import Undeliverable

DISPUTED = ("charge_disputed", "refund_disputed_payment")
"""Failures of refunds whose payment the bank is already taking back."""


class Correction(StrEnum):
    """Why money goes back that was earned first; a credit note says the rest."""

    CREDITED = "credited"
    AT_PROCESSOR = "at_processor"


RefundReason = Undeliverable | Correction


def refund_reason(word: str) -> RefundReason:
    """Raises ValueError for a word that is neither."""
    corrections: tuple[str, ...] = tuple(Correction)
    return Correction(word) if word in corrections else Undeliverable(word)


@dataclass(frozen=True, slots=True)
class Refund:
    """The return of a payment's money. key: the processor refunds at most once for it."""

    key: str
    payment_ref: str
    amount: Money
    labels: dict[str, str]


class RefundStatus(StrEnum):
    SUCCEEDED = "succeeded"
    PENDING = "pending"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Refunded:
    """What a refund stands at. reference: None when the money had gone back before.

    failure: why it failed; the money is with us again and has to be returned another way.
    """

    reference: str | None
    status: RefundStatus
    failure: str = ""


@dataclass(frozen=True, slots=True)
class RefundNews:
    """A refund as the processor has it now, ours or another's.

    payment_ref: None for one of no payment of our kind. labels: those it was asked for with.
    """

    stands: Refunded
    amount: Money
    payment_ref: str | None
    labels: dict[str, str]
