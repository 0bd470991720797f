"""Events are sealed as they are committed, by any number of writers at once, and never changed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.domain.chain import NOTHING
from portal.domain.events import EventName
from portal.models.events import EventChainRow, EventRow, EventSealRow
from portal.services import auditing
from portal.services.charging import Settled
from portal.services.recording import Doer, record
from portal.services.till import doer_of
from tests.support.world import World

WRITERS = 20


@pytest.fixture
def actor(world) -> Actor:
    return world.account()


def tell(world: World, session: Session, doer: Doer, subject: str) -> None:
    record(session, world.scope, doer, EventName.CLOCK_ADVANCED, subject, world.now, steps=1)


def verified(world: World) -> list[str]:
    with world.session() as session:
        return auditing.verify(session, world.scope, {})


def chain(world: World, account_id: int) -> list[tuple[int, int, str]]:
    with world.session() as session:
        mine = select(EventSealRow).filter_by(account_id=account_id)
        rows = session.scalars(mine.order_by(EventSealRow.position))
        return [(row.position, row.event_id, row.digest) for row in rows]


def end(world: World, account_id: int) -> tuple[int, str]:
    with world.session() as session:
        row = session.get_one(EventChainRow, (world.scope.environment_id, account_id))
        return row.length, row.digest


def test_each_account_has_a_chain_and_the_tenant_one_of_its_own(world, actor):
    other = world.account()
    assert isinstance(world.buy(actor, "salesforce"), Settled)
    for account_id in (0, actor.account_id, other.account_id):
        links = chain(world, account_id)
        assert [position for position, *_ in links] == list(range(1, len(links) + 1))
        assert end(world, account_id) == (len(links), links[-1][2])
        with world.session() as session:
            mine = select(EventRow.id).filter_by(account_id=account_id or None)
            assert [event for _, event, _ in links] == sorted(session.scalars(mine))
    assert verified(world) == []


def test_what_is_rolled_back_leaves_no_link(world, actor):
    before = end(world, actor.account_id)
    with world.session() as session:
        tell(world, session, doer_of(actor), "undone:1")
        session.rollback()
        session.commit()
        tell(world, session, doer_of(actor), "closed:1")
        session.close()
        session.commit()
    assert end(world, actor.account_id) == before
    with world.session() as session:
        tell(world, session, doer_of(actor), "kept:1")
        with session.begin_nested() as point:
            tell(world, session, doer_of(actor), "undone:2")
            session.flush()
            point.rollback()
        with session.begin_nested():
            tell(world, session, doer_of(actor), "kept:2")
        with world.session() as another:
            tell(world, another, doer_of(actor), "meanwhile:1")
            another.execute(text("set local lock_timeout = '2s'"))
            another.commit()
        assert end(world, actor.account_id)[0] == before[0] + 1
        session.commit()
    assert end(world, actor.account_id)[0] == before[0] + 3
    assert verified(world) == []


def test_twenty_writers_at_once_make_one_chain(world, actor):
    before, start = end(world, actor.account_id)[0], Barrier(WRITERS)

    def write(number: int) -> None:
        with world.session() as session:
            start.wait()
            for each in range(5):
                tell(world, session, doer_of(actor), f"writer:{number}-{each}")
                session.commit()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert end(world, actor.account_id)[0] == before + WRITERS * 5
    assert verified(world) == []


def test_writers_of_several_chains_in_any_order_never_wait_for_each_other(world):
    doers = [Doer("test", world.account().account_id) for _ in range(4)] + [Doer("test")]
    start = Barrier(WRITERS)

    def write(number: int) -> None:
        with world.session() as session:
            start.wait()
            for turn in range(5):
                mixed = doers[(number + turn) % 5 :] + doers[: (number + turn) % 5]
                for doer in mixed if number % 2 else reversed(mixed):
                    tell(world, session, doer, f"writer:{number}")
                session.commit()

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, range(WRITERS)))
    assert world.rows(EventRow, name="clock:advanced") == WRITERS * 25
    assert verified(world) == []


def test_a_chain_is_held_only_when_everything_else_is_written(world, actor):
    """One who waits for a row holds no chain: the row's owner can still commit an event."""
    rename = text("update accounts set name = 'x' where id = :id")
    with world.session() as first, world.session() as second, ThreadPoolExecutor(1) as pool:
        first.execute(rename, {"id": actor.account_id})
        tell(world, second, doer_of(actor), "waits:1")
        second.execute(text("set local lock_timeout = '20s'"))

        def wait() -> None:
            second.execute(rename, {"id": actor.account_id})
            second.commit()

        waiting = pool.submit(wait)
        tell(world, first, doer_of(actor), "first:1")
        first.execute(text("set local lock_timeout = '5s'"))
        first.commit()
        waiting.result()
    assert verified(world) == []


def test_who_and_from_where_are_kept_and_sealed(world, actor, world_database):
    reader = world.member(actor.account_id, "seen@x.test", actor.role)
    doer = Doer("staff:1", actor.account_id, None, reader.person_id, "192.0.2.7")
    with world.session() as session:
        tell(world, session, doer, "looked:1")
        session.commit()
        row = session.scalars(select(EventRow).filter_by(subject="looked:1")).one()
        assert (row.behalf_of_id, row.address, row.person_id) == (
            reader.person_id, "192.0.2.7", None,
        )  # fmt: skip


@pytest.mark.parametrize(
    "statement",
    ["update events set actor = 'x'", "delete from events", "update event_seals set digest = 'x'",
     "delete from event_seals", "truncate event_seals"],
)  # fmt: skip
def test_the_app_can_change_nothing_that_is_sealed(world, actor, statement):
    with world.session() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(statement))


def test_a_chain_that_begins_anew_after_its_end_was_reset_is_refused(world, actor):
    """The place of a link is taken once: the writer fails instead of overwriting."""
    with world.session() as session:
        reset = text("update event_chains set length = 0, digest = :nothing where account_id = :id")
        session.execute(reset, {"id": actor.account_id, "nothing": NOTHING})
        session.commit()
        tell(world, session, doer_of(actor), "second:1")
        with pytest.raises(Exception, match="pk_event_seals"):
            session.commit()
