"""The staff correct an issued invoice: a line, a part of one, or all that is left of it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.credit_notes import Cause, Destination
from portal.domain.credits import StoredLine, given_back
from portal.domain.errors import Conflict, NotFound
from portal.domain.lines import QuoteLine
from portal.domain.money import Money, currency
from portal.models.invoices import InvoiceRow
from portal.queries.stored_lines import billed_lines
from portal.services.credit_notes import Proposal, clear, find_by_key, issue, lock, proposal
from portal.services.refunding import give_back_credited, send
from portal.services.till import Till


@dataclass(frozen=True, slots=True)
class Correction:
    """What the staff ask for.

    line: counted from 1 over what the invoice sells; None for all of them. amount: in major units,
    without a tax that comes on top; None for all that is left. reason: the customer reads it.
    """

    invoice_number: int
    line: int | None
    amount: Decimal | None
    to: Destination
    reason: str

    @property
    def key(self) -> str:
        """The same for the same request, so that sending it twice credits once."""
        amount = str(None if self.amount is None else self.amount.normalize())
        asked = (self.invoice_number, self.line, amount, self.to.value, self.reason)
        return f"corrected-{hashlib.sha256(repr(asked).encode()).hexdigest()}"


def foresee(session: Session, scope: Scope, asked: Correction) -> Proposal:
    """What `correct` would do now.

    Raises NotFound for no such invoice or line; Conflict, which says why, for what cannot be
    given back.
    """
    invoice = _invoice(session, scope, asked.invoice_number)
    done = find_by_key(session, scope, asked.key)
    if done is not None:
        raise Conflict(
            f"credit note CN{done.number:06d} says exactly that already;"
            " to credit it once more, give another reason"
        )
    lines = _lines(asked, billed_lines(session, scope, invoice.id))
    found = proposal(session, invoice, lines, asked.to)
    if asked.to is Destination.CARD and not (found.to.to_card or found.to.off_invoice):
        raise Conflict("no card paid for it, or all of that has gone back; use --to balance")
    return found


def correct(till: Till, asked: Correction) -> int:
    """Issue the credit note, and send its refund; the note's number. Commits.

    Raises as `foresee` does, and Conflict while a payment of the invoice is under way.
    """
    invoice = _invoice(till.session, till.scope, asked.invoice_number)
    till = till.about(invoice.account_id)
    clear(till, invoice)
    lock(till, invoice)
    made, refund_id = foresee(till.session, till.scope, asked), None
    at = till.account_now(invoice.account_id)
    note = issue(till, made, Cause.CORRECTED, asked.reason, asked.key, at)
    if made.attempt is not None and note.card_minor:
        refund_id = give_back_credited(till, made.attempt, note, at)
    number = note.number
    till.session.commit()
    if refund_id is not None:
        send(till, refund_id)
    return number


def _invoice(session: Session, scope: Scope, number: int) -> InvoiceRow:
    found = session.scalar(
        select(InvoiceRow).where(
            InvoiceRow.environment_id == scope.environment_id, InvoiceRow.number == number
        )
    )
    if found is None:
        raise NotFound(f"there is no invoice {number:06d}")
    return found


def _lines(asked: Correction, billed: Sequence[StoredLine]) -> tuple[QuoteLine, ...]:
    """The credit lines asked for. Raises NotFound and Conflict."""
    wanted = billed if asked.line is None else [_line(asked.line, billed)]
    if asked.amount is not None and len(wanted) != 1:
        raise Conflict(f"an amount needs --line, of 1 to {len(billed)}")
    if not any(line.worth for line in wanted):
        raise Conflict("nothing is left to give back: all of it was credited already")
    if asked.amount is None:
        return tuple(each for line in wanted for each in given_back(line, line.kept))
    [line] = wanted
    return given_back(line, _amount(asked.amount, line))


def _line(number: int, billed: Sequence[StoredLine]) -> StoredLine:
    if not 1 <= number <= len(billed):
        raise NotFound(f"there is no line {number}: the invoice sells {len(billed)}")
    return billed[number - 1]


def _amount(amount: Decimal, line: StoredLine) -> Money:
    """Raises Conflict for what the currency cannot express, for nothing, and for too much."""
    code = line.billed.currency
    try:
        exact = Money.from_major(amount, code)
    except ValueError as error:
        raise Conflict(f"{amount} has more decimals than {code.upper()}") from error
    step = Money(currency(code).step, code)
    if exact.minor % step.minor:
        raise Conflict(f"amounts in {code.upper()} go in steps of {step.major()}")
    if exact.minor <= 0:
        raise Conflict("the amount must be more than nothing")
    if exact.minor > line.kept.minor:
        raise Conflict(f"only {line.kept.major()} {code.upper()} is left of {line.name}")
    return exact
