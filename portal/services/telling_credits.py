"""Posts the notices of corrections: a credit note, an add-on that the staff took away."""

from __future__ import annotations

from collections.abc import Iterable

from portal.domain.credit_notes import Cause
from portal.domain.credit_notices import AddOnEnded, Credited, Noted
from portal.domain.lines import LineKind, QuoteLine
from portal.domain.money import Money
from portal.domain.periods import BillingNow
from portal.models.credit_notes import CreditNoteRow
from portal.queries.subscriptions import Instance
from portal.services import mailing
from portal.services.till import Till


def credited(
    till: Till, note: CreditNoteRow, invoice_number: int, lines: Iterable[QuoteLine]
) -> None:
    """A credit note that was just issued."""
    code = note.currency
    notice = Credited(
        note=Noted(note.id, note.number),
        invoice_number=invoice_number,
        names=tuple(line.name for line in lines if line.kind is LineKind.CREDIT),
        cause=Cause(note.cause),
        reason=note.reason,
        amount=Money(note.total_minor, code),
        off_invoice=Money(note.off_invoice_minor, code),
        to_card=Money(note.card_minor, code),
        to_balance=Money(note.balance_minor, code),
        card_brand=note.card_brand,
        card_last4=note.card_last4,
    )
    mailing.post(till.session, till.scope, note.account_id, notice)


def ended(
    till: Till, account_id: int, instance: Instance, reason: str, credit: Money, at: BillingNow
) -> None:
    """An add-on that the staff took away."""
    name, quantity = instance.add_on.name, instance.quantity
    notice = AddOnEnded(instance.id, name, quantity, at, reason, credit)
    mailing.post(till.session, till.scope, account_id, notice)
