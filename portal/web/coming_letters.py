"""What mails say ahead of its day: a card that ends, a trial that ends, a price that changes."""

from __future__ import annotations

from datetime import datetime, time

from flask_babel import get_timezone
from flask_babel import gettext as _

from portal.domain.notices import CardExpiring, TrialEnding
from portal.domain.price_notices import PriceChanging, PriceStays
from portal.web.drafts import Draft, add_ons, counted, page
from portal.web.language import date, money
from portal.web.words import per


def of_what_comes(notice: CardExpiring | TrialEnding | PriceChanging | PriceStays) -> Draft:
    match notice:
        case CardExpiring():
            return _card_expiring(notice)
        case TrialEnding():
            return _trial_ending(notice)
        case PriceChanging():
            return _price_changing(notice)
        case PriceStays():
            return _price_stays(notice)


def _card_expiring(notice: CardExpiring) -> Draft:
    last_day = datetime.combine(notice.last_day, time(12), get_timezone())
    return Draft(
        _("Your card is about to expire"),
        (_("%(brand)s ending %(last4)s is good until %(date)s. Your plan is charged to it.",
           brand=notice.brand.capitalize(), last4=notice.last4, date=date(last_day)),
         _("Please add another card before then.")),
        (),
        (_("See your cards"), page("payment_methods.index")),
    )  # fmt: skip


def _trial_ending(notice: TrialEnding) -> Draft:
    return Draft(
        _("Your trial ends on %(date)s", date=date(notice.ends_at)),
        (_("Then %(plan)s starts, and %(amount)s is charged to your default card.",
           plan=notice.plan, amount=money(notice.amount)),),
        (),
        (_("See your cards"), page("payment_methods.index")),
    )  # fmt: skip


def _price_changing(notice: PriceChanging) -> Draft:
    what, day, each = notice.name, date(notice.changes_at), per(notice.interval)
    subject = _("The price of %(what)s changes on %(date)s", what=what, date=day)
    if notice.reminder:
        subject = _("Reminder: the price of %(what)s changes on %(date)s", what=what, date=day)
    facts = (
        (_("Until then"), f"{money(notice.before)} {each}"),
        (_("From %(date)s on", date=day), f"{money(notice.after)} {each}"),
    )
    stop = _("If that is not what you want, choose another plan, or cancel this one, before then.")
    way = _("See the plans"), page("plans.index")
    if notice.instance_id is not None:
        stop = _("If that is not what you want, cancel it before then: follow the link and confirm."
                 " It works until the end of the period that is paid for.")  # fmt: skip
        cancel = page("active.cancel", instance_id=notice.instance_id)
        way = _("Cancel %(what)s", what=what), cancel
    said = _("The price of %(what)s changes on %(date)s. Until then it stays as it is.",
             what=counted(what, notice.quantity), date=day)  # fmt: skip
    return Draft(subject, (said, stop), facts, way)


def _price_stays(notice: PriceStays) -> Draft:
    what = counted(notice.name, notice.quantity)
    price = f"{money(notice.price)} {per(notice.interval)}"
    said = _("We had told you of another price of %(what)s from %(date)s on. That is called off:"
             " it goes on for %(price)s.", what=what, date=date(notice.changes_at),
             price=price)  # fmt: skip
    return Draft(_("The price of %(what)s stays", what=notice.name), (said,), (), add_ons())
