"""What mails say ahead of its day: a card that ends, a trial that ends, a price that changes."""

from __future__ import annotations

from datetime import datetime, time

from flask_babel import get_timezone
from flask_babel import gettext as _

from portal.domain.notices import CardExpiring, TrialEnding
from portal.domain.price_notices import PriceNotice
from portal.web.drafts import Draft, page
from portal.web.language import date, money
from portal.web.price_letters import of_price


def of_what_comes(notice: CardExpiring | TrialEnding | PriceNotice) -> Draft:
    match notice:
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
