"""What the staff's page of activity says beyond what members read: the tenant's own, and who."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.access import StaffRole
from portal.domain.activity import kind_of
from portal.domain.events import EventName
from portal.queries.activity import Act
from portal.queries.tenant_activity import TenantAct
from portal.web.activity_sentences import act_words, doer_words


def tenant_words(act: Act) -> str:
    """The sentence of an event of an account, or of the tenant's own."""
    if kind_of(act.name) is not None:
        return act_words(act)
    name = act.detail.get("name", "") or act.subject.partition(":")[2]
    said: dict[EventName, str] = {
        EventName.CATALOG_APPLIED: _("The catalog was applied"),
        EventName.KEY_CREATED: _made_words(act, name),
        EventName.KEY_ROTATED: _("The API key %(name)s was rotated: %(new)s replaces it", name=name,
                                 new=act.detail.get("new", "")),
        EventName.KEY_REVOKED: _("The API key %(name)s was revoked", name=name),
        EventName.WEBHOOK_ADDED: _("Endpoint %(name)s was added", name=name),
        EventName.WEBHOOK_CHANGED: _("Endpoint %(name)s was changed", name=name),
        EventName.WEBHOOK_REPLAYED: _("Messages to endpoint %(name)s went once more", name=name),
        EventName.STAFF_ADDED: _("%(name)s was added to the staff", name=name),
        EventName.STAFF_ROLE_CHANGED: _role_words(act.detail.get("role", ""), name),
        EventName.STAFF_ENDED: _("Staff number %(name)s was ended", name=name),
        EventName.STAFF_RESET: _("Staff number %(name)s got a new link to set up", name=name),
        EventName.STAFF_SET_UP: _("Both steps of the staff sign-in were set up"),
        EventName.STAFF_IDENTITY_LINKED: _("An identity provider was linked to a staff sign-in"),
        EventName.STAFF_IDENTITY_USED: _("Came from the identity provider, as staff"),
        EventName.STAFF_ACTIVITY_READ: _("Read the activity of all accounts"),
        EventName.STAFF_ACTIVITY_EXPORTED: _("Downloaded the activity of all accounts"),
    }  # fmt: skip
    return said[act.name]


def _made_words(act: Act, name: str) -> str:
    """With the key's prefix, by which accounts' own activity names it."""
    prefix = act.subject.partition(":")[2]
    if act.detail.get("opens_sessions"):
        return _("The API key %(name)s (%(prefix)s) was made, which signs members in", name=name,
                 prefix=prefix)  # fmt: skip
    return _("The API key %(name)s (%(prefix)s) was made", name=name, prefix=prefix)


def _role_words(role: str, name: str) -> str:
    if role == StaffRole.ADMIN:
        return _("%(name)s became an administrator of the staff", name=name)
    return _("%(name)s became support staff", name=name)


def tenant_doer_words(each: TenantAct) -> str:
    by = each.act.doer.partition(":")[0]
    if by == "staff":
        return _("%(name)s, staff", name=each.act.detail.get("staff") or each.staff_name)
    said = {"cli": _("Command line"), "key": _("Host application")}
    return said.get(by) or doer_words(each.act)
