"""What mails say about auto-recharge."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.payments import Declined
from portal.domain.recharge_notices import (
    RechargeAgreed,
    RechargeChanged,
    RechargeLimited,
    RechargeNotice,
    RechargePaused,
    RechargeShort,
)
from portal.web.drafts import Draft, agreed_words, page
from portal.web.language import date, money, number
from portal.web.steps import decline_words


def of_recharge(notice: RechargeNotice) -> Draft:
    match notice:
        case RechargeAgreed():
            return _agreed(notice)
        case RechargePaused():
            return _paused(notice)
        case RechargeLimited():
            return _limited(notice)
        case RechargeShort():
            return _short(notice)
        case RechargeChanged():
            return _changed(notice)


def _agreed(notice: RechargeAgreed) -> Draft:
    here = page("recharge.index")
    return Draft(
        _("Auto-recharge for %(feature)s is on", feature=notice.feature),
        (_("From now on a pack is bought by itself when little is left, and charged to your default"
           " card. Each one that is bought is told to you."),),
        ((_("Buys when fewer are left than"), number(notice.threshold)),
         (_("Pack"), notice.pack),
         (_("Charge for one, tax included"), money(notice.amount)),
         (_("Monthly maximum, tax included"), money(notice.cap))),
        (_("See auto-recharge"), here),
        (_("To stop it, open %(page)s and choose Pause or Turn off. What is bought already stays.",
           page=here), *agreed_words(notice.agreed)),
    )  # fmt: skip


def _paused(notice: RechargePaused) -> Draft:
    way = (_("Add another card"), page("payment_methods.index"))
    if notice.asks:
        said = _("Your bank wants to check that it is you, and nobody was there. Nothing was"
                 " charged.")  # fmt: skip
    elif notice.reason is None:
        said = _("There is no card to charge.")
    else:
        said = decline_words(Declined(notice.reason, may_retry=False))
    if notice.purchase_id is not None:
        way = (_("Pay for it now"), page("purchases.show", purchase_id=notice.purchase_id))
    return Draft(
        _("Auto-recharge for %(feature)s is paused", feature=notice.feature),
        (_("%(pack)s was to be bought by itself.", pack=notice.pack), said,
         _("It goes on by itself once you add another card or choose another default card; or let"
           " it go on here: %(page)s", page=page("recharge.index"))),
        ((_("Amount"), money(notice.amount)),),
        way,
    )  # fmt: skip


def _limited(notice: RechargeLimited) -> Draft:
    said = _("%(pack)s was not bought, since it would pass the monthly maximum that you set for"
             " auto-recharge.", pack=notice.pack)  # fmt: skip
    if notice.ceiling:
        said = _("%(pack)s was not bought, since it would pass your monthly ceiling.",
                 pack=notice.pack)  # fmt: skip
    return Draft(
        _("Auto-recharge for %(feature)s has reached its limit", feature=notice.feature),
        (said, _("The next month begins on %(date)s. If you need more before then, raise the limit"
                 " or buy a pack yourself.", date=date(notice.until))),
        ((_("Amount"), money(notice.amount)), (_("Limit"), money(notice.limit))),
        (_("See auto-recharge"), page("recharge.index")),
    )  # fmt: skip


def _short(notice: RechargeShort) -> Draft:
    return Draft(
        _("Even the largest pack leaves little: %(feature)s", feature=notice.feature),
        (_("%(pack)s is the largest there is, and leaves less than your threshold of %(units)s."
           " Another is bought after the pause between two, up to the monthly maximum.",
           pack=notice.pack, units=number(notice.threshold)),
         _("A larger plan may cost you less.")),
        (),
        (_("See plans"), page("plans.index")),
    )  # fmt: skip


def _changed(notice: RechargeChanged) -> Draft:
    said, facts = _("%(pack)s, which you agreed to, is not sold to you any more.",
                    pack=notice.pack), []  # fmt: skip
    if notice.amount is not None:
        said = _("%(pack)s costs more than you agreed to.", pack=notice.pack)
        facts = [(_("Price now"), money(notice.amount))]
        if notice.agreed is not None:
            facts = [(_("Agreed to"), money(notice.agreed)), *facts]
    return Draft(
        _("Auto-recharge for %(feature)s is paused", feature=notice.feature),
        (said, _("Nothing was bought, and nothing is until you agree anew.")),
        tuple(facts),
        (_("See auto-recharge"), page("recharge.index")),
    )
