"""Says, before somebody pays, that a purchase would pass the account's monthly ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from portal.domain.lines import QuoteLine
from portal.domain.spending import Mode, spent_by
from portal.queries.spending import ceiling_of
from portal.web.language import money
from portal.web.requests import database, member, state


@dataclass(frozen=True, slots=True)
class CeilingNote:
    """stops: it would not be charged at all, so it cannot be pressed either."""

    words: str
    stops: bool


def ceiling_note(lines: Sequence[QuoteLine]) -> CeilingNote | None:
    """None where it passes none."""
    ceiling = ceiling_of(database(), member().actor.environment_id, state())
    passed = ceiling.passed_by(spent_by(lines, state().account.currency))
    if passed is None:
        return None
    facts = {"ceiling": money(passed.ceiling), "left": money(passed.left)}
    if ceiling.mode is Mode.WARN:
        said = _("This passes your monthly ceiling of %(ceiling)s, of which %(left)s is left. It"
                 " can be bought all the same.", **facts)  # fmt: skip
        return CeilingNote(said, stops=False)
    said = _("This would pass your monthly ceiling of %(ceiling)s, of which %(left)s is left, and"
             " will not be charged.", **facts)  # fmt: skip
    return CeilingNote(said, stops=True)
