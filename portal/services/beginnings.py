"""The plan that an account begins with, also in the middle of a period paid for elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Catalog, Plan, Price, PriceType, Status
from portal.domain.events import EventName
from portal.domain.money import Money, currency
from portal.domain.periods import Anchor, BillingNow, Period, whole_second
from portal.models.accounts import AccountRow
from portal.models.purchases import PurchaseRow, QuoteRow
from portal.models.subscriptions import BilledElsewhereRow, SubscriptionRow
from portal.queries.catalog import prices_by_id
from portal.queries.sales import BEGINS
from portal.services.accounts import begin_plan
from portal.services.recording import Doer, record

LONGEST_AGO = timedelta(days=20 * 366)


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """amount: paid for the plan's present period, in major units, like the plan's own price."""

    started_at: datetime
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Beginning:
    """plan, price: lookup keys. elsewhere: None when nothing was billed yet."""

    plan: str
    price: str
    elsewhere: Elsewhere | None


@dataclass(frozen=True, slots=True)
class Unfit:
    """A field that cannot be so, by its steps from the top, and why."""

    field: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class _Paid:
    """What was paid elsewhere, once it is known to fit."""

    amount: Money
    period: Period


_PLAN, _PRICE = ("subscription", "plan"), ("subscription", "price")
_SINCE = ("subscription", "billed_elsewhere", "started_at")
_AMOUNT = ("subscription", "billed_elsewhere", "amount")


def begin(
    session: Session,
    scope: Scope,
    account: AccountRow,
    wanted: Beginning,
    catalog: Catalog,
    doer: Doer,
    at: BillingNow,
) -> tuple[Unfit, ...]:
    """Begin the plan, or say all that does not fit; commit is the caller's.

    Nothing billed elsewhere: the plan begins now and is due at once, or after its trial.
    """
    plan, price, found = _priced(catalog, wanted, account.currency)
    if wanted.elsewhere is not None:
        found = [*found, *_misfits(wanted.elsewhere, account, at)]
    if _is_being_paid(session, account):
        found.append(Unfit(_PLAN, "cannot begin now: a member is paying for a plan"))
    if found or plan is None or price is None or price.interval is None:
        return tuple(found)
    now = whole_second(at)
    if wanted.elsewhere is None:
        row = begin_plan(session, scope, account.id, plan, price, now)
    else:
        since = whole_second(wanted.elsewhere.started_at.astimezone(UTC))
        period = Anchor(since, account.zone).period_at(now, price.interval)
        row = begin_plan(session, scope, account.id, plan, price, since, period.end)
        amount = Money.from_major(wanted.elsewhere.amount, account.currency)
        _keep(session, account, row, plan.name, _Paid(amount, period))
    told, subject = EventName.SUBSCRIPTION_STARTED, f"subscription:{row.id}"
    record(session, scope, doer, told, subject, now, plan=plan.lookup_key)
    return ()


def begun(
    session: Session, scope: Scope, row: SubscriptionRow, wanted: Beginning, catalog: Catalog
) -> Iterator[Unfit]:
    """Where a plan that runs already is not what is wanted: nothing of it is changed here."""
    plan = next(p for p in catalog.plans if p.id == row.plan_id).lookup_key
    if plan != wanted.plan:
        detail = f"cannot be changed here: the account is on {plan}, and its members change it"
        yield Unfit(_PLAN, detail)
        return
    price = prices_by_id(session, scope, [row.price_id], ())[row.price_id].lookup_key
    if price != wanted.price:
        yield Unfit(_PRICE, f"cannot be changed here: the account pays {price}")
    if wanted.elsewhere is not None:
        yield from _other_past(session, row, wanted.elsewhere)


def _priced(
    catalog: Catalog, wanted: Beginning, code: str
) -> tuple[Plan | None, Price | None, list[Unfit]]:
    plan = next((p for p in catalog.plans if p.lookup_key == wanted.plan), None)
    if plan is None or plan.status is not Status.PUBLISHED:
        return None, None, [Unfit(_PLAN, "is no plan that is sold")]
    price = next((p for p in plan.prices if p.lookup_key == wanted.price), None)
    if price is None or not price.is_recurring or price.type is PriceType.USAGE:
        return plan, None, [Unfit(_PRICE, f"is no recurring price of {plan.lookup_key}")]
    if price.currency != code:
        return plan, None, [Unfit(_PRICE, f"is in {price.currency}, the account in {code}")]
    return plan, price, []


def _is_being_paid(session: Session, account: AccountRow) -> bool:
    """Whether a member's purchase of a plan that is to begin has no end yet. Source: ADR 0031."""
    paying = exists().where(
        PurchaseRow.environment_id == account.environment_id,
        PurchaseRow.account_id == account.id,
        PurchaseRow.status == "reserved",
        QuoteRow.environment_id == account.environment_id,
        QuoteRow.id == PurchaseRow.quote_id,
        QuoteRow.promise.has_key(BEGINS),
    )
    return bool(session.scalar(select(paying)))


def _misfits(elsewhere: Elsewhere, account: AccountRow, at: BillingNow) -> Iterator[Unfit]:
    if not at - LONGEST_AGO < elsewhere.started_at <= at:
        yield Unfit(_SINCE, "must not be in the future, nor more than 20 years ago")
    try:
        amount = Money.from_major(elsewhere.amount, account.currency)
    except ValueError as error:
        yield Unfit(_AMOUNT, str(error))
    else:
        step = currency(account.currency).step
        if amount.minor % step:
            yield Unfit(_AMOUNT, f"must be a multiple of {step} {account.currency} minor units")


def _keep(
    session: Session, account: AccountRow, row: SubscriptionRow, name: str, paid: _Paid
) -> None:
    session.add(
        BilledElsewhereRow(
            environment_id=account.environment_id,
            id=session.scalars(select(func.nextval("invoice_lines_id_seq"))).one(),
            account_id=account.id,
            subscription_id=row.id,
            name=name,
            amount_minor=paid.amount.minor,
            tax_rate=account.tax_rate,
            tax_inclusive=account.tax_inclusive,
            tax_label=account.tax_label,
            period_start_at=paid.period.start,
            period_end_at=paid.period.end,
        )
    )
    session.flush()


def _other_past(session: Session, row: SubscriptionRow, wanted: Elsewhere) -> Iterator[Unfit]:
    """Where what is said now of the time before differs from what was said then."""
    if whole_second(wanted.started_at) != row.started_at:
        yield Unfit(_SINCE, f"cannot be changed: it was {row.started_at.astimezone(UTC):%FT%TZ}")
    kept = session.scalar(
        select(BilledElsewhereRow).where(
            BilledElsewhereRow.environment_id == row.environment_id,
            BilledElsewhereRow.subscription_id == row.id,
        )
    )
    said = session.get_one(AccountRow, (row.environment_id, row.account_id)).currency
    if kept is None or Money(kept.amount_minor, said).major() != wanted.amount:
        yield Unfit(_AMOUNT, "cannot be changed once the plan has begun")
