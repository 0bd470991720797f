"""What mails say when something is given back, or taken away with its credit."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.credit_notes import Cause
from portal.domain.credit_notices import AddOnEnded, Credited
from portal.queries.credit_notes import number_in_words
from portal.web.credit_papers import cause_words, parts_words
from portal.web.drafts import Draft, add_ons, counted, page
from portal.web.language import date, money


def of_credit(notice: Credited | AddOnEnded) -> Draft:
    match notice:
        case Credited():
            return _credited(notice)
        case AddOnEnded():
            return _ended(notice)


def _credited(notice: Credited) -> Draft:
    number = number_in_words(notice.note.number)
    said = [_("Invoice %(number)s was corrected: %(amount)s is credited to you.",
              number=f"{notice.invoice_number:06d}", amount=money(notice.amount))]  # fmt: skip
    if why := cause_words(notice):
        said.append(f"{why}." if notice.cause is not Cause.CORRECTED else why)
    if notice.to_card:
        said.append(_("What goes to your card is on its way; banks take 5 to 10 days to show it."))
    if notice.to_balance:
        said.append(_("What is on your account balance pays your next charges."))
    return Draft(
        _("We credited %(amount)s to you", amount=money(notice.amount)),
        tuple(said),
        ((_("For"), ", ".join(dict.fromkeys(notice.names))),
         *((label, money(amount)) for label, amount in parts_words(notice))),
        (_("See credit note %(number)s", number=number),
         page("credit_notes.show", number=notice.note.number)),
    )  # fmt: skip


def _ended(notice: AddOnEnded) -> Draft:
    what = counted(notice.name, notice.quantity)
    said = [_("%(what)s was taken off your plan on %(date)s and is not charged again.",
              what=what, date=date(notice.ended_at))]  # fmt: skip
    if notice.reason:
        said.append(notice.reason)
    if notice.credited:
        said.append(_("%(amount)s for what is unused is credited to you.",
                      amount=money(notice.credited)))  # fmt: skip
    return Draft(_("%(what)s has ended", what=what), tuple(said), (), add_ons())
