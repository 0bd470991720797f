"""Makes notices of rows just written, and posts them: one call for each thing that happened."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from portal.domain import dunning
from portal.domain.declines import DeclineReason, may_retry
from portal.domain.dunning import StepKind, Unpaid
from portal.domain.ending_notices import PurchaseLapsed
from portal.domain.instances import InstanceStatus
from portal.domain.lines import LineKind
from portal.domain.money import Money
from portal.domain.notices import (
    Invoiced,
    PaymentDeclined,
    PaymentFailed,
    PlanChanged,
    Purchased,
    Renewed,
    Sold,
)
from portal.domain.working import WorkingKind
from portal.models.accounts import AccountRow, PaymentMethodRow
from portal.models.catalog import AddOnRow
from portal.models.invoices import CollectionRow, InvoiceLineRow, InvoiceRow
from portal.models.purchases import (
    PaymentAttemptRow,
    PurchaseRow,
    QuoteLineRow,
    QuoteRow,
    SaleLine,
)
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.accounts import account_state
from portal.queries.sales import BEGINS, begins
from portal.queries.use_prices import sold_for_use
from portal.services import mailing
from portal.services.consents import said_to
from portal.services.reserving import described
from portal.services.till import Till

PAGE_WAITS = timedelta(minutes=1)
"""Sooner than that, whoever started a payment is taken to look at its page still."""
REASONS: dict[str, DeclineReason | None] = {
    "no_card": None,
    "needs_authentication": DeclineReason.AUTHENTICATION_FAILED,
    **{reason.value: reason for reason in DeclineReason},
}
"""What `collecting` notes of a charge that failed."""


def bought(till: Till, purchase: PurchaseRow) -> None:
    """A purchase just settled: of an add-on, of more of it, or of a plan that has begun."""
    quote = till.session.get_one(QuoteRow, (till.environment_id, purchase.quote_id))
    if purchase.instance_id is not None:
        notice = _purchased(till, purchase, purchase.instance_id, quote)
    elif begins(quote):
        notice = _begun(till, purchase, quote)
    else:
        return  # a change of plan tells of itself
    mailing.post(till.session, till.scope, purchase.account_id, notice)


def _purchased(till: Till, purchase: PurchaseRow, instance_id: int, quote: QuoteRow) -> Purchased:
    session, invoice = till.session, _invoice_of(till, purchase)
    row = session.get_one(InstanceRow, (till.environment_id, instance_id))
    renews_at, ends_at = _lasts(till, row)
    waits = row.status == InstanceStatus.SCHEDULED
    return Purchased(
        purchase_id=purchase.id,
        sold=_sold(till, invoice) if invoice else _unbilled(till, row, quote),
        charged=Money(quote.charged_minor, quote.currency),
        carried=Money(quote.carried_out_minor, quote.currency),
        invoice=Invoiced(invoice.id, invoice.number) if invoice else None,
        renews_at=renews_at,
        ends_at=ends_at,
        starts_at=_utc(row.starts_at) if waits else None,
        uses=sold_for_use(session, till.scope, row.usage_price_ids),
        agreed=said_to(session, till.scope, f"purchase:{purchase.id}"),
    )


def _begun(till: Till, purchase: PurchaseRow, quote: QuoteRow) -> Purchased:
    session, invoice = till.session, _invoice_of(till, purchase)
    row = session.get_one(SubscriptionRow, (till.environment_id, quote.promise[BEGINS]))
    return Purchased(
        purchase_id=purchase.id,
        sold=_sold(till, invoice) if invoice else _accepted(till, quote),
        charged=Money(quote.charged_minor, quote.currency),
        carried=Money(quote.carried_out_minor, quote.currency),
        invoice=Invoiced(invoice.id, invoice.number) if invoice else None,
        renews_at=_utc(row.billed_until_at),
        uses=sold_for_use(session, till.scope, row.usage_price_ids),
        agreed=said_to(session, till.scope, f"purchase:{purchase.id}"),
        begins=True,
    )


def _invoice_of(till: Till, purchase: PurchaseRow) -> InvoiceRow | None:
    """That which goes along with its mail; None where there was nothing to invoice."""
    mine = select(InvoiceRow).where(
        InvoiceRow.environment_id == till.environment_id, InvoiceRow.purchase_id == purchase.id
    )
    return till.session.scalars(mine).one_or_none()


def _lasts(till: Till, row: InstanceRow) -> tuple[datetime | None, datetime | None]:
    """When an instance renews; or, where it does not, when it ends."""
    key = (till.environment_id, row.subscription_id)
    if till.session.get_one(SubscriptionRow, key).cancel_at is not None:
        state = account_state(till.session, till.scope, row.account_id, till.wall)
        [bought] = [each for each in state.instances if each.id == row.id]
        return (bought.billed_until, None) if bought.renews else (None, bought.span.stops_at)
    if row.billed_until_at is not None and row.cancel_at is None:
        return _utc(row.billed_until_at), None
    return None, _utc(row.cancel_at or row.ends_at)


def declined(till: Till, attempt: PaymentAttemptRow) -> None:
    """A saved card refused for a purchase while nobody looked; else the page says it.

    The page of a purchase waits for the bank: what comes by itself, and later, was not seen.
    """
    seen = till.doer.person_id is not None or till.wall < attempt.created_at + PAGE_WAITS
    purchase = till.session.get(PurchaseRow, (till.environment_id, attempt.purchase_id))
    if seen or purchase is None or purchase.status != "reserved" or purchase.policy_id:
        return  # an auto-recharge tells of itself
    name, _ = _wanted(till, purchase)
    notice = PaymentDeclined(
        purchase_id=purchase.id,
        attempt_id=attempt.id,
        name=name,
        amount=Money(attempt.amount_minor, attempt.currency),
        reason=DeclineReason(attempt.reason or DeclineReason.REFUSED),
        may_retry=may_retry(attempt.advice_code, attempt.decline_code),
        held_until=purchase.held_until.astimezone(UTC),
    )
    mailing.post(till.session, till.scope, purchase.account_id, notice)


def lapsed(till: Till, purchase: PurchaseRow) -> None:
    """A purchase that was let go since nobody paid it in time; a member's own page says it."""
    if till.doer.person_id is not None or purchase.policy_id is not None:
        return
    quote = till.session.get_one(QuoteRow, (till.environment_id, purchase.quote_id))
    name, add_on = _wanted(till, purchase)
    amount = Money(quote.charged_minor, quote.currency)
    notice = PurchaseLapsed(purchase.id, name, amount, add_on)
    mailing.post(till.session, till.scope, purchase.account_id, notice)


def _wanted(till: Till, purchase: PurchaseRow) -> tuple[str, str | None]:
    """What was to be bought: its name, and the add-on's lookup key."""
    if purchase.instance_id is None:
        quote = till.session.get_one(QuoteRow, (till.environment_id, purchase.quote_id))
        return str(quote.promise["name"]), None
    instance = till.session.get_one(InstanceRow, (till.environment_id, purchase.instance_id))
    add_on = till.session.get_one(AddOnRow, (till.environment_id, instance.add_on_id))
    return described(add_on.name, instance.quantity), add_on.lookup_key


def renewed(till: Till, invoice: InvoiceRow, charged: Money, *, recovered: bool = False) -> None:
    """A renewal's invoice that is paid, or that had nothing to pay. recovered: after a failure."""
    key = (till.environment_id, invoice.subscription_id)
    subscription = till.session.get_one(SubscriptionRow, key)
    notice = Renewed(
        invoice=Invoiced(invoice.id, invoice.number),
        sold=_sold(till, invoice),
        charged=charged,
        carried=Money(invoice.carried_out_minor, invoice.currency),
        next_at=_utc(subscription.billed_until_at) if subscription.cancel_at is None else None,
        recovered=recovered,
    )
    mailing.post(till.session, till.scope, invoice.account_id, notice)


def failed(till: Till, row: CollectionRow, unpaid: Iterable[Unpaid], reason: str) -> None:
    """The charge of a renewal. unpaid: all open invoices; reason: one of REASONS.

    Of a plan that has ended nothing is told: its last mail says what is open.
    """
    invoice = till.session.get_one(InvoiceRow, (till.environment_id, row.invoice_id))
    account = till.session.get_one(AccountRow, (till.environment_id, row.account_id))
    open_ones = tuple(unpaid)
    suspends_at = dunning.suspension_at(open_ones, account.zone)
    key = (till.environment_id, row.subscription_id)
    if suspends_at is None or till.session.get_one(SubscriptionRow, key).ended_at is not None:
        return
    this = [each for each in open_ones if each.invoice_id == row.invoice_id]
    step = dunning.next_step(this, _fingerprint(till, row.account_id), account.zone)
    ends_at = _end(till, row)
    again = step is not None and step.kind is StepKind.RETRY and step.charges
    again = again and step is not None and (ends_at is None or step.at <= ends_at)
    notice = PaymentFailed(
        invoice=Invoiced(invoice.id, invoice.number),
        tries=row.retries + 1,
        amount=Money(invoice.charged_minor - row.credited_minor, invoice.currency),
        reason=REASONS.get(reason, DeclineReason.REFUSED),
        retry_at=step.at if step is not None and again else None,
        suspends_at=suspends_at,
        ends_at=ends_at if ends_at is not None and ends_at < suspends_at else None,
    )
    mailing.post(till.session, till.scope, row.account_id, notice)


def plan_changed(
    till: Till, account_id: int, reference: str, before: str, after: str, at: datetime,
    *, scheduled: bool, charged: Money | None = None,
) -> None:  # fmt: skip
    """reference: `purchase:1` or `plan_change:1`. before, after: names of plans."""
    agreed = said_to(till.session, till.scope, reference)
    notice = PlanChanged(reference, before, after, at, scheduled, charged, agreed=agreed)
    mailing.post(till.session, till.scope, account_id, notice)


def _end(till: Till, row: CollectionRow) -> datetime | None:
    """When the invoice's subscription ends, where it is cancelled."""
    state = account_state(till.session, till.scope, row.account_id, till.wall, over=True)
    return state.subscription.ends_at if state.subscription is not None else None


def _sold(till: Till, invoice: InvoiceRow) -> tuple[Sold, ...]:
    """What the invoice charges and credits, without taxes and settlements."""
    lines = select(InvoiceLineRow).where(
        InvoiceLineRow.environment_id == till.environment_id,
        InvoiceLineRow.invoice_id == invoice.id,
        InvoiceLineRow.kind.in_((LineKind.CHARGE, LineKind.CREDIT)),
    )
    return _each(till.session.scalars(lines.order_by(InvoiceLineRow.position)), invoice.currency)


def _unbilled(till: Till, row: InstanceRow, quote: QuoteRow) -> tuple[Sold, ...]:
    """What came to nothing; or what the first bill of something bought for later will charge."""
    return _accepted(till, quote) or (_planned(till, row, quote),)


def _accepted(till: Till, quote: QuoteRow) -> tuple[Sold, ...]:
    """What its lines charge."""
    lines = select(QuoteLineRow).where(
        QuoteLineRow.environment_id == till.environment_id,
        QuoteLineRow.quote_id == quote.id,
        QuoteLineRow.kind == LineKind.CHARGE,
    )
    return _each(till.session.scalars(lines.order_by(QuoteLineRow.position)), quote.currency)


def _each(lines: Iterable[SaleLine], code: str) -> tuple[Sold, ...]:
    return tuple(
        Sold(
            name=line.name,
            quantity=line.quantity,
            amount=Money(line.amount_minor, code),
            beyond=line.working["kind"] == WorkingKind.BEYOND,
        )
        for line in lines
    )


def _planned(till: Till, row: InstanceRow, quote: QuoteRow) -> Sold:
    add_on = till.session.get_one(AddOnRow, (till.environment_id, row.add_on_id))
    first = quote.promise["going_forward"]["amount"]["minor"]
    return Sold(add_on.name, row.quantity, Money(first, quote.currency))


def _fingerprint(till: Till, account_id: int) -> str | None:
    """Of the default card, where it may be tried."""
    return till.session.scalar(
        select(PaymentMethodRow.fingerprint).where(
            PaymentMethodRow.environment_id == till.environment_id,
            PaymentMethodRow.account_id == account_id,
            PaymentMethodRow.is_default,
            PaymentMethodRow.detached_at.is_(None),
            PaymentMethodRow.refused_at.is_(None),
        )
    )


def _utc(at: datetime | None) -> datetime | None:
    return at.astimezone(UTC) if at is not None else None
