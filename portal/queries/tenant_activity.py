"""All events of an environment, as its staff read them: newest first, and bounded in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select, tuple_
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.activity import Kind, shown, tenants_own
from portal.domain.events import EventName
from portal.models.accounts import AccountRow
from portal.models.events import EventRow
from portal.models.staff import StaffRow
from portal.queries.activity import LONGEST_PAGE, Act, acts_of, midnight, newest

ZONE = "UTC"
MOST_ROWS = 20_000
"""Of one file."""


@dataclass(frozen=True, slots=True)
class TenantFilters:
    """since, until: days in UTC, both included; until is open where None.

    kind: None for all. own: what is the tenant's own, and of no kind. doer: as events have it, or
    what stands before its colon. account: its name, or its id in the host application.
    """

    since: date
    until: date | None = None
    kind: Kind | None = None
    own: bool = False
    doer: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the next one begins before it."""

    at: datetime
    id: int


@dataclass(frozen=True, slots=True)
class TenantAct:
    """account_id: None for what is the tenant's own. staff_name: of the doer, if one of them."""

    act: Act
    account_id: int | None
    account_name: str
    staff_name: str


@dataclass(frozen=True, slots=True)
class TenantPage:
    """older: where the next page begins; None on the last."""

    acts: tuple[TenantAct, ...]
    older: Place | None


def tenant_page(
    session: Session, scope: Scope, asked: TenantFilters, before: Place | None
) -> TenantPage:
    """50 events. One more is read, to know whether there are older ones."""
    rows = _found(session, scope, asked, before, LONGEST_PAGE + 1)
    shown_rows = rows[:LONGEST_PAGE]
    more = len(rows) > LONGEST_PAGE
    older = Place(shown_rows[-1].at, shown_rows[-1].event_id) if more else None
    return TenantPage(_tenant_acts(session, scope, shown_rows), older)


def tenant_file(session: Session, scope: Scope, asked: TenantFilters) -> tuple[TenantAct, ...]:
    """The newest 20,000."""
    rows = _found(session, scope, asked, None, MOST_ROWS)
    return _tenant_acts(session, scope, rows)


def _found(
    session: Session, scope: Scope, asked: TenantFilters, before: Place | None, most: int
) -> Sequence[Any]:
    wanted = _wanted(session, scope, asked)
    if before is not None:
        wanted += (tuple_(EventRow.at, EventRow.id) < tuple_(before.at, before.id),)
    mine = and_(
        AccountRow.environment_id == EventRow.environment_id, AccountRow.id == EventRow.account_id
    )
    statement = (
        newest(wanted)
        .add_columns(
            EventRow.id.label("event_id"), EventRow.account_id, AccountRow.name.label("account")
        )
        .outerjoin(AccountRow, mine)
        .limit(most)
    )
    return session.execute(statement).all()


def _wanted(
    session: Session, scope: Scope, asked: TenantFilters
) -> tuple[ColumnElement[bool], ...]:
    row = EventRow
    wanted = [row.environment_id == scope.environment_id, row.at >= midnight(asked.since, ZONE)]
    if asked.until is not None:
        wanted.append(row.at < midnight(asked.until + timedelta(days=1), ZONE))
    if asked.own or asked.kind is not None:
        names: frozenset[EventName] = tenants_own() if asked.own else shown(asked.kind)
        wanted.append(row.name.in_(sorted(names)))
    if asked.doer:
        wanted.append(_did(asked.doer))
    if asked.account:
        wanted.append(row.account_id.in_(_accounts(session, scope, asked.account)))
    return tuple(wanted)


def _did(doer: str) -> ColumnElement[bool]:
    """Of that name, or of one that begins with it and a colon: by bounds, byte for byte, which an
    index serves; from LIKE row security keeps it."""
    actor = EventRow.actor
    parts = and_(actor.op("~>=~")(f"{doer}:"), actor.op("~<~")(f"{doer};"))
    return or_(actor == doer, parts)


def _accounts(session: Session, scope: Scope, text: str) -> list[int]:
    """Ids, and no subquery: an index of events serves what a known few did."""
    row = AccountRow
    named = select(row.id).where(
        row.environment_id == scope.environment_id,
        or_(row.key == text, func.lower(row.name) == text.lower()),
    )
    return list(session.scalars(named))


def _tenant_acts(session: Session, scope: Scope, rows: Sequence[Any]) -> tuple[TenantAct, ...]:
    acts = acts_of(session, scope, None, rows)
    names = _staff_names(session, scope)
    return tuple(
        TenantAct(act, row.account_id, row.account or "", names.get(act.doer, ""))
        for act, row in zip(acts, rows, strict=True)
    )


def _staff_names(session: Session, scope: Scope) -> dict[str, str]:
    """Those who were ended too, as events name them."""
    mine = select(StaffRow).where(StaffRow.environment_id == scope.environment_id)
    return {f"staff:{row.id}": row.name for row in session.scalars(mine)}
