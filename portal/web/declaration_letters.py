"""What mails say of a cancellation that was declared without signing in."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.declaration_notices import (
    DeclarationAnswered,
    DeclarationMatched,
    DeclarationNotice,
    DeclarationReceived,
    DeclarationWaits,
)
from portal.domain.declarations import Answer
from portal.web.declaration_words import declared_facts
from portal.web.drafts import Draft, page
from portal.web.language import date_time


def of_declaration(notice: DeclarationNotice) -> Draft:
    match notice:
        case DeclarationReceived():
            return _received(notice)
        case DeclarationMatched():
            return _matched(notice)
        case DeclarationAnswered():
            return _answered(notice)
        case DeclarationWaits():
            return _waits(notice)


def _received(notice: DeclarationReceived) -> Draft:
    at = date_time(notice.declared.received_at)
    return Draft(
        _("We received your cancellation"),
        (_("We received this cancellation on %(at)s. We look at it and write to you about the end"
           " of the contract.", at=at),),
        declared_facts(notice.declared),
        _plan(),
        (_("If it was not you, write to us."),),
        was_typed=True,
    )  # fmt: skip


def _matched(notice: DeclarationMatched) -> Draft:
    return Draft(
        _("A cancellation was declared for %(account)s", account=notice.account),
        (_("Somebody declared this cancellation on our page that asks for no sign-in, with the"
           " e-mail address of an owner of %(account)s. Our staff look at it; nothing has ended"
           " yet.", account=notice.account),),
        declared_facts(notice.declared),
        (_("Cancel the plan yourself"), page("plans.cancel")),
        (_("You need not wait for us: you can cancel the plan there, and an add-on among your"
           " active ones: %(page)s", page=page("active.index")),
         _("If it was none of you, write to us at once.")),
    )  # fmt: skip


def _answered(notice: DeclarationAnswered) -> Draft:
    declared = notice.declared
    received = _("You declared this on %(at)s.", at=date_time(declared.received_at))
    note = (notice.said,) if notice.said else ()
    match notice.answer:
        case Answer.CARRIED_OUT:
            at = date_time(notice.ends_at or declared.received_at)
            subject = _("Cancelled: %(what)s", what=notice.contract)
            said = _("%(what)s ends on %(at)s, as you declared. Until then it works as it does"
                     " now.", what=notice.contract, at=at)  # fmt: skip
        case Answer.DONE:
            subject = _("Your cancellation is dealt with")
            said = _("Your cancellation is dealt with. This is how:")
        case Answer.NOT_OURS:
            subject = _("We could not carry out your cancellation")
            said = _("We could not carry out your cancellation. This is why:")
    facts = declared_facts(declared)
    return Draft(subject, (said, *note, received), facts, _plan(), was_typed=True)


def _waits(notice: DeclarationWaits) -> Draft:
    account = notice.account or _("Not found by itself: look for it")
    return Draft(
        _("Cancellation %(number)s waits for an answer", number=notice.declaration_id),
        (_("It was declared without signing in. The law asks for an answer without delay."),),
        ((_("Contract"), notice.contract), (_("Account"), account)),
        (_("See the cancellation"), page("declared.show", declaration_id=notice.declaration_id)),
        to_staff=True,
    )  # fmt: skip


def _plan() -> tuple[str, str]:
    return _("See your plan"), page("plans.index")
