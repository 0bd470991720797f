"""What mails say ahead of its day: a card that ends, a trial that ends, a price that changes."""

from __future__ import annotations

from datetime import datetime, time

from flask_babel import get_timezone
from flask_babel import gettext as _

from portal.domain.notices import CardExpiring, TrialEnding
from portal.domain.price_notices import PriceNotice
from portal.domain.renewal_notices import RenewalAhead, RenewalNotice, Renewing, StillRenewing
from portal.web.drafts import Draft, page
from portal.web.language import date, money
from portal.web.price_letters import of_price
from portal.web.words import per


def of_what_comes(notice: CardExpiring | TrialEnding | PriceNotice | RenewalNotice) -> Draft:
    match notice:
        case RenewalAhead():
            return _renewal_ahead(notice)
        case StillRenewing():
            return _still_renewing(notice)
        case CardExpiring():
            return _card_expiring(notice)
        case TrialEnding():
            return _trial_ending(notice)
        case _:
            return of_price(notice)


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


def _renewal_ahead(notice: RenewalAhead) -> Draft:
    each = notice.renewing
    where = page("plans.cancel")
    if each.instance_id is not None:
        where = page("active.cancel", instance_id=each.instance_id)
    return Draft(
        _("%(what)s renews on %(date)s", what=each.name, date=date(each.at)),
        (_("Its term ends then, and begins anew for as long, unless you cancel before."),
         _("To cancel, follow the link and confirm. It works until the end of the term that is"
           " paid for.")),
        ((_("Charged then"), price(each)),),
        (_("Cancel %(what)s", what=each.name), where),
    )  # fmt: skip


def _still_renewing(notice: StillRenewing) -> Draft:
    return Draft(
        _("What goes on until you cancel it"),
        (_("Once a year we remind you of what renews by itself and is charged each time."),),
        tuple((each.name, price(each)) for each in notice.renewing),
        (_("See your add-ons, and cancel what you do not need"), page("active.index")),
        (_("To cancel the plan, open %(page)s, choose Cancel and confirm.",
           page=page("plans.index")),),
    )  # fmt: skip


def price(each: Renewing) -> str:
    """`$50.00 / month`, tax included."""
    return f"{money(each.amount)} {per(each.interval)}"
