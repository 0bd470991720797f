"""The words of an invoice's PDF in its account's language and zone, and who prints all PDFs."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from flask_babel import force_locale
from flask_babel import gettext as _

from portal.domain.lines import LineKind
from portal.gateways.pdf import Paper, PaperLine, TypstPress
from portal.queries.documents import IssuedCreditNote, IssuedInvoice, IssuedReceipt
from portal.queries.invoices import InvoiceLine
from portal.web.credit_papers import closing_words, credit_note_paper
from portal.web.language import (
    date_in,
    direction,
    known_locale,
    language,
    money,
    number,
    span_in,
    working,
)
from portal.web.receipt_papers import receipt_paper
from portal.web.sentences import card_words, charge_name, line_label

SETTLING = (LineKind.CARRIED, LineKind.BALANCE)
"""Lines that pay for what is sold, or join it: they come after its total."""


class PaperPrinter:
    """Needs the app's context for its translations, but no request."""

    def __init__(self, press: TypstPress, issuer: str, support_email: str) -> None:
        self._press, self._issuer, self._support_email = press, issuer, support_email

    def printed(self, paper: IssuedInvoice | IssuedCreditNote | IssuedReceipt) -> bytes:
        """The PDF, dated when it was issued."""
        issuer, support = self._issuer, self._support_email
        with force_locale(known_locale(paper.locale)):
            match paper:
                case IssuedCreditNote():
                    words = credit_note_paper(paper, issuer, support)
                case IssuedReceipt():
                    words = receipt_paper(paper, issuer, support)
                case _:
                    words = paper_of(paper, issuer, support)
        return self._press.printed(words, paper.issued_at)


def paper_of(invoice: IssuedInvoice, issuer: str, support_email: str) -> Paper:
    """The paper in the language in force."""
    zone = ZoneInfo(invoice.zone)
    return Paper(
        lang=language(),
        right_to_left=direction() == "rtl",
        title=_("Invoice %(number)s", number=invoice.number),
        issuer=issuer,
        standing=standing_words(invoice, date_in(zone, invoice.issued_at)),
        facts=(
            (_("Bill to"), invoice.account_name),
            (_("Date"), date_in(zone, invoice.issued_at)),
            (_("Currency"), invoice.total.currency.upper()),
        ),
        columns=(_("What"), _("Quantity"), _("Amount")),
        lines=tuple(_line(line, zone) for line in invoice.lines if line.kind not in SETTLING),
        sums=tuple(_sums(invoice)),
        closing=closing_words(support_email),
        page=_("Page {page} of {pages}"),
    )


def standing_words(invoice: IssuedInvoice, issued_on: str) -> str:
    """Whether it was paid when it was issued, and how; or how it is about to be."""
    if invoice.status == "open":
        return _open_words(invoice, issued_on)
    if invoice.carried_out:
        left = money(invoice.carried_out)
        return _("Nothing was charged: %(amount)s is on the next invoice.", amount=left)
    if not invoice.charged:
        return _("There was nothing left to pay.")
    if not invoice.card_last4:
        return _("Receipt: paid on %(date)s.", date=issued_on)
    card = card_words(invoice.card_brand, invoice.card_last4)
    return _("Receipt: paid on %(date)s with %(card)s.", date=issued_on, card=card)


def _open_words(invoice: IssuedInvoice, issued_on: str) -> str:
    owed = money(invoice.charged)
    if not invoice.card_last4:
        return _("Issued on %(date)s with %(amount)s to pay.", date=issued_on, amount=owed)
    card = card_words(invoice.card_brand, invoice.card_last4)
    return _("Issued on %(date)s. %(amount)s is charged to %(card)s.",
             date=issued_on, amount=owed, card=card)  # fmt: skip


def _line(line: InvoiceLine, zone: ZoneInfo) -> PaperLine:
    is_charge = line.kind is LineKind.CHARGE
    notes = [span_in(zone, line.period)] if line.period else []
    return PaperLine(
        label=charge_name(line) if is_charge else line_label(line),
        notes=(*notes, working(line.working)),
        quantity=number(line.quantity) if is_charge else "",
        amount="" if line.included else money(line.amount),
        soft=not is_charge,
    )


def _sums(invoice: IssuedInvoice) -> Iterator[tuple[str, str]]:
    """From what was sold to what had to be paid for it."""
    yield _("Total"), money(invoice.total)
    if invoice.tax:
        yield _("of which tax"), money(invoice.tax)
    for line in invoice.lines:
        if line.kind in SETTLING:
            yield line_label(line), money(line.amount)
    if invoice.carried_out:
        yield _("Moved to your next invoice"), money(-invoice.carried_out)
    if invoice.credited:
        yield _("Added to your balance"), money(invoice.credited)
    yield _last_label(invoice), money(invoice.charged)


def _last_label(invoice: IssuedInvoice) -> str:
    if invoice.status != "open":
        return _("Paid")
    return _("To be charged") if invoice.card_last4 else _("To pay")
