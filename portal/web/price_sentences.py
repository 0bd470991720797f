"""What pages say of a price that will change."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.catalog import Price
from portal.domain.price_changes import PriceAhead
from portal.domain.taxes import Tax, tax_on
from portal.web.language import date, number
from portal.web.sentences import taxed
from portal.web.usage_sentences import use_price_words
from portal.web.words import per


def price_ahead(ahead: PriceAhead, tax: Tax) -> str:
    """`$59.00 / month` with its tax: what is paid once an announced change has come; for use
    `$0.001 a message beyond the allowance`."""
    if ahead.change.feature is not None:
        return _("%(price)s beyond the allowance", price=_each(ahead.change.new))
    return f"{taxed(ahead.after, tax_on(tax, ahead.after), tax)} {per(ahead.interval)}"


def price_change(ahead: PriceAhead, tax: Tax) -> str:
    """The same in full: what costs how much from when, and what it costs until then."""
    name = ahead.name if ahead.quantity == 1 else f"{number(ahead.quantity)} × {ahead.name}"
    if ahead.change.feature is not None:
        before = _each(ahead.change.old)
    else:
        before = taxed(ahead.before, tax_on(tax, ahead.before), tax)
    return _("%(what)s: %(after)s from %(date)s on, %(before)s until then.", what=name,
             after=price_ahead(ahead, tax), date=date(ahead.change.effective_at),
             before=before)  # fmt: skip


def _each(price: Price) -> str:
    if price.feature is None:
        raise ValueError("a price for use names its feature")
    return use_price_words(price, price.feature)
