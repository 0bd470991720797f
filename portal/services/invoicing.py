"""What a sale comes to in the books, and the invoice that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.ledger import Settlement
from portal.domain.lines import LineKind
from portal.domain.money import Money, total
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import InvoiceCounterRow, InvoiceLineRow, InvoiceRow
from portal.models.purchases import (
    PaymentAttemptRow,
    PurchaseRow,
    QuoteLineRow,
    QuoteRow,
    SaleLine,
)
from portal.models.subscriptions import InstanceRow
from portal.services.recording import Doer, record


@dataclass(frozen=True, slots=True)
class Sale:
    """A purchase under its row lock, with what was accepted, and the attempt that is answered.

    attempt: None when there is none, or none is meant.
    """

    purchase: PurchaseRow
    quote: QuoteRow
    lines: list[QuoteLineRow]
    attempt: PaymentAttemptRow | None


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
    key = (sale.purchase.environment_id, sale.purchase.instance_id)
    instance = session.get_one(InstanceRow, key)
    ends = [line.period_end_at for line in sale.lines]
    ends += [instance.ends_at, instance.cancel_at]
    return min((end.astimezone(UTC) for end in ends if end is not None), default=None)


def settlement_of(sale: Sale) -> Settlement:
    """The money of a sale, from its stored lines."""
    code = sale.quote.currency

    def sum_of(kind: LineKind, *, included: bool = False) -> Money:
        wanted = [r for r in sale.lines if r.kind == kind and r.included is included]
        return total([Money(r.amount_minor, code) for r in wanted], code)

    inside = sum_of(LineKind.TAX, included=True)
    return Settlement(
        sale=sum_of(LineKind.CHARGE) - inside,
        tax=sum_of(LineKind.TAX) + inside,
        carried_in=sum_of(LineKind.CARRIED),
        balance_applied=-sum_of(LineKind.BALANCE),
        charged=Money(sale.quote.charged_minor, code),
        carried_out=Money(sale.quote.carried_out_minor, code),
    )


def issue_invoice(session: Session, scope: Scope, sale: Sale, doer: Doer, at: datetime) -> None:
    """Add the sale's invoice under the next number; commit is the caller's."""
    money = settlement_of(sale)
    card = _card(session, sale)
    invoice = InvoiceRow(
        environment_id=scope.environment_id,
        account_id=sale.purchase.account_id,
        purchase_id=sale.purchase.id,
        number=_next_number(session, scope),
        status="carried" if money.carried_out else "paid",
        currency=sale.quote.currency,
        total_minor=(money.sale + money.tax).minor,
        tax_minor=money.tax.minor,
        balance_applied_minor=money.balance_applied.minor,
        charged_minor=money.charged.minor,
        carried_out_minor=money.carried_out.minor,
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
    said = {name: getattr(line, name) for name in SaleLine.__annotations__}
    return InvoiceLineRow(environment_id=invoice.environment_id, invoice_id=invoice.id, **said)


def _card(session: Session, sale: Sale) -> PaymentMethodRow | None:
    if sale.attempt is None or sale.attempt.payment_method_id is None:
        return None
    key = (sale.purchase.environment_id, sale.attempt.payment_method_id)
    return session.get(PaymentMethodRow, key)


def _next_number(session: Session, scope: Scope) -> int:
    """The environment's next invoice number; its row stays locked until commit, so no gaps."""
    counter = insert(InvoiceCounterRow).values(environment_id=scope.environment_id, last_number=1)
    return session.scalars(
        counter.on_conflict_do_update(
            index_elements=["environment_id"],
            set_={"last_number": InvoiceCounterRow.last_number + 1},
        ).returning(InvoiceCounterRow.last_number)
    ).one()
