"""What a credit note says, on its page, in its PDF and in the list of movements of a balance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.domain.credit_notes import Cause
from portal.domain.credit_notices import Credited
from portal.domain.lines import LineKind
from portal.domain.money import Money
from portal.gateways.pdf import Paper, PaperLine
from portal.queries.balance import BalanceEntry, Origin
from portal.queries.credit_notes import CreditNote, number_in_words
from portal.queries.documents import IssuedCreditNote
from portal.queries.invoices import InvoiceLine
from portal.web.language import date_in, direction, language, money, number, span_in, working
from portal.web.sentences import card_words, line_label


class Parts(Protocol):
    """Where a credit note's money went."""

    @property
    def off_invoice(self) -> Money: ...
    @property
    def to_card(self) -> Money: ...
    @property
    def to_balance(self) -> Money: ...
    @property
    def card_brand(self) -> str: ...
    @property
    def card_last4(self) -> str: ...


def credit_note_paper(note: IssuedCreditNote, issuer: str, support_email: str) -> Paper:
    """The paper in the language in force."""
    zone = ZoneInfo(note.zone)
    issued_on = date_in(zone, note.issued_at)
    return Paper(
        lang=language(),
        right_to_left=direction() == "rtl",
        title=_("Credit note %(number)s", number=note.number),
        issuer=issuer,
        standing=" ".join(
            [_("For invoice %(number)s.", number=note.invoice_number), cause_words(note)]
        ).strip(),
        facts=(
            (_("Bill to"), note.account_name),
            (_("Date"), issued_on),
            (_("Currency"), note.total.currency.upper()),
        ),
        columns=(_("What"), _("Quantity"), _("Amount")),
        lines=tuple(_line(line, zone) for line in note.lines),
        sums=tuple(_sums(note)),
        closing=closing_words(support_email),
        page=_("Page {page} of {pages}"),
    )


def closing_words(support_email: str) -> str:
    return _("Questions? %(email)s", email=support_email) if support_email else ""


def credited_label(line: InvoiceLine) -> str:
    """What a line of a credit note gives back."""
    if line.kind is not LineKind.CREDIT:
        return line_label(line)
    return f"{line.name} × {number(line.quantity)}" if line.quantity > 1 else line.name


def parts_words(parts: Parts) -> tuple[tuple[str, Money], ...]:
    """Where it went, part by part; those that are nothing are left out."""
    card = card_words(parts.card_brand, parts.card_last4) if parts.card_last4 else _("your card")
    named = (
        (_("Off what was to pay"), parts.off_invoice),
        (_("To %(card)s", card=card), parts.to_card),
        (_("To your account balance"), parts.to_balance),
    )
    return tuple((label, amount) for label, amount in named if amount)


def cause_words(note: CreditNote | IssuedCreditNote | Credited) -> str:
    """Why there is a credit note: in the staff's words where they gave some."""
    said = {
        Cause.AT_PROCESSOR: _("Refunded at the payment processor"),
        Cause.WITHDRAWN: _("Taken back before it started"),
        Cause.NOT_BEGUN: _("It could not start: your plan ended before"),
        Cause.CONTRACT_WITHDRAWN: _("You withdrew from the contract"),
    }
    return said.get(note.cause, note.reason)


def balance_words(entry: BalanceEntry) -> str:
    """What a movement of the balance was."""
    if entry.origin is Origin.CREDIT_NOTE:
        return _("Credit note %(number)s", number=number_in_words(entry.number))
    if entry.origin is Origin.REFUND:
        return _("A refund that your bank did not take")
    invoice = f"{entry.number:06d}"
    if entry.amount.minor < 0:
        return _("Paid for invoice %(number)s", number=invoice)
    if entry.origin is Origin.PURCHASE:
        return _("Unused part of your earlier plan, invoice %(number)s", number=invoice)
    return _("Paid too much for invoice %(number)s", number=invoice)


def _line(line: InvoiceLine, zone: ZoneInfo) -> PaperLine:
    is_credit = line.kind is LineKind.CREDIT
    notes = [span_in(zone, line.period)] if line.period else []
    return PaperLine(
        label=line.name if is_credit else line_label(line),
        notes=(*notes, working(line.working)),
        quantity=number(line.quantity) if is_credit else "",
        amount="" if line.included else money(-line.amount),
        soft=not is_credit,
    )


def _sums(note: IssuedCreditNote) -> Iterator[tuple[str, str]]:
    """From what is given back to where it went; the last says it again, as on an invoice."""
    yield _("Total"), money(note.total)
    if note.tax:
        yield _("of which tax"), money(note.tax)
    for label, amount in parts_words(note):
        yield label, money(amount)
    yield _("Credited"), money(note.total)
