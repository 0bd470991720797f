"""Staff: set up by a link, let in by two steps and never by one, shut out at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal.domain.errors import Conflict, NotFound
from portal.domain.keys import Access
from portal.domain.passwords import Weakness
from portal.domain.sign_in import digest_of
from portal.models.events import EventRow
from portal.models.staff import StaffChallengeRow, StaffLinkRow, StaffRow, StaffSessionRow
from portal.queries.members import find_member
from portal.queries.staff import IDLE_LIFE, find_staff_member
from portal.services import keys, passwords, staff_sign_in
from portal.services.forgetting import forget_sign_ins
from portal.services.staff import LINK_LIFE, staff_doer
from portal.services.staff_sign_in import ABSOLUTE_LIFE, StaffEntered
from portal.services.throttling import Paused, Refused
from tests.services.entering import HERE, SAFE, STEP, Door
from tests.services.staffing import STAFF_PASSWORD, StaffDoor

SECOND = timedelta(seconds=1)


@pytest.fixture
def door(world) -> StaffDoor:
    return StaffDoor(world)


@pytest.fixture
def ann(door) -> StaffDoor:
    """Set up, and signed out."""
    door.set_up()
    return door


def sessions(door: StaffDoor) -> int:
    with door.world.session() as session:
        return session.scalar(select(func.count()).select_from(StaffSessionRow)) or 0


def test_a_link_sets_both_steps_and_begins_a_session(door):
    sid = door.set_up()
    who = door.who(sid)
    assert who is not None
    assert (who.email, who.name, who.actor.scope) == (door.email, "Ann", door.world.scope)
    mine = f"staff:{who.actor.staff_id}"
    assert door.told() == [
        ("staff:added", "cli"), ("staff:set_up", mine), ("session:started", mine),
    ]  # fmt: skip


def test_events_say_from_which_address(ann):
    ann.try_in("wrong", at="203.0.113.5")
    ann.do(
        keys.create,
        "host",
        Access.READ,
        ann.world.wall,
        None,
        staff_doer(ann.who(ann.enter()).actor),
    )
    with ann.world.session() as session:
        told = {row.name: row for row in session.scalars(select(EventRow).order_by(EventRow.id))}
    assert told["session:refused"].address == "203.0.113.5"
    assert (told["key:created"].actor, told["key:created"].address) == ("staff:1", HERE)
    assert {told[name].account_id for name in ("session:started", "key:created")} == {None}


def test_a_link_is_good_once_and_for_a_day(door):
    first = door.add()
    door.secret = door.offered(first)
    door.world.now += LINK_LIFE
    assert door.use(first) is None
    second = door.reset()
    door.set_up(second)
    assert door.use(second) is None
    assert door.use("made up") is None


def test_a_newer_link_is_worth_all_before_it(door):
    first = door.add()
    door.secret = door.offered(first)
    door.reset()
    assert door.use(first) is None


def test_a_link_wants_a_good_password_and_a_right_code_and_is_not_spent_by_less(door):
    written = door.add()
    door.secret = door.offered(written)
    assert door.use(written, "short") is Weakness.SHORT
    assert isinstance(door.use(written, code="000000"), Refused)
    assert door.try_in() == Refused(), "neither step is set by half"
    assert isinstance(door.use(written), StaffEntered)


def test_two_at_once_use_a_link_one_of_them_sets_it(door):
    written = door.add()
    door.secret = door.offered(written)
    words = ["the first of two words", "the second of two words"]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda word: door.use(written, word), words))
    assert sum(isinstance(each, StaffEntered) for each in outcomes) == 1
    assert outcomes.count(None) == 1
    door.world.now += STEP
    assert sum(door.try_in(word) != Refused() for word in words) == 1


def test_a_password_alone_opens_nothing(ann):
    before = sessions(ann)
    challenge = ann.challenge()
    assert sessions(ann) == before
    assert ann.who(challenge) is None, "a challenge is no session"
    assert isinstance(ann.show(challenge, "000000"), Refused)
    assert sessions(ann) == before
    assert isinstance(ann.show(challenge), StaffEntered)
    assert sessions(ann) == before + 1


def test_a_code_is_good_once_and_a_challenge_too(ann):
    first, second = ann.challenge(), ann.challenge()
    assert isinstance(ann.show(first), StaffEntered)
    assert isinstance(ann.show(second), Refused), "this code is used"
    ann.world.now += STEP
    assert ann.show(first) is None
    assert isinstance(ann.show(second), StaffEntered)


def test_a_code_at_once_from_two_lets_one_in(ann):
    challenges = [ann.challenge(), ann.challenge()]
    code = ann.code()
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda each: ann.show(each, code), challenges))
    assert sum(isinstance(each, StaffEntered) for each in outcomes) == 1


def test_a_challenge_ends_after_ten_minutes(ann):
    challenge = ann.challenge()
    ann.world.now += timedelta(minutes=10)
    assert ann.show(challenge) is None


@pytest.mark.parametrize("email", ["", "nobody@staff.test", "NOBODY"])
def test_unknown_and_wrong_cost_one_hash_and_answer_alike(ann, email, monkeypatch):
    verified = []
    real = passwords._hasher.verify
    passwords._nobodys_hash()

    class Counting:
        verify = staticmethod(lambda *given: verified.append(1) or real(*given))

    monkeypatch.setattr(passwords, "_hasher", Counting)
    assert ann.try_in("wrong", email=email) == Refused()
    assert verified == [1]


def test_five_wrong_ones_pause_and_members_are_counted_apart(ann):
    member = Door(ann.world)
    for _ in range(5):
        assert ann.try_in("wrong") == Refused()
    assert isinstance(ann.try_in(), Paused)
    member.email = ann.email
    assert not isinstance(member.try_in("wrong"), Paused)
    ann.world.now += timedelta(seconds=30)
    ann.enter()


def test_five_wrong_codes_pause_whatever_the_challenge(ann):
    for _ in range(5):
        assert ann.show(ann.challenge(), "000000") == Refused()
    assert isinstance(ann.show(ann.challenge()), Paused)


def test_a_session_ends_after_a_quarter_of_an_hour_without_use(ann):
    sid = ann.enter()
    ann.world.now += IDLE_LIFE - STEP - SECOND
    who = ann.who(sid)
    assert who is not None
    with ann.world.session() as session:
        staff_sign_in.touch(session, who, ann.world.wall)
    ann.world.now += IDLE_LIFE - SECOND
    assert ann.who(sid) is not None
    ann.world.now += SECOND
    assert ann.who(sid) is None


def test_a_session_ends_after_eight_hours_of_use(ann):
    sid = ann.enter()
    began = ann.world.now - STEP
    while (who := ann.who(sid)) is not None:
        with ann.world.session() as session:
            staff_sign_in.touch(session, who, ann.world.wall)
        ann.world.now += timedelta(minutes=10)
    assert ABSOLUTE_LIFE <= ann.world.now - began < ABSOLUTE_LIFE + timedelta(minutes=11)


def test_signing_out_ends_that_session_only(ann):
    first, second = ann.enter(), ann.enter()
    with ann.world.session() as session:
        staff_sign_in.sign_out(session, ann.who(first), ann.world.wall)
    assert ann.who(first) is None
    assert ann.who(second) is not None
    assert ann.told()[-1][0] == "session:ended"


@pytest.mark.parametrize("way", ["end", "reset"])
def test_ended_or_reset_shuts_every_door_at_once(ann, way):
    sid, challenge = ann.enter(), ann.challenge()
    getattr(ann, way)()
    assert ann.who(sid) is None
    assert ann.show(challenge) is None
    assert ann.try_in() == Refused()


def test_who_was_ended_may_be_added_again_as_somebody_new(ann):
    before = ann.who(ann.enter()).actor.staff_id
    ann.end()
    for way in (ann.end, ann.reset):
        with pytest.raises(NotFound):
            way()
    assert ann.who(ann.set_up()).actor.staff_id != before


def test_an_address_is_staff_once_however_it_is_written(ann):
    ann.email = ann.email.upper()
    with pytest.raises(Conflict, match="staff already"):
        ann.add()


def test_links_and_challenges_are_deleted_a_day_after_their_end(ann):
    ann.challenge()
    for left, later in ((1, LINK_LIFE - STEP), (1, timedelta(days=1) - SECOND), (0, SECOND)):
        ann.world.now += later
        ann.do(forget_sign_ins, ann.world.wall)
        assert ann.world.rows(StaffLinkRow) == left
    assert ann.world.rows(StaffChallengeRow) == 0


def test_another_secret_key_lets_nobody_in_by_the_second_step(ann, monkeypatch):
    challenge = ann.challenge()
    monkeypatch.setattr("tests.services.staffing.SAFE", type(SAFE)("quite another secret"))
    assert isinstance(ann.show(challenge), Refused)


def test_another_environment_knows_none_of_it(ann):
    sid = ann.enter()
    scope = type(ann.world.scope)(ann.world.scope.tenant_id, 99)
    with ann.world.session() as session:
        assert find_staff_member(session, scope, sid, ann.world.wall) is None


def test_sessions_of_members_and_of_staff_open_nothing_of_each_other(ann):
    sid = ann.enter()
    member = Door(ann.world).enter()
    assert ann.who(member.sid) is None
    with ann.world.session() as session:
        assert find_member(session, ann.world.scope, digest_of(sid), ann.world.wall) is None


def test_nothing_that_opens_anything_is_kept(door):
    written = door.add()
    sid = door.set_up(written)
    with door.world.session() as session:
        kept = [
            str(vars(row))
            for table in (StaffRow, StaffLinkRow, StaffSessionRow, EventRow)
            for row in session.scalars(select(table))
        ]
    for secret in (written, sid, door.secret, STAFF_PASSWORD):
        assert secret not in " ".join(kept)
