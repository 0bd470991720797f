"""What the page of activity says of members and invitations."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.access import Role
from portal.domain.events import EventName
from portal.queries.activity import Act
from portal.web.member_sentences import role_name
from portal.web.support import shown_email


def member_words(act: Act) -> str:
    """Raises KeyError for an event of another kind."""
    who, to = act.about.name or _("A member"), shown_email(act.detail.get("email", ""))
    match act.name:
        case EventName.INVITATION_SENT:
            return _("An invitation to %(to)s was mailed, as %(role)s", to=to,
                     role=_role(act, "role"))  # fmt: skip
        case EventName.INVITATION_SENT_AGAIN:
            return _("The invitation to %(to)s was mailed again", to=to)
        case EventName.INVITATION_WITHDRAWN:
            return _("The invitation to %(to)s was withdrawn", to=to)
        case EventName.MEMBER_JOINED:
            return _("%(who)s became a member, as %(role)s", who=who, role=_role(act, "role"))
        case EventName.MEMBER_ROLE_CHANGED:
            return _("%(who)s: the role was changed from %(before)s to %(after)s", who=who,
                     before=_role(act, "before"), after=_role(act, "after"))  # fmt: skip
        case EventName.MEMBER_REMOVED:
            return _("%(who)s was removed from the members", who=who)
        case EventName.MEMBER_LEFT:
            return _("%(who)s left the account", who=who)
        case _:
            raise KeyError(act.name)


def _role(act: Act, name: str) -> str:
    return role_name(Role(act.detail[name]))
