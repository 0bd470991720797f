"""What a sale comes to in the books, and the invoice that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.bills import Bill
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.ledger import Settlement
from portal.domain.lines import LineKind, QuoteLine, sum_of
from portal.domain.money import Money, total
from portal.domain.working import in_words, to_plain
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import InvoiceCounterRow, InvoiceLineRow, InvoiceRow
from portal.models.purchases import (
    PaymentAttemptRow,
    PurchaseRow,
    QuoteLineRow,
    QuoteRow,
    SaleLine,
)
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.services.numbering import next_number
from portal.services.phrases import ENGLISH
from portal.services.recording import Doer, record
from portal.services.ways import default_card


@dataclass(frozen=True, slots=True)
class Sale:
    """A purchase under its row lock, with what was accepted, and the attempt that is answered.

    attempt: None when there is none, or none is meant.
    """

    purchase: PurchaseRow
    quote: QuoteRow
    lines: list[QuoteLineRow]
    attempt: PaymentAttemptRow | None


@dataclass(frozen=True, slots=True)
class Credit:
    """What goes back of earlier sales. to_balance: what the new charges leave of it."""

    sale: Money
    tax: Money
    to_balance: Money


def read_sale(session: Session, scope: Scope, purchase_id: int, attempt_id: int | None) -> Sale:
    """Lock the purchase and read all of the sale as it stands now. Raises NotFound."""
    key = (scope.environment_id, purchase_id)
    purchase = session.get(PurchaseRow, key, with_for_update=True, populate_existing=True)
    if purchase is None:
        raise NotFound("purchase")
    attempt = None
    if attempt_id is not None:
        attempt = session.get_one(
            PaymentAttemptRow, (scope.environment_id, attempt_id), populate_existing=True
        )
    quote = session.get_one(QuoteRow, (scope.environment_id, purchase.quote_id))
    lines = select(QuoteLineRow).where(
        QuoteLineRow.environment_id == scope.environment_id, QuoteLineRow.quote_id == quote.id
    )
    found = session.scalars(lines.order_by(QuoteLineRow.position))
    return Sale(purchase, quote, list(found), attempt)


def over_at(session: Session, sale: Sale) -> datetime | None:
    """When the period paid for, or what was bought, ends; None for never."""
    ends = [line.period_end_at for line in sale.lines]
    if sale.purchase.instance_id is None:
        ends.append(datetime.fromisoformat(sale.quote.promise["over_at"]))
    else:
        key = (sale.purchase.environment_id, sale.purchase.instance_id)
        instance = session.get_one(InstanceRow, key)
        ends += [instance.ends_at, instance.cancel_at]
    return min((end.astimezone(UTC) for end in ends if end is not None), default=None)


def said(position: int, line: QuoteLine) -> dict[str, Any]:
    """The columns of a stored line, of a quote or of an invoice."""
    return {
        "position": position,
        "kind": line.kind,
        "name": line.name,
        "quantity": line.quantity,
        "amount_minor": line.amount.minor,
        "included": line.included,
        "period_start_at": line.period.start if line.period else None,
        "period_end_at": line.period.end if line.period else None,
        "working": to_plain(line.working),
        "working_text": in_words(line.working, ENGLISH),
        "instance_id": line.instance_id,
        "credited_line_id": line.credited_line_id,
    }


def issue_bill(
    session: Session, scope: Scope, subscription: SubscriptionRow, made: Bill, doer: Doer
) -> InvoiceRow:
    """Add the invoice of a renewal under the next number, dated at its boundary; flushed.

    Open when something has to be paid for it, and then charged to the default card where there is
    one. Commit is the caller's.
    """
    card = default_card(session, subscription) if made.due.charged else None
    number = next_number(session, scope, InvoiceCounterRow)
    invoice = _invoice_of(made, subscription, number, card)
    session.add(invoice)
    session.flush()
    session.add_all(
        InvoiceLineRow(
            environment_id=scope.environment_id, invoice_id=invoice.id, **said(position, line)
        )
        for position, line in enumerate(made.lines)
    )
    record(session, scope, doer, EventName.INVOICE_ISSUED, f"invoice:{invoice.id}", made.at)
    return invoice


def _invoice_of(
    made: Bill, subscription: SubscriptionRow, number: int, card: PaymentMethodRow | None
) -> InvoiceRow:
    money, due = money_of(made), made.due
    return InvoiceRow(
        environment_id=subscription.environment_id,
        account_id=subscription.account_id,
        subscription_id=subscription.id,
        due_at=made.at,
        number=number,
        status="open" if due.charged else "carried" if due.carried_out else "paid",
        currency=due.charged.currency,
        total_minor=(money.sale + money.tax).minor,
        tax_minor=money.tax.minor,
        balance_applied_minor=money.balance_applied.minor,
        charged_minor=due.charged.minor,
        carried_out_minor=due.carried_out.minor,
        card_brand=card.brand if card else "",
        card_last4=card.last4 if card else "",
        issued_at=made.at,
    )


def money_of(made: Bill) -> Settlement:
    """What a bill comes to in the books. What is charged is owed until it is paid."""
    code = made.due.charged.currency
    zero = Money.zero(code)
    inside = total([line.amount for line in made.lines if line.included], code)
    return Settlement(
        sale=sum_of(made.lines, LineKind.CHARGE, code) - inside,
        tax=sum_of(made.lines, LineKind.TAX, code),
        carried_in=sum_of(made.lines, LineKind.CARRIED, code),
        balance_applied=-sum_of(made.lines, LineKind.BALANCE, code),
        charged=zero,
        carried_out=made.due.carried_out,
    )


def settlement_of(sale: Sale) -> Settlement:
    """The money of a sale, from its stored lines."""
    code = sale.quote.currency

    def stored(kind: LineKind, *, included: bool = False) -> Money:
        wanted = [r for r in sale.lines if r.kind == kind and r.included is included]
        charged = [r for r in wanted if r.credited_line_id is None]
        return total([Money(r.amount_minor, code) for r in charged], code)

    inside = stored(LineKind.TAX, included=True)
    return Settlement(
        sale=stored(LineKind.CHARGE) - inside,
        tax=stored(LineKind.TAX) + inside,
        carried_in=stored(LineKind.CARRIED),
        balance_applied=-stored(LineKind.BALANCE),
        charged=Money(sale.quote.charged_minor, code),
        carried_out=Money(sale.quote.carried_out_minor, code),
    )


def credit_of(sale: Sale) -> Credit:
    """What a sale gives back of earlier ones, from its stored lines."""
    code = sale.quote.currency

    def given(kind: LineKind, *, included: bool = False) -> Money:
        wanted = [r for r in sale.lines if r.credited_line_id is not None and r.kind == kind]
        amounts = [Money(-r.amount_minor, code) for r in wanted if r.included is included]
        return total(amounts, code)

    inside = given(LineKind.TAX, included=True)
    return Credit(
        sale=given(LineKind.CREDIT) - inside,
        tax=given(LineKind.TAX) + inside,
        to_balance=Money(sale.quote.credited_minor, code),
    )


def issue_invoice(session: Session, scope: Scope, sale: Sale, doer: Doer, at: datetime) -> None:
    """Add the sale's invoice under the next number; commit is the caller's.

    A sale whose lines all come to nothing has none. Source: upstream-systems.md §5 (P2).
    """
    money, credit = settlement_of(sale), credit_of(sale)
    card = _card(session, sale)
    invoice = InvoiceRow(
        environment_id=scope.environment_id,
        account_id=sale.purchase.account_id,
        purchase_id=sale.purchase.id,
        number=next_number(session, scope, InvoiceCounterRow),
        status="carried" if money.carried_out else "paid",
        currency=sale.quote.currency,
        total_minor=(money.sale + money.tax - credit.sale - credit.tax).minor,
        tax_minor=(money.tax - credit.tax).minor,
        balance_applied_minor=money.balance_applied.minor,
        charged_minor=money.charged.minor,
        carried_out_minor=money.carried_out.minor,
        credited_minor=credit.to_balance.minor,
        card_brand=card.brand if card else "",
        card_last4=card.last4 if card else "",
        issued_at=at,
    )
    session.add(invoice)
    session.flush()
    session.add_all(_invoice_line(invoice, line) for line in sale.lines)
    record(session, scope, doer, EventName.INVOICE_ISSUED, f"invoice:{invoice.id}", at)


def _invoice_line(invoice: InvoiceRow, line: QuoteLineRow) -> InvoiceLineRow:
    """The line as it was shown and accepted."""
    copied = {name: getattr(line, name) for name in SaleLine.__annotations__}
    return InvoiceLineRow(environment_id=invoice.environment_id, invoice_id=invoice.id, **copied)


def _card(session: Session, sale: Sale) -> PaymentMethodRow | None:
    if sale.attempt is None or sale.attempt.payment_method_id is None:
        return None
    key = (sale.purchase.environment_id, sale.attempt.payment_method_id)
    return session.get(PaymentMethodRow, key)
