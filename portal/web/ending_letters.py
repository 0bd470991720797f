"""What mails say when something ends: the plan, a contract, a purchase that nobody paid."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.ending_notices import (
    ContractWithdrawn,
    PlanCancelled,
    PlanEnded,
    PurchaseLapsed,
)
from portal.domain.money import Money
from portal.web.drafts import Draft, counted, page
from portal.web.language import date_time, money


def of_ending(notice: PlanCancelled | PlanEnded | PurchaseLapsed | ContractWithdrawn) -> Draft:
    match notice:
        case PlanCancelled():
            return _plan_cancelled(notice)
        case PlanEnded():
            return _plan_ended(notice)
        case PurchaseLapsed():
            return _lapsed(notice)
        case ContractWithdrawn():
            return _withdrawn(notice)


def _plan_cancelled(notice: PlanCancelled) -> Draft:
    said = [_("You cancelled %(plan)s on %(at)s. It works as it does now until %(end)s, and is not"
              " renewed. What is paid is not refunded.", plan=notice.plan,
              at=date_time(notice.cancelled_at), end=date_time(notice.ends_at))]  # fmt: skip
    if notice.add_ons:
        said.append(_("It ends with its add-ons: %(what)s.", what=", ".join(notice.add_ons)))
    if notice.withdrawn is not None:
        said.append(_("The agreed change to %(plan)s is withdrawn.", plan=notice.withdrawn))
    said.append(_("Until %(at)s you can keep the plan; that costs nothing. Your invoices stay.",
                  at=date_time(notice.keep_until)))  # fmt: skip
    plans = (_("See your plan"), page("plans.index"))
    return Draft(_("You cancelled your plan"), tuple(said), (), plans)


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
