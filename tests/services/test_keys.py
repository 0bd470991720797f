"""API keys: told once, stored as a digest, exchanged with an overlap, revoked at once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.domain.errors import Conflict, Forbidden, NotFound
from portal.domain.keys import Access, KeyState, prefix_of, write_key
from portal.models.events import EventRow
from portal.models.keys import ApiKeyRow
from portal.queries.keys import all_keys, find_key
from portal.services import keys
from portal.services.recording import Doer


@pytest.fixture
def made(world):
    return create(world)


def create(world, access=Access.WRITE, **options):
    with world.session() as session:
        return keys.create(session, world.scope, "host", access, world.wall, **options)


def found(world, written):
    with world.session() as session:
        return find_key(session, world.scope, written)


def state(world, written):
    return found(world, written).state(world.wall)


def test_a_key_is_found_by_all_of_itself_and_kept_nowhere(world, made):
    assert found(world, made.written).prefix == made.prefix == prefix_of(made.written)
    assert made.written.startswith(f"portal_development_{made.prefix}_")
    with world.session() as session:
        row = session.scalars(select(ApiKeyRow)).one()
        said = [str(e.detail) + e.subject for e in session.scalars(select(EventRow))]
    secret = made.written.rpartition(made.prefix)[2]
    assert secret not in " ".join([*map(str, vars(row).values()), *said])


@pytest.mark.parametrize("spoil", [lambda k: k[:-1] + ("A" if k[-1] != "A" else "B"), str.upper,
                                   lambda k: k + " ", lambda _: "", lambda k: k[:40]])  # fmt: skip
def test_anything_else_is_no_key(world, made, spoil):
    assert found(world, spoil(made.written)) is None


def test_a_prefix_alone_opens_nothing(world, made):
    assert found(world, write_key("development", made.prefix, "x" * 43)) is None


def test_another_environment_does_not_know_it(world, made):
    with world.session() as session:
        other = type(world.scope)(world.scope.tenant_id, world.scope.environment_id + 1)
        assert find_key(session, other, made.written) is None


def test_rotation_overlaps_and_the_old_one_ends(world, made):
    with world.session() as session:
        new = keys.rotate(session, world.scope, made.prefix, timedelta(hours=2), world.wall)
    assert found(world, new.written).access is Access.WRITE
    assert state(world, made.written) is KeyState.GOOD
    world.pass_time(hours=2, seconds=-1)
    assert state(world, made.written) is KeyState.GOOD
    world.pass_time(seconds=1)
    assert state(world, made.written) is KeyState.EXPIRED
    assert state(world, new.written) is KeyState.GOOD


def test_a_rotation_never_lengthens_a_life(world):
    short = create(world, expires_at=world.wall + timedelta(minutes=5))
    with world.session() as session:
        keys.rotate(session, world.scope, short.prefix, timedelta(days=7), world.wall)
    world.pass_time(minutes=5)
    assert state(world, short.written) is KeyState.EXPIRED


def test_revoked_is_revoked_at_once_and_for_good(world, made):
    for _ in range(2):
        with world.session() as session:
            keys.revoke(session, world.scope, made.prefix, world.wall)
    assert state(world, made.written) is KeyState.REVOKED
    with world.session() as session, pytest.raises(Conflict):
        keys.rotate(session, world.scope, made.prefix, timedelta(0), world.wall)


def test_what_cannot_be(world, made):
    with world.session() as session:
        with pytest.raises(NotFound):
            keys.revoke(session, world.scope, "000000000000", world.wall)
        with pytest.raises(Conflict):
            keys.rotate(session, world.scope, made.prefix, timedelta(days=8), world.wall)
        with pytest.raises(Conflict):
            keys.create(session, world.scope, "x", Access.READ, world.wall, world.wall)


def test_only_the_command_line_gives_out_a_key_that_signs_members_in(world):
    made, staff = create(world, opens_sessions=True), Doer("staff:1")
    with world.session() as session:
        with pytest.raises(Forbidden):
            create(world, opens_sessions=True, doer=staff)
        with pytest.raises(Forbidden):
            keys.rotate(session, world.scope, made.prefix, timedelta(0), world.wall, staff)
        keys.revoke(session, world.scope, made.prefix, world.wall, staff)
    assert state(world, made.written) is KeyState.REVOKED


def test_use_is_noted_once_a_minute(world, made):
    def use():
        with world.session() as session:
            keys.touch(session, world.scope, found(world, made.written), world.wall)
        return found(world, made.written).last_used_at

    first = use()
    assert first == world.now
    world.pass_time(seconds=60)
    assert use() == first
    world.pass_time(seconds=1)
    assert use() == world.now


def test_the_list_is_in_order_and_events_name_the_key(world, made):
    second = create(world, Access.READ)
    with world.session() as session:
        listed = [(key.prefix, key.access) for key in all_keys(session, world.scope)]
        told = list(session.scalars(select(EventRow.subject).where(EventRow.name == "key:created")))
    assert listed == [(made.prefix, Access.WRITE), (second.prefix, Access.READ)]
    assert told == [f"key:{made.prefix}", f"key:{second.prefix}"]
