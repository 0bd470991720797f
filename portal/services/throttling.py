"""Counts tries in the database, where all processes see them, and pauses who tries too often."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.domain.throttle import NONE, Count, Rule, counted, forgotten_at, wait
from portal.models.sign_in import TryCountRow


@dataclass(frozen=True, slots=True)
class Watched:
    """One thing whose tries are counted. subject: a digest, which tells nobody what it is."""

    rule: Rule
    subject: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """A try that may be judged: what it counted, with each count before and after it."""

    counts: tuple[tuple[Watched, Count, Count], ...]


@dataclass(frozen=True, slots=True)
class Paused:
    """A try that came too soon: nothing was judged, nothing counted."""

    wait: timedelta


@dataclass(frozen=True, slots=True)
class Refused:
    """A wrong answer."""


def watched(rule: Rule, *parts: str) -> Watched:
    said = "\0".join((rule.name, *parts))
    return Watched(rule, hashlib.sha256(said.encode()).hexdigest())


def admit(
    session: Session, scope: Scope, things: Iterable[Watched], wall: WallNow
) -> Admitted | Paused:
    """Count a try before it is judged, so that many at once are not judged together; commit."""
    by_subject = {thing.subject: thing for thing in things}
    rows = _locked(session, scope, by_subject, wall)
    before = {row.subject: Count(row.tries, row.since_at, row.paused_until) for row in rows}
    longest = max(wait(count, wall) for count in before.values())
    if longest > NONE:
        session.rollback()
        return Paused(longest)
    counts = []
    for row in rows:
        thing = by_subject[row.subject]
        after = counted(thing.rule, before[row.subject], wall)
        _write(row, thing.rule, after)
        counts.append((thing, before[row.subject], after))
    session.commit()
    return Admitted(tuple(counts))


def forgive(session: Session, scope: Scope, admitted: Admitted) -> None:
    """After a right answer: what is one person's own starts anew, a shared count loses the try."""
    for thing, before, after in admitted.counts:
        mine = (
            TryCountRow.environment_id == scope.environment_id,
            TryCountRow.subject == thing.subject,
        )
        if not thing.rule.shared:
            session.execute(delete(TryCountRow).where(*mine))
            continue
        alone = (TryCountRow.tries == after.tries, TryCountRow.since_at == after.since_at)
        undone = update(TryCountRow).where(*mine, *alone).values(_values(thing.rule, before))
        if not session.scalars(undone.returning(TryCountRow.id)).all():
            one_less = {TryCountRow.tries: func.greatest(TryCountRow.tries - 1, 0)}
            session.execute(update(TryCountRow).where(*mine).values(one_less))


def _locked(
    session: Session, scope: Scope, subjects: Iterable[str], wall: WallNow
) -> list[TryCountRow]:
    """A row for each, made where it is missing, locked in one order.

    In one statement: between two, somebody's right answer could delete what the first has found.
    """
    mine = sorted(subjects)
    fresh = {"tries": 0, "since_at": wall, "paused_until": wall, "forget_at": wall}
    made = [{"environment_id": scope.environment_id, "subject": each} | fresh for each in mine]
    new = insert(TryCountRow).values(made)
    locked = new.on_conflict_do_update(
        index_elements=["environment_id", "subject"], set_={"subject": new.excluded.subject}
    )
    found = session.scalars(
        locked.returning(TryCountRow), execution_options={"populate_existing": True}
    )
    return sorted(found, key=lambda row: row.subject)


def _write(row: TryCountRow, rule: Rule, count: Count) -> None:
    for name, value in _values(rule, count).items():
        setattr(row, name, value)


def _values(rule: Rule, count: Count) -> dict[str, object]:
    return {
        "tries": count.tries,
        "since_at": count.since_at,
        "paused_until": count.paused_until,
        "forget_at": forgotten_at(rule, count),
    }
