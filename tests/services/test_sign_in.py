"""Signing in, staying signed in, and every way in which a session ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import argon2
import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor, Role
from portal.domain.sign_in import Origin, digest_of
from portal.models.accounts import PersonRow, SessionRow
from portal.models.events import EventRow
from portal.queries.members import IDLE_LIFE, Member, find_member
from portal.services import sessions
from portal.services import sign_in as service
from portal.services.passwords import hash_password
from portal.services.sessions import ABSOLUTE_LIFE, TOUCH_EVERY, Entered
from tests.support.world import APRIL_11, PASSWORD, World

ORIGIN = Origin("192.0.2.7", "Browser/1.0")
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(shop: World) -> World:
    shop.now = APRIL_11
    return shop


@pytest.fixture
def owner(world: World) -> tuple[Actor, str]:
    """A member and their address."""
    actor = world.account(card=None)
    return actor, f"owner@account{world.count}.test"


def enter(world: World, email: str, password: str = PASSWORD) -> str | None:
    with world.session() as session:
        outcome = service.sign_in(session, world.scope, email, password, ORIGIN, world.wall)
    return outcome.sid if isinstance(outcome, Entered) else None


def member_of(world: World, sid: str) -> Member | None:
    with world.session() as session:
        return find_member(session, world.scope, digest_of(sid), world.wall)


def signed_in(world: World, email: str) -> str:
    sid = enter(world, email)
    assert sid is not None
    return sid


def row_of(world: World, sid: str) -> SessionRow:
    with world.session() as session:
        return session.scalars(
            select(SessionRow).where(SessionRow.sid_digest == digest_of(sid))
        ).one()


def facts(world: World, actor: Actor) -> list[tuple[str, str, int | None]]:
    """Name, actor and person of what was recorded about sessions, all of it from ORIGIN."""
    with world.session() as session:
        mine = select(EventRow).where(
            EventRow.account_id == actor.account_id, EventRow.name.startswith("session:")
        )
        found = list(session.scalars(mine.order_by(EventRow.id)))
    assert {event.address for event in found} <= {ORIGIN.address}
    return [(event.name, event.actor, event.person_id) for event in found]


def test_the_right_password_starts_a_session_of_that_member(world, owner):
    actor, email = owner
    found = member_of(world, signed_in(world, email))
    assert found is not None
    assert (found.actor, found.email) == (replace(actor, address=ORIGIN.address), email)
    assert facts(world, actor) == [
        ("session:started", f"person:{actor.person_id}", actor.person_id)
    ]


def test_the_row_holds_a_digest_and_where_it_came_from_never_the_id(world, owner):
    sid = signed_in(world, owner[1])
    row = row_of(world, sid)
    assert sid not in (row.sid_digest, row.user_agent, row.address)
    assert (row.address, row.user_agent) == (ORIGIN.address, ORIGIN.user_agent)
    assert row.expires_at - row.created_at == ABSOLUTE_LIFE


@pytest.mark.parametrize("written", [str.upper, str.title, "  {}\t".format])
def test_an_address_is_the_same_however_it_is_written(world, owner, written):
    assert enter(world, written(owner[1])) is not None


@pytest.mark.parametrize("password", ["", PASSWORD.upper(), PASSWORD + " ", "x" * 1024])
def test_another_password_opens_nothing_and_is_recorded(world, owner, password):
    actor, email = owner
    assert enter(world, email, password) is None
    assert facts(world, actor) == [("session:refused", "anonymous", None)]


def test_an_unknown_address_is_answered_and_worked_on_like_a_wrong_password(
    world, owner, monkeypatch
):
    hashed: list[str] = []
    verify = argon2.PasswordHasher.verify

    def seen(hasher, stored, password):
        hashed.append(stored.rsplit("$", 2)[0])
        return verify(hasher, stored, password)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", seen)
    answers = [enter(world, owner[1], "wrong"), enter(world, "nobody@nowhere.test", "wrong")]
    assert answers == [None, None]
    assert hashed[0].startswith("$argon2id$")
    assert hashed == [hashed[0]] * 2, "one hash of the same cost for either"


def test_a_person_without_a_password_cannot_sign_in(world, owner):
    actor, email = owner
    with world.session() as session:
        session.execute(
            update(PersonRow).where(PersonRow.id == actor.person_id).values(password_hash=None)
        )
        session.commit()
    for password in ("", PASSWORD, "None"):
        assert enter(world, email, password) is None


def test_a_person_of_no_account_cannot_sign_in(world):
    with world.session() as session:
        session.add(
            PersonRow(
                environment_id=world.scope.environment_id,
                email="alone@nowhere.test",
                name="Alone",
                password_hash=hash_password(PASSWORD),
            )
        )
        session.commit()
    assert enter(world, "alone@nowhere.test") is None


def test_an_old_weak_hash_is_renewed_by_the_right_password_alone(world, owner):
    actor, email = owner
    weak = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    with world.session() as session:
        session.execute(
            update(PersonRow).where(PersonRow.id == actor.person_id).values(password_hash=weak)
        )
        session.commit()

    def stored() -> str | None:
        with world.session() as session:
            mine = PersonRow.id == actor.person_id
            return session.scalar(select(PersonRow.password_hash).where(mine))

    enter(world, email, "wrong")
    assert stored() == weak
    enter(world, email)
    assert stored() != weak
    assert enter(world, email) is not None


def test_the_role_is_read_anew_with_every_request(world, owner):
    actor, _ = owner
    email = f"colleague{world.count}@account.test"
    world.member(actor.account_id, email, Role.MEMBER)
    found = member_of(world, signed_in(world, email))
    assert found is not None
    assert found.actor.role is Role.MEMBER


def test_signing_out_revokes_the_session_and_no_other(world, owner):
    actor, email = owner
    one, other = signed_in(world, email), signed_in(world, email)
    for _ in range(2):
        with world.session() as session:
            sessions.sign_out(session, world.scope, one, world.wall)
    assert member_of(world, one) is None
    assert member_of(world, other) is not None
    assert [name for name, *_ in facts(world, actor)] == [
        "session:started",
        "session:started",
        "session:ended",
    ]


def test_an_unknown_session_id_signs_nobody_in_or_out(world):
    assert member_of(world, "unknown") is None
    with world.session() as session:
        sessions.sign_out(session, world.scope, "unknown", world.wall)


def test_a_session_ends_after_its_whole_life_however_busy(world, owner):
    sid = signed_in(world, owner[1])
    end = world.now + ABSOLUTE_LIFE
    while world.now + IDLE_LIFE / 2 < end:
        world.now += IDLE_LIFE / 2
        use(world, sid)
    world.now = end - SECOND
    assert member_of(world, sid) is not None
    world.now = end
    assert member_of(world, sid) is None


def test_a_session_ends_when_it_is_idle(world, owner):
    sid = signed_in(world, owner[1])
    world.now += IDLE_LIFE - SECOND
    assert member_of(world, sid) is not None
    world.now += SECOND
    assert member_of(world, sid) is None


def test_use_is_noted_once_a_minute_at_most(world, owner):
    sid = signed_in(world, owner[1])
    started = world.now
    world.now = started + TOUCH_EVERY
    use(world, sid)
    assert row_of(world, sid).last_seen_at == started
    world.now += SECOND
    use(world, sid)
    assert row_of(world, sid).last_seen_at == world.now
    world.now = started + IDLE_LIFE + SECOND
    assert member_of(world, sid) is not None, "noted use keeps it alive"


def use(world: World, sid: str) -> None:
    found = member_of(world, sid)
    assert found is not None
    with world.session() as session:
        sessions.touch(session, world.scope, found.session_id, found.seen_at, world.wall)
