"""Who of the staff looked at accounts how often, when, and what was refused to them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.domain.support import is_out_of_hours
from portal.models.events import EventRow
from portal.models.support import SupportSessionRow
from portal.queries.support import PastView, past_view, past_views

MOST_VIEWS = 500


@dataclass(frozen=True, slots=True)
class Reported:
    """A view, with how many tries to write it refused."""

    view: PastView
    refused: int
    out_of_hours: bool


@dataclass(frozen=True, slots=True)
class Agent:
    """What one of the staff did, in views and tries."""

    name: str
    views: int
    out_of_hours: int
    refused: int


def reported_views(
    session: Session, scope: Scope, since: datetime, staff_id: int | None, *, only_odd: bool
) -> tuple[Reported, ...]:
    """The last 500 since then, newest first. only_odd: out of hours, or with something refused."""
    wanted = past_views(scope).where(SupportSessionRow.started_at >= since)
    if staff_id is not None:
        wanted = wanted.where(SupportSessionRow.staff_id == staff_id)
    views = [past_view(row) for row in session.execute(wanted.limit(MOST_VIEWS))]
    refused = _refused(session, scope, since)
    found = [
        Reported(each, refused[each.id], is_out_of_hours(each.started_at.astimezone(UTC)))
        for each in views
    ]
    return tuple(each for each in found if not only_odd or each.out_of_hours or each.refused)


def agents(found: tuple[Reported, ...]) -> tuple[Agent, ...]:
    """By name."""
    names = {each.view.staff_id: each.view.staff_name for each in found}
    mine = {id_: [each for each in found if each.view.staff_id == id_] for id_ in names}
    summed = [
        Agent(
            names[id_],
            len(views),
            sum(each.out_of_hours for each in views),
            sum(each.refused for each in views),
        )
        for id_, views in mine.items()
    ]
    return tuple(sorted(summed, key=lambda each: each.name.lower()))


def _refused(session: Session, scope: Scope, since: datetime) -> Counter[int]:
    """By view."""
    rows = session.execute(
        select(EventRow.subject, func.count())
        .where(
            EventRow.environment_id == scope.environment_id,
            EventRow.name == EventName.SUPPORT_WRITE_REFUSED,
            EventRow.at >= since,
        )
        .group_by(EventRow.subject)
    )
    return Counter({int(subject.partition(":")[2]): count for subject, count in rows})
