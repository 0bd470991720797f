"""What mails say when the members of an account change."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.access import Role
from portal.domain.member_notices import MemberGone, MemberJoined, MemberNotice, RoleChanged
from portal.web.drafts import Draft, page
from portal.web.language import date_time
from portal.web.member_sentences import role_name, role_words


def of_members(notice: MemberNotice) -> Draft:
    match notice:
        case RoleChanged():
            return _role_changed(notice)
        case MemberGone():
            return _gone(notice)
        case MemberJoined():
            return _joined(notice)


def _role_changed(notice: RoleChanged) -> Draft:
    after, who, account = role_name(notice.after), notice.name, notice.account
    if notice.is_own:
        subject = _("Your role in %(account)s is now %(role)s", account=account, role=after)
        said = _("%(by)s changed what you may do in %(account)s.", by=notice.by, account=account)
    else:
        subject = _("%(who)s is now %(role)s in %(account)s", who=who, role=after, account=account)
        said = _("%(by)s changed what %(who)s may do in %(account)s.",
                 by=notice.by, who=who, account=account)  # fmt: skip
    before = (_("Before"), role_name(notice.before))
    return Draft(subject, (said,), (before, *_role(notice.after), _when(notice)), _see())


def _gone(notice: MemberGone) -> Draft:
    names = {"by": notice.by, "who": notice.name, "account": notice.account}
    if notice.is_own:
        return Draft(
            _("You are no member of %(account)s any more", account=notice.account),
            (_("%(by)s removed you. You are signed out of it; what else you belong to stays.",
               by=notice.by),
             _("If that is a mistake, ask an owner of %(account)s.", account=notice.account)),
            (_when(notice),),
            (_("See what else you belong to"), page("members.index")),
            was_member=True,
        )  # fmt: skip
    if not notice.by:
        said = _("%(who)s left %(account)s, and can no longer open it.", **names)
        return Draft(_("%(who)s left %(account)s", **names), (said,), (_when(notice),), _see())
    said = _("%(by)s removed %(who)s, who can no longer open %(account)s.", **names)
    subject = _("%(who)s is no member of %(account)s any more", **names)
    return Draft(subject, (said,), (_when(notice),), _see())


def _joined(notice: MemberJoined) -> Draft:
    names = {"who": notice.name, "account": notice.account}
    return Draft(
        _("%(who)s is a member of %(account)s now", **names),
        (_("%(who)s accepted an invitation to %(account)s.", **names),),
        ((_("E-mail"), notice.email), *_role(notice.role), _when(notice)),
        _see(),
        (_("If you do not know who that is, remove them on that page."),),
    )


def _role(role: Role) -> tuple[tuple[str, str], ...]:
    return ((_("Role"), role_name(role)), (_("What it allows"), role_words(role)))


def _when(notice: MemberNotice) -> tuple[str, str]:
    return _("When"), date_time(notice.at)


def _see() -> tuple[str, str]:
    return _("See the members"), page("members.index")
