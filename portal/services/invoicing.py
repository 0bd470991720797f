"""What a sale comes to in the books, and the invoice that says so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.domain.ledger import Settlement
from portal.domain.money import Money, total
from portal.domain.quotes import LineKind
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import InvoiceCounterRow, InvoiceLineRow, InvoiceRow
from portal.models.purchases import (
    PaymentAttemptRow,
    PurchaseRow,
    QuoteLineRow,
    QuoteRow,
    SaleLine,
)
from portal.services.recording import Doer, record


@dataclass(frozen=True, slots=True)
class Sale:
    """A purchase under its row lock, with what was accepted and the last attempt to charge it."""

    purchase: PurchaseRow
    quote: QuoteRow
    lines: list[QuoteLineRow]
    attempt: PaymentAttemptRow | None


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
    if sale.attempt is None:
        return None
    return session.scalar(
        select(PaymentMethodRow).where(
            PaymentMethodRow.environment_id == sale.purchase.environment_id,
            PaymentMethodRow.stripe_payment_method_id == sale.attempt.params["card_ref"],
        )
    )


def _next_number(session: Session, scope: Scope) -> int:
    """The environment's next invoice number; its row stays locked until commit, so no gaps."""
    counter = insert(InvoiceCounterRow).values(environment_id=scope.environment_id, last_number=1)
    return session.scalars(
        counter.on_conflict_do_update(
            index_elements=["environment_id"],
            set_={"last_number": InvoiceCounterRow.last_number + 1},
        ).returning(InvoiceCounterRow.last_number)
    ).one()
