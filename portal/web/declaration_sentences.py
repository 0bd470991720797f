"""What the page of activity says of cancellations that were declared without signing in."""

from __future__ import annotations

from flask_babel import gettext as _

from portal.domain.declarations import Answer
from portal.domain.events import EventName
from portal.queries.activity import Act
from portal.web.language import number


def declaration_words(act: Act) -> str:
    """Raises KeyError for an event of another kind."""
    id_ = act.subject.partition(":")[2]
    shown, what = number(int(id_)), act.detail.get("contract", "")
    match act.name:
        case EventName.DECLARATION_RECEIVED:
            return _("Cancellation %(number)s was declared without signing in", number=shown)
        case EventName.DECLARATION_MATCHED:
            return _("Cancellation %(number)s, of %(what)s, was declared without signing in, with"
                     " an owner's e-mail address", number=shown, what=what)  # fmt: skip
        case EventName.DECLARATION_ANSWERED:
            return _answered(Answer(act.detail["answer"]), shown, what)
        case _:
            raise KeyError(act.name)


def _answered(answer: Answer, shown: str, what: str) -> str:
    said: dict[Answer, str] = {
        Answer.CARRIED_OUT: _("Cancellation %(number)s, of %(what)s, was carried out",
                              number=shown, what=what),
        Answer.DONE: _("Cancellation %(number)s, of %(what)s, was done by other means",
                       number=shown, what=what),
        Answer.NOT_OURS: _("Cancellation %(number)s, of %(what)s, was found to be none of ours",
                           number=shown, what=what),
    }  # fmt: skip
    return said[answer]
