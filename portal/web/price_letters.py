"""What mails say of a price that will change, or stays after all."""

from __future__ import annotations

from datetime import datetime

from flask_babel import gettext as _

from portal.domain.catalog import Price
from portal.domain.price_notices import (
    PriceChanging,
    PriceNotice,
    PriceStays,
    UsePriceChanging,
    UsePriceStays,
)
from portal.web.drafts import Draft, add_ons, counted, page
from portal.web.language import date, money
from portal.web.usage_sentences import use_price_words
from portal.web.words import per


def of_price(notice: PriceNotice) -> Draft:
    match notice:
        case PriceChanging():
            each, what = per(notice.interval), counted(notice.name, notice.quantity)
            prices = f"{money(notice.before)} {each}", f"{money(notice.after)} {each}"
            return _changes(notice, notice.name, what, prices)
        case UsePriceChanging():
            what = _use(notice.after, notice.name)
            return _changes(notice, what, what, (_each(notice.before), _each(notice.after)))
        case PriceStays():
            price = f"{money(notice.price)} {per(notice.interval)}"
            what = counted(notice.name, notice.quantity)
            return _stays(notice.name, what, price, notice.changes_at)
        case UsePriceStays():
            what = _use(notice.price, notice.name)
            return _stays(what, what, _each(notice.price), notice.changes_at)


def _changes(
    notice: PriceChanging | UsePriceChanging, name: str, what: str, prices: tuple[str, str]
) -> Draft:
    """name: of what is sold. what: the same, and how many. prices: before and after."""
    day = date(notice.changes_at)
    subject = _("The price of %(what)s changes on %(date)s", what=name, date=day)
    if notice.reminder:
        subject = _("Reminder: the price of %(what)s changes on %(date)s", what=name, date=day)
    facts = (_("Until then"), prices[0]), (_("From %(date)s on", date=day), prices[1])
    stop = _("If that is not what you want, choose another plan, or cancel this one, before then.")
    way = _("See the plans"), page("plans.index")
    if notice.instance_id is not None:
        stop = _("If that is not what you want, cancel it before then: follow the link and confirm."
                 " It works until the end of the period that is paid for.")  # fmt: skip
        cancel = page("active.cancel", instance_id=notice.instance_id)
        way = _("Cancel %(what)s", what=notice.name), cancel
    said = [_("The price of %(what)s changes on %(date)s. Until then it stays as it is.",
              what=what, date=day)]  # fmt: skip
    if isinstance(notice, UsePriceChanging):
        said.append(_("What is used before then is billed at the price of now."))
    return Draft(subject, (*said, stop), facts, way)


def _stays(name: str, what: str, price: str, changes_at: datetime) -> Draft:
    said = _("We had told you of another price of %(what)s from %(date)s on. That is called off:"
             " it goes on for %(price)s.", what=what, date=date(changes_at),
             price=price)  # fmt: skip
    return Draft(_("The price of %(what)s stays", what=name), (said,), (), add_ons())


def _use(price: Price, name: str) -> str:
    """`Business, messages beyond the allowance`; price: of that use."""
    feature = price.feature.name if price.feature else ""
    return _("%(what)s beyond the allowance of %(sold)s", what=feature, sold=name)


def _each(price: Price) -> str:
    return use_price_words(price, price.feature) if price.feature else ""
