"""What the page of activity says of signing in, and of what protects it."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.events import EventName
from portal.queries.activity import Act


def sign_in_words(act: Act) -> str:
    """Raises KeyError for an event of another kind."""
    who = act.about.name or _("a member")
    said: dict[EventName, str] = {
        EventName.SESSION_STARTED: _("Signed in"),
        EventName.SESSION_ENDED: _("Signed out"),
        EventName.SESSION_REVOKED: _("A session was ended from another"),
        EventName.SESSION_MOVED: _("Came over from another account"),
        EventName.SIGN_IN_FAILED: _("A sign-in as %(who)s failed", who=who),
        EventName.CODE_ASKED: _("%(who)s was asked for a code", who=who),
        EventName.LINK_MADE: _made_words(act, who),
        EventName.LINK_USED: _used_words(act, who),
        EventName.PASSWORD_FORGOTTEN: _("A link to reset %(who)s's password was mailed", who=who),
        EventName.PASSWORD_RESET: _("A new password was set by a mailed link"),
        EventName.PASSWORD_CHANGED: _("The password was changed"),
        EventName.SECOND_FACTOR_ON: _("Two-step sign-in was turned on"),
        EventName.SECOND_FACTOR_OFF: _("Two-step sign-in was turned off"),
        EventName.RECOVERY_CODES_MADE: _("New recovery codes were made"),
        EventName.RECOVERY_CODE_USED: _("A recovery code was used"),
        EventName.IDENTITY_LINKED: _("An identity provider was linked to the sign-in"),
        EventName.IDENTITY_UNLINKED: _("An identity provider was unlinked from the sign-in"),
        EventName.IDENTITY_USED: _("%(who)s came from the identity provider", who=who),
        EventName.PROOF_FAILED: _("A change of what protects the sign-in was refused"),
    }
    return said[act.name]


def _made_words(act: Act, who: str) -> str:
    if key := _key_words(act):
        return _("A sign-in link for %(who)s was made with the API key %(key)s", who=who, key=key)
    return _("A sign-in link for %(who)s was made", who=who)


def _used_words(act: Act, who: str) -> str:
    if key := _key_words(act):
        return _("%(who)s came by a sign-in link of the API key %(key)s", who=who, key=key)
    return _("%(who)s came by a sign-in link", who=who)


def _key_words(act: Act) -> str:
    """Name and prefix of the host application's key; empty where none was noted."""
    name, prefix = act.detail.get("key_name", ""), act.detail.get("key", "")
    return f"{name} ({prefix})" if prefix else ""
