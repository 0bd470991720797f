"""What mails say when something ends: an add-on, the plan, a contract, an unpaid purchase."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.ending_notices import (
    AddOnCancelled,
    ContractWithdrawn,
    PlanCancelled,
    PlanEnded,
    PurchaseLapsed,
)
from portal.domain.money import Money
from portal.web.coming_letters import price
from portal.web.drafts import Draft, counted, page
from portal.web.language import date, date_time, money


def of_ending(
    notice: AddOnCancelled | PlanCancelled | PlanEnded | PurchaseLapsed | ContractWithdrawn,
) -> Draft:
    match notice:
        case AddOnCancelled():
            return _cancelled(notice)
        case PlanCancelled():
            return _plan_cancelled(notice)
        case PlanEnded():
            return _plan_ended(notice)
        case PurchaseLapsed():
            return _lapsed(notice)
        case ContractWithdrawn():
            return _withdrawn(notice)


def _cancelled(notice: AddOnCancelled) -> Draft:
    return Draft(
        _("You cancelled %(what)s", what=notice.name),
        (_("%(what)s stays as it is until %(date)s and is not charged again.",
           what=counted(notice.name, notice.quantity), date=date(notice.ends_at)),
         *((_("What is used until then is billed afterwards."),) if notice.bills_use else ()),
         _keeping_add_on(notice)),
        (),
        (_("See your add-ons"), page("active.index", _anchor=f"instance-{notice.instance_id}")),
    )  # fmt: skip


def _keeping_add_on(notice: AddOnCancelled) -> str:
    each = notice.renewing
    if each is None:
        return _("Until then you can keep it; that costs nothing.")
    return _("Until then you can keep it; that costs nothing now. It then renews on %(date)s for"
             " %(amount)s, all taxes included.",
             date=date(each.at), amount=price(each))  # fmt: skip


def _plan_cancelled(notice: PlanCancelled) -> Draft:
    said = [_("You cancelled %(plan)s on %(at)s. It works as it does now until %(end)s, and is not"
              " renewed. What is paid is not refunded.", plan=notice.plan,
              at=date_time(notice.cancelled_at), end=date_time(notice.ends_at))]  # fmt: skip
    if notice.add_ons:
        said.append(_("It ends with its add-ons: %(what)s.", what=", ".join(notice.add_ons)))
    if notice.withdrawn is not None:
        said.append(_("The agreed change to %(plan)s is withdrawn.", plan=notice.withdrawn))
    said.append(_keeping_plan(notice))
    plans = (_("See your plan"), page("plans.index"))
    return Draft(_("You cancelled your plan"), tuple(said), (), plans)


def _keeping_plan(notice: PlanCancelled) -> str:
    at, each = date_time(notice.keep_until), notice.renewing
    if each is None:
        return _("Until %(at)s you can keep the plan; that costs nothing. Your invoices stay.",
                 at=at)  # fmt: skip
    said = _("Until %(at)s you can keep the plan; that costs nothing now. It then renews on"
             " %(date)s for %(amount)s, all taxes included.",
             at=at, date=date(each.at), amount=price(each))  # fmt: skip
    with_it = _("Its add-ons go on with it and are charged as before.") if notice.add_ons else ""
    return " ".join(filter(None, (said, with_it, _("Your invoices stay."))))


def _plan_ended(notice: PlanEnded) -> Draft:
    said = [_("%(plan)s and its add-ons ended on %(at)s, as agreed. Nothing renews any more, and"
              " your invoices stay.", plan=notice.plan, at=date_time(notice.at))]  # fmt: skip
    again = _("You can start again at any time: %(page)s", page=page("plans.index"))
    return Draft(
        _("Your plan has ended"),
        (*said, *_still_open(notice.owed), again),
        _open(notice.owed),
        (_("See your invoices"), page("invoices.index")),
    )


def _still_open(owed: Money | None) -> tuple[str, ...]:
    """The sentence about invoices that a plan leaves behind."""
    if not owed:
        return ()
    said = _("Something is still open. It is not charged by itself any more; please pay it under"
             " Invoices.")  # fmt: skip
    return (said,)


def _open(owed: Money | None) -> tuple[tuple[str, str], ...]:
    return ((_("Open"), money(owed)),) if owed else ()


def _lapsed(notice: PurchaseLapsed) -> Draft:
    again = (_("See plans"), page("plans.index"))
    if notice.add_on is not None:
        again = (_("Start again"), page("addons.preview", lookup_key=notice.add_on))
    return Draft(
        _("%(what)s was not bought", what=notice.name),
        (_("It was not paid in time, so nothing was charged and nothing was added or changed."),
         _("If you still want it, start again; you see today's price first.")),
        ((_("Amount"), money(notice.amount)),),
        again,
    )  # fmt: skip


def _withdrawn(notice: ContractWithdrawn) -> Draft:
    what = counted(notice.name, notice.quantity)
    said = [_("We have your withdrawal from the contract about %(what)s: declared by %(person)s on"
              " %(at)s. It ended then.", what=what, person=notice.person or _("a member"),
              at=date_time(notice.at))]  # fmt: skip
    if notice.add_ons:
        said.append(_("It ended with its add-ons: %(what)s.", what=", ".join(notice.add_ons)))
    if notice.waived:
        said.append(_("Use beyond the allowance that is not billed yet, %(waived)s, is not"
                      " charged.", waived=money(notice.waived)))  # fmt: skip
    if notice.to_card:
        said.append(_("What goes to your card is on its way; banks take 5 to 10 days to show it."))
    if notice.to_balance:
        said.append(_("What no card paid is on your account balance."))
    return Draft(
        _("You withdrew from the contract about %(what)s", what=what),
        (*said, *_still_open(notice.owed)),
        (*_given_back(notice), *_open(notice.owed)),
        (_("See your invoices"), page("invoices.index")),
    )


def _given_back(notice: ContractWithdrawn) -> tuple[tuple[str, str], ...]:
    parts = (
        (_("Off what was to pay"), notice.off_invoice),
        (_("To your card"), notice.to_card),
        (_("To your account balance"), notice.to_balance),
    )
    declared = (_("Declared"), date_time(notice.at)), (_("Given back"), money(notice.credited))
    return (*declared, *((label, money(amount)) for label, amount in parts if amount))
