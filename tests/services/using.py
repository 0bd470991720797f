"""Use, for tests: events, the reports they are sent in, and what became of lots and meters."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from itertools import count as numbers

from sqlalchemy import Update, select, update

from portal.domain.access import Actor
from portal.domain.grants import LotSource
from portal.domain.usage import Usage, Verdict
from portal.models.catalog import EntitlementRow, FeatureRow, PlanRow
from portal.models.usage import LotRow, UsageDayRow
from portal.queries.usage import Meter, meters
from portal.services.capacity import NewLot, open_lots, open_windows_now
from portal.services.usage import ingest
from tests.support.world import World

_ids = numbers(1)


def used(feature: str, units: object, at: datetime, event_id: str = "", **more: str) -> Usage:
    """more: dimensions."""
    return Usage(event_id or f"event-{next(_ids)}", feature, Decimal(str(units)), at, more)


def correction(feature: str, units: object, at: datetime, **more: str) -> Usage:
    return Usage(f"event-{next(_ids)}", feature, -Decimal(str(units)), at, more, "Sent twice")


def report(world: World, actor: Actor, *events: Usage) -> tuple[Verdict, ...]:
    with world.session() as session:
        return ingest(session, world.scope, actor.account_id, events, wall=world.wall)


def fates(world: World, actor: Actor, *events: Usage) -> list[str]:
    """What became of each: counted, late, duplicate, or the reason of its refusal."""
    told = report(world, actor, *events)
    assert [verdict.event_id for verdict in told] == [event.event_id for event in events]
    return [str(getattr(v, "reason", type(v).__name__.lower())) for v in told]


def meter(world: World, actor: Actor, feature: str = "messages") -> Meter:
    state = world.state(actor)
    with world.session() as session:
        open_windows_now(session, world.scope, state)
        found = meters(session, world.scope, state)
    return next(m for m in found if m.feature.lookup_key == feature)


def lots(world: World, actor: Actor) -> list[tuple[str, int, int]]:
    """Source, granted and left of each, the oldest first."""
    with world.session() as session:
        mine = select(LotRow).where(LotRow.account_id == actor.account_id).order_by(LotRow.id)
        return [(r.source, int(r.granted), int(r.remaining)) for r in session.scalars(mine)]


def left(world: World, actor: Actor) -> dict[str, int]:
    """Units left by the lot's key, of lots that a test has given."""
    with world.session() as session:
        mine = select(LotRow).where(LotRow.account_id == actor.account_id).order_by(LotRow.id)
        found = session.scalars(mine)
        return {r.source_key: int(r.remaining) for r in found if ":" not in r.source_key}


def give(
    world: World, actor: Actor, feature: str, *given: tuple[str, int, datetime | None]
) -> None:
    """Packs from now on: key, units, end."""
    granted = next(f for f in world.catalog().features if f.lookup_key == feature)
    opened = [
        NewLot(granted, LotSource.PACK, key, Decimal(units), 50, world.now, end)
        for key, units, end in given
    ]
    with world.session() as session:
        open_lots(session, world.scope, actor.account_id, opened)
        session.commit()


def of_plan(plan: str, **values: object) -> Update:
    """Changes what a plan grants of messages."""
    sold = select(PlanRow.id).where(PlanRow.lookup_key == plan).scalar_subquery()
    feature = select(FeatureRow.id).where(FeatureRow.lookup_key == "messages").scalar_subquery()
    granted = update(EntitlementRow).where(
        EntitlementRow.plan_id == sold, EntitlementRow.feature_id == feature
    )
    return granted.values(**values)


def days(world: World, actor: Actor) -> dict[str, int]:
    """Units by day and, behind it, dimension and value."""
    with world.session() as session:
        mine = select(UsageDayRow).where(UsageDayRow.account_id == actor.account_id)
        ordered = mine.order_by(UsageDayRow.day, UsageDayRow.dimension, UsageDayRow.value)
        return {
            f"{r.day:%d %b} {r.dimension} {r.value}".strip(): int(r.units)
            for r in session.scalars(ordered)
        }


def rows(world: World, table: type, actor: Actor) -> int:
    with world.session() as session:
        return len(session.scalars(select(table).filter_by(account_id=actor.account_id)).all())
