"""Invoices and receipts: what was issued, as it was shown when it was accepted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Select, and_, select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.errors import NotFound
from portal.domain.lines import LineKind
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.working import Working, from_plain
from portal.models.invoices import CollectionRow, InvoiceLineRow, InvoiceRow
from portal.models.purchases import PaymentAttemptRow, SaleLine
from portal.queries.attempts import Attempt, last_attempt
from portal.queries.invoice_money import Payment, find_payment


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    kind: LineKind
    name: str
    quantity: int
    amount: Money
    included: bool
    working: Working
    period: Period | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """total = lines and taxes = charged + carried + taken from the balance - carried before.

    status: as it stands now: paid, carried, open when `to_pay` is still to be paid, or credited
    when credit notes took all of that. taken_off: what credit notes took off what was to pay.
    payment: what paid it, read with its lines.
    """

    id: int
    purchase_id: int | None
    number: str
    issued_at: datetime
    status: str
    total: Money
    charged: Money
    carried_out: Money
    balance_applied: Money
    credited: Money
    card_brand: str
    card_last4: str
    taken_off: Money
    lines: tuple[InvoiceLine, ...]
    payment: Payment | None = None

    @property
    def to_pay(self) -> Money:
        """What was charged, or is still to be; without what credit notes took off."""
        return self.charged - self.taken_off

    @property
    def has_receipt(self) -> bool:
        """Whether its payment has a paper of its own; an invoice that was paid at once is one."""
        return self.payment is not None and self.purchase_id is None


def invoices(session: Session, actor: Actor) -> tuple[Invoice, ...]:
    """The account's invoices, newest first, without their lines."""
    found = session.execute(_mine(actor).order_by(InvoiceRow.number.desc()))
    return tuple(_invoice(row, standing, ()) for row, standing in found)


def get_invoice(session: Session, actor: Actor, number: int) -> Invoice:
    """Raises NotFound for a number of another account."""
    return _one(session, _mine(actor).where(InvoiceRow.number == number))


def find_invoice_of(session: Session, actor: Actor, purchase_id: int) -> Invoice | None:
    """The invoice of one settled purchase; None for what is billed first when it starts."""
    found = session.execute(_mine(actor).where(InvoiceRow.purchase_id == purchase_id)).first()
    return _invoice(*found, _lines(session, found[0])) if found else None


def last_try(session: Session, actor: Actor, invoice_id: int) -> Attempt | None:
    """The latest attempt to pay an invoice that was issued open."""
    return last_attempt(session, actor.environment_id, PaymentAttemptRow.invoice_id == invoice_id)


def line_of(row: SaleLine, code: str) -> InvoiceLine:
    """A line of an invoice or of the quote it follows from, in currency `code`."""
    return InvoiceLine(
        kind=LineKind(row.kind),
        name=row.name,
        quantity=row.quantity,
        amount=Money(row.amount_minor, code),
        included=row.included,
        working=from_plain(row.working),
        period=_period(row),
    )


def _period(row: SaleLine) -> Period | None:
    if row.period_start_at is None or row.period_end_at is None:
        return None
    return Period(row.period_start_at.astimezone(UTC), row.period_end_at.astimezone(UTC))


def _mine(actor: Actor) -> Select[InvoiceRow, CollectionRow | None]:
    return (
        select(InvoiceRow, CollectionRow)
        .outerjoin(
            CollectionRow,
            and_(
                CollectionRow.environment_id == InvoiceRow.environment_id,
                CollectionRow.invoice_id == InvoiceRow.id,
            ),
        )
        .where(
            InvoiceRow.environment_id == actor.environment_id,
            InvoiceRow.account_id == actor.account_id,
        )
        .execution_options(populate_existing=True)
    )


def _one(session: Session, statement: Select[InvoiceRow, CollectionRow | None]) -> Invoice:
    found = session.execute(statement).first()
    if found is None:
        raise NotFound("invoice")
    row, standing = found
    invoice = _invoice(row, standing, _lines(session, row))
    return replace(invoice, payment=_payment(session, row))


def _payment(session: Session, row: InvoiceRow) -> Payment | None:
    if row.status == "open" or not row.charged_minor:
        return find_payment(session, row)
    charged = Money(row.charged_minor, row.currency)
    return Payment(row.issued_at.astimezone(UTC), charged, row.card_brand, row.card_last4)


def _lines(session: Session, row: InvoiceRow) -> tuple[InvoiceLine, ...]:
    statement = select(InvoiceLineRow).where(
        InvoiceLineRow.environment_id == row.environment_id, InvoiceLineRow.invoice_id == row.id
    )
    found = session.scalars(statement.order_by(InvoiceLineRow.position))
    return tuple(line_of(line, row.currency) for line in found)


def _invoice(
    row: InvoiceRow, standing: CollectionRow | None, lines: tuple[InvoiceLine, ...]
) -> Invoice:
    return Invoice(
        id=row.id,
        purchase_id=row.purchase_id,
        number=f"{row.number:06d}",
        issued_at=row.issued_at.astimezone(UTC),
        status=standing.status if standing else row.status,
        total=Money(row.total_minor, row.currency),
        charged=Money(row.charged_minor, row.currency),
        carried_out=Money(row.carried_out_minor, row.currency),
        balance_applied=Money(row.balance_applied_minor, row.currency),
        credited=Money(row.credited_minor, row.currency),
        card_brand=row.card_brand,
        card_last4=row.card_last4,
        taken_off=Money(standing.credited_minor if standing else 0, row.currency),
        lines=lines,
    )
