"""What mails say of staff who look at an account, ask to, or propose something; to staff too."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.proposals import Proposed
from portal.domain.support_notices import (
    AccessAnswered,
    ApprovalAnswered,
    ApprovalAsked,
    SupportAsked,
    SupportNotice,
    SupportStarted,
)
from portal.web.drafts import Draft, page
from portal.web.language import date_time
from portal.web.proposal_sentences import of_proposal


def of_support(notice: SupportNotice | Proposed) -> Draft:
    match notice:
        case Proposed():
            return of_proposal(notice)
        case SupportStarted():
            return _started(notice)
        case SupportAsked():
            return _asked(notice)
        case ApprovalAsked():
            return _approval_asked(notice)
        case ApprovalAnswered():
            return _approval_answered(notice)
        case AccessAnswered():
            return _access_answered(notice)


def _started(notice: SupportStarted) -> Draft:
    approved = (_("No owner had let our staff look: %(staff)s, also of our staff, approved it.",
                  staff=notice.approved_by),) if notice.approved_by else ()  # fmt: skip
    return Draft(
        _("Our staff are looking at your account"),
        (_("%(staff)s of our staff looks at your billing pages as %(member)s sees them. Nothing can"
           " be changed, bought or downloaded that way, and it ends by %(at)s.",
           staff=notice.staff, member=notice.member, at=date_time(notice.expires_at)), *approved),
        ((_("Reason"), notice.reason), (_("Ticket"), notice.ticket),
         (_("Since"), date_time(notice.started_at))),
        (_("See what they open"), page("activity.index", kind="support")),
        (_("If you know of no such reason, write to us."),),
    )  # fmt: skip


def _asked(notice: SupportAsked) -> Draft:
    return Draft(
        _("Our staff ask to look at your account"),
        (_("%(staff)s of our staff asks to look at your billing pages, for a day at most. Nothing"
           " can be changed, bought or downloaded that way. You decide.", staff=notice.staff),),
        ((_("Reason"), notice.reason), (_("Ticket"), notice.ticket)),
        (_("Allow or refuse"), page("support_access.index")),
        (_("If you do nothing, nobody looks, and after a week it is over."),),
    )  # fmt: skip


def _approval_asked(notice: ApprovalAsked) -> Draft:
    return Draft(
        _("%(staff)s asks to look at %(account)s", staff=notice.staff, account=notice.account),
        (_("No owner of %(account)s lets staff look now, so a second member of staff has to approve"
           " what %(staff)s wants, or refuse it.", account=notice.account, staff=notice.staff),),
        ((_("Reason"), notice.reason), (_("Ticket"), notice.ticket),
         (_("Waits until"), date_time(notice.expires_at))),
        (_("Approve or refuse"), page("approvals.index")),
        (_("If nobody answers, nobody looks. The first answer counts."),),
        to_staff=True,
    )  # fmt: skip


def _approval_answered(notice: ApprovalAnswered) -> Draft:
    named = {"staff": notice.staff, "account": notice.account}
    subject = _("%(staff)s refused to let you look at %(account)s", **named)
    said = _("Nobody looks. You may ask again, for a better reason.")
    if notice.is_approved:
        subject = _("%(staff)s approved that you look at %(account)s", **named)
        said = _("Begin by %(at)s, once. The owners get a mail then, with both names.",
                 at=date_time(notice.expires_at))  # fmt: skip
    account = (_("Open the account"), page("accounts.show", account_id=notice.account_id))
    facts = ((_("Account"), notice.account), (_("Ticket"), notice.ticket))
    return Draft(subject, (said,), facts, account, to_staff=True)


def _access_answered(notice: AccessAnswered) -> Draft:
    subject = _("The owners of %(account)s refused to let you look", account=notice.account)
    said = _("Nobody looks. You may ask again, for a better reason.")
    if notice.ends_at is not None:
        subject = _("The owners of %(account)s let you look", account=notice.account)
        said = _("Staff may look until %(at)s, unless an owner closes it before.",
                 at=date_time(notice.ends_at))  # fmt: skip
    account = (_("Open the account"), page("accounts.show", account_id=notice.account_id))
    facts = ((_("Account"), notice.account), (_("Ticket"), notice.ticket))
    return Draft(subject, (said,), facts, account, to_staff=True)
