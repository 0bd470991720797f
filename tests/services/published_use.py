"""Published wallets and days, used: lots that are given, use that is reported, what is left."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select

from portal.domain.access import Actor
from portal.domain.grants import LotSource
from portal.models.usage import UsageDayRow
from portal.services.capacity import NewLot, open_lots
from tests.services.using import fates, give, left, meter, used
from tests.support.published import Fields, instant, zone_of
from tests.support.world import World

FEATURE = "sms"
"""The plan has none of its own."""
START = datetime(2024, 1, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
_SYMBOLIC = {"T0": START, "T0+1h": START + HOUR}


def burned(world: World, case: Fields) -> Fields:
    """What a use leaves of each lot, and how much of it no lot covers."""
    given, actor = case["inputs"], account(world)
    for row in given["grants"]:
        _grant(world, actor, row)
    world.now = START + 30 * DAY
    use(world, actor, given["use"])
    return {"remaining": left(world, actor), "uncovered": meter(world, actor, FEATURE).excess}


def _grant(world: World, actor: Actor, row: Fields) -> None:
    """A lot from the time on when it was given."""
    given = next(f for f in world.catalog().features if f.lookup_key == FEATURE)
    created = row.get("created_at", "T0")
    lot = NewLot(
        feature=given,
        source=LotSource.CREDIT_GRANT,
        source_key=row["id"],
        units=Decimal(row["amount"]),
        priority=row.get("priority", 50),
        effective_at=_SYMBOLIC.get(created) or instant(created),
        expires_at=instant(row["expires_at"]) if "expires_at" in row else None,
        promotional=row.get("type") in {"granted", "promotional"},
    )
    with world.session() as session:
        open_lots(session, world.scope, actor.account_id, [lot])
        session.commit()


def account(world: World, since: datetime = START, zone: str = "UTC") -> Actor:
    """On a plan since then, which is now."""
    world.now = since
    return world.account(since=since, zone=zone)


def use(world: World, actor: Actor, units: str) -> None:
    assert fates(world, actor, used(FEATURE, units, world.now)) == ["counted"]


def overdrawn(world: World, case: Fields) -> Fields:
    sold, actor = case["inputs"]["vars"], account(world)
    give(world, actor, FEATURE, ("prepaid", int(sold["prepaid"]), None))
    use(world, actor, sold["use"])
    found = meter(world, actor, FEATURE)
    return {"prepaid_left": found.left, "usage_balance": -found.excess}


def voided(world: World, case: Fields) -> Fields:
    """Units that end after an hour cover nothing that is used later."""
    sold, actor = case["inputs"]["vars"], account(world)
    give(world, actor, FEATURE, ("grant", int(sold["grant"]), START + HOUR))
    use(world, actor, sold["before"])
    world.now += HOUR
    use(world, actor, sold["after"])
    found = meter(world, actor, FEATURE)
    return {"balance": found.left, "overage": found.excess}


def in_turn(world: World, case: Fields) -> Fields:
    """Units that come, and below zero units that are used, an hour apart."""
    actor = account(world)
    for number, event in enumerate(case["inputs"]["events"]):
        if Decimal(event) < 0:
            use(world, actor, event.removeprefix("-"))
        else:
            give(world, actor, FEATURE, (f"lot{number}", int(event), None))
        world.now += HOUR
    return {"balance": meter(world, actor, FEATURE).left}


def local_dates(world: World, case: Fields) -> Fields:
    """The day that a use is counted on, by the zone of its account."""
    at = instant(case["inputs"]["instant"])
    found = {}
    for name in case["inputs"]["timezones"]:
        actor = account(world, at - DAY, zone_of(name))
        [found[name]] = _days(world, actor, at)
    return {"local_dates": found}


def days_between(world: World, case: Fields) -> Fields:
    """How many days in the account's zone lie between two uses."""
    found = []
    for span in case["inputs"]["spans"]:
        first, last = map(instant, span)
        actor = account(world, first - DAY, case["inputs"]["timezone"])
        days = _days(world, actor, first, last)
        found.append((days[-1] - days[0]).days)
    return {"days": found}


def _days(world: World, actor: Actor, *instants: datetime) -> list[date]:
    """The days on which something is used at these instants."""
    for at in instants:
        world.now = at
        use(world, actor, "1")
    mine = select(UsageDayRow.day).filter_by(account_id=actor.account_id, dimension="")
    with world.session() as session:
        return list(session.scalars(mine.order_by(UsageDayRow.day)))
