"""What the receipt of an invoice says that was issued open."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from portal.gateways.pdf import Paper, PaperLine
from portal.queries.documents import IssuedReceipt
from portal.web.credit_papers import closing_words
from portal.web.language import date_in, direction, language, money
from portal.web.sentences import card_words


def receipt_paper(receipt: IssuedReceipt, issuer: str, support_email: str) -> Paper:
    """The paper in the language in force."""
    paid_on = date_in(ZoneInfo(receipt.zone), receipt.issued_at)
    return Paper(
        lang=language(),
        right_to_left=direction() == "rtl",
        title=_("Receipt for invoice %(number)s", number=receipt.number),
        issuer=issuer,
        standing=f"{_how(receipt, paid_on)} {_('Nothing is left to pay.')}",
        facts=(
            (_("Bill to"), receipt.account_name),
            (_("Date"), paid_on),
            (_("Currency"), receipt.paid.currency.upper()),
        ),
        columns=(_("What"), _("Quantity"), _("Amount")),
        lines=tuple(_lines(receipt)),
        sums=tuple(_sums(receipt)),
        closing=closing_words(support_email),
        page=_("Page {page} of {pages}"),
    )


def _how(receipt: IssuedReceipt, paid_on: str) -> str:
    if not receipt.card_last4:
        return _("Paid on %(date)s.", date=paid_on)
    card = card_words(receipt.card_brand, receipt.card_last4)
    return _("Paid on %(date)s with %(card)s.", date=paid_on, card=card)


def _lines(receipt: IssuedReceipt) -> Iterator[PaperLine]:
    issued_on = date_in(ZoneInfo(receipt.zone), receipt.invoice_issued_at)
    yield PaperLine(
        label=_("Invoice %(number)s", number=receipt.number),
        notes=(_("Issued on %(date)s", date=issued_on),),
        quantity="",
        amount=money(receipt.owed),
        soft=False,
    )
    if receipt.taken_off:
        label, amount = _("Taken off by credit notes"), money(-receipt.taken_off)
        yield PaperLine(label, (), "", amount, soft=True)


def _sums(receipt: IssuedReceipt) -> Iterator[tuple[str, str]]:
    if receipt.to_balance:
        yield _("Added to your balance"), money(receipt.to_balance)
    yield _("Paid"), money(receipt.paid)
