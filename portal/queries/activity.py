"""Who did what to an account, when and from where: its events, newest first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session, aliased

from portal.domain.access import Scope
from portal.domain.activity import Kind, shown
from portal.domain.events import EventName
from portal.models.accounts import MembershipRow, PersonRow
from portal.models.events import EventRow
from portal.queries.activity_subjects import NOTHING, About, subjects_of

LONGEST_PAGE = 50
NOBODY = 0
"""As a person to look for: what no person did."""


@dataclass(frozen=True, slots=True)
class Filters:
    """None: not asked for. since, until: days of the account's zone, both included."""

    kind: Kind | None = None
    person: int | None = None
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Someone:
    id: int
    name: str
    email: str


@dataclass(frozen=True, slots=True)
class Act:
    """One event. doer: as recorded; who: the person, where it was one. behalf: the member through
    whose eyes. about: what its subject is now. plan: the name of the one that it tells of."""

    name: EventName
    at: datetime
    doer: str
    who: Someone | None
    behalf: Someone | None
    address: str
    subject: str
    about: About
    plan: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ActPage:
    """number: of the page, from 1; pages: how many there are; total: of acts on all of them."""

    acts: tuple[Act, ...]
    number: int
    pages: int
    total: int


def activity_page(
    session: Session, scope: Scope, account_id: int, zone: str, asked: Filters, number: int
) -> ActPage:
    """One page; the first one for a number that there is not."""
    wanted = _wanted(scope, account_id, zone, asked)
    total = session.scalar(select(func.count()).select_from(EventRow).where(*wanted)) or 0
    pages = max(-(-total // LONGEST_PAGE), 1)
    number = number if 1 <= number <= pages else 1
    limited = newest(wanted).limit(LONGEST_PAGE).offset((number - 1) * LONGEST_PAGE)
    rows = session.execute(limited).all()
    return ActPage(acts_of(session, scope, account_id, rows), number, pages, total)


def whole_activity(
    session: Session, scope: Scope, account_id: int, zone: str, asked: Filters
) -> tuple[Act, ...]:
    rows = session.execute(newest(_wanted(scope, account_id, zone, asked))).all()
    return acts_of(session, scope, account_id, rows)


def doers(session: Session, scope: Scope, account_id: int) -> tuple[Someone, ...]:
    """The account's members, and whoever else has done something here, by name."""
    acted = select(EventRow.person_id).where(
        EventRow.environment_id == scope.environment_id, EventRow.account_id == account_id
    )
    members = select(MembershipRow.person_id).where(
        MembershipRow.environment_id == scope.environment_id,
        MembershipRow.account_id == account_id,
    )
    row = PersonRow
    statement = (
        select(row)
        .where(
            row.environment_id == scope.environment_id,
            or_(row.id.in_(acted), row.id.in_(members)),
        )
        .order_by(func.lower(row.name), row.id)
    )
    return tuple(Someone(each.id, each.name, each.email) for each in session.scalars(statement))


def _wanted(
    scope: Scope, account_id: int, zone: str, asked: Filters
) -> tuple[ColumnElement[bool], ...]:
    row = EventRow
    wanted = [
        row.environment_id == scope.environment_id,
        row.account_id == account_id,
        row.name.in_(sorted(shown(asked.kind))),
    ]
    if asked.person is not None:
        mine = row.person_id.is_(None) if asked.person == NOBODY else row.person_id == asked.person
        wanted.append(mine)
    if asked.since is not None:
        wanted.append(row.at >= midnight(asked.since, zone))
    if asked.until is not None:
        wanted.append(row.at < midnight(asked.until + timedelta(days=1), zone))
    return tuple(wanted)


def midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def newest(wanted: tuple[ColumnElement[bool], ...]) -> Select[*tuple[Any, ...]]:
    """Columns, and not the mapper's rows: a file may have very many."""
    who, behalf = aliased(PersonRow), aliased(PersonRow)
    told = (EventRow.name, EventRow.at, EventRow.actor, EventRow.address, EventRow.subject,
            EventRow.detail)  # fmt: skip
    return (
        select(*told, *_columns(who, "who"), *_columns(behalf, "behalf"))
        .outerjoin(who, _is(who, EventRow.person_id))
        .outerjoin(behalf, _is(behalf, EventRow.behalf_of_id))
        .where(*wanted)
        .order_by(EventRow.at.desc(), EventRow.id.desc())
    )


def _columns(person: Any, prefix: str) -> tuple[ColumnElement[Any], ...]:
    return (
        person.id.label(f"{prefix}_id"),
        person.name.label(f"{prefix}_name"),
        person.email.label(f"{prefix}_email"),
    )


def _is(person: Any, id_: Any) -> ColumnElement[bool]:
    found: ColumnElement[bool] = (person.environment_id == EventRow.environment_id) & (
        person.id == id_
    )
    return found


def acts_of(
    session: Session, scope: Scope, account_id: int | None, rows: Sequence[Any]
) -> tuple[Act, ...]:
    """From rows of `newest`. account_id: None for those of any account."""
    named = {subject for row in rows for subject in (row.subject, _plan_of(row))}
    about = subjects_of(session, scope, account_id, named)
    return tuple(
        Act(
            name=EventName(row.name),
            at=row.at.astimezone(UTC),
            doer=row.actor,
            who=_someone(row.who_id, row.who_name, row.who_email),
            behalf=_someone(row.behalf_id, row.behalf_name, row.behalf_email),
            address=row.address,
            subject=row.subject,
            about=about.get(row.subject, NOTHING),
            plan=about.get(_plan_of(row), NOTHING).name,
            detail=row.detail,
        )
        for row in rows
    )


def _plan_of(row: Any) -> str:
    """The plan that an event's detail names, as a subject."""
    key, id_ = row.detail.get("plan", ""), row.detail.get("plan_id", "")
    return f"plan_key:{key}" if key else f"plan:{id_}"


def _someone(id_: int | None, name: str, email: str) -> Someone | None:
    return None if id_ is None else Someone(id_, name, email)
