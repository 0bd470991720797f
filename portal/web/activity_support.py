"""What the page of activity says of support views."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.events import EventName
from portal.domain.support import EndCause
from portal.queries.activity import Act

_TOLD = ("page", "method", "reason", "ticket", "approved_by", "asked_by")


def support_words(act: Act) -> str:
    """Raises KeyError for an event of another kind."""
    told = {name: act.detail.get(name, "") for name in _TOLD}
    said: dict[EventName, str] = {
        EventName.SUPPORT_STARTED: _started_words(told),
        EventName.SUPPORT_PAGE_OPENED: _("Opened in a support view: %(page)s", **told),
        EventName.SUPPORT_WRITE_REFUSED: _(
            "Refused in a support view: %(method)s %(page)s", **told
        ),
        EventName.SUPPORT_ENDED: _(
            "The support view ended: %(why)s", why=end_words(act.detail.get("cause", ""))
        ),
        EventName.SUPPORT_ASKED: _("Asked to be let look: %(reason)s (ticket %(ticket)s)", **told),
        EventName.SUPPORT_ALLOWED: _("Our staff were allowed to look"),
        EventName.SUPPORT_DECLINED: _("Our staff were refused to look"),
        EventName.SUPPORT_CLOSED: _("Our staff may look no more"),
    }
    return said[act.name] if act.name in said else _approval_words(act.name, told)


def _started_words(told: dict[str, str]) -> str:
    if told["approved_by"]:
        return _("A support view began, approved by %(approved_by)s: %(reason)s (ticket"
                 " %(ticket)s)", **told)  # fmt: skip
    return _("A support view began: %(reason)s (ticket %(ticket)s)", **told)


def _approval_words(name: EventName, told: dict[str, str]) -> str:
    said: dict[EventName, str] = {
        EventName.SUPPORT_APPROVAL_ASKED: _(
            "Asked a second member of staff to approve a look: %(reason)s (ticket %(ticket)s)",
            **told,
        ),
        EventName.SUPPORT_APPROVED: _("Approved that %(asked_by)s looks, once", **told),
        EventName.SUPPORT_APPROVAL_REFUSED: _("Refused to let %(asked_by)s look", **told),
    }
    return said[name]


def end_words(cause: str) -> str:
    """Why a view is over; empty for one that is on."""
    said: dict[str, str] = {
        EndCause.LEFT: _("left by the staff"),
        EndCause.OVER: _("its time was over"),
        EndCause.IDLE: _("it was not used"),
        EndCause.SIGNED_OUT: _("the staff were signed out"),
        EndCause.MEMBER_GONE: _("the member was removed"),
        EndCause.CLOSED: _("an owner closed it"),
        EndCause.ANOTHER: _("the staff began another"),
        EndCause.STRICTER: _("views now need an approval that it had not"),
    }
    return said.get(cause, "")
