"""Codes of an authenticator: good once, throttled; recovery codes; the secret encrypted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.errors import Conflict
from portal.models.sign_in import ChallengeRow, RecoveryCodeRow, SecondFactorRow
from portal.services import second_factor as service
from portal.services.safekeeping import Safe
from portal.services.second_factor import Switched
from portal.services.sessions import Entered
from portal.services.throttling import Paused, Refused
from tests.services.entering import SAFE, STEP, Door
from tests.support.world import PASSWORD, World


@pytest.fixture
def door(world: World) -> Door:
    return Door(world)


def test_it_is_asked_for_once_it_is_on_and_not_before(door):
    sid = door.enter().sid
    with door.visit(sid) as visit:
        service.begin(visit, SAFE)
    assert isinstance(door.try_in(), Entered), "no code was shown yet"
    secret, _ = door.turn_on(sid)
    outcome = door.show(door.challenge(), door.code(secret))
    assert isinstance(outcome, Entered)
    assert door.member(outcome.sid) is not None


def test_a_challenge_is_no_session(door):
    door.turn_on(door.enter().sid)
    assert door.member(door.challenge()) is None


@pytest.mark.parametrize("steps", [-1, 0, 1])
def test_a_clock_may_be_half_a_minute_off(door, world, steps):
    secret, _ = door.turn_on(door.enter().sid)
    world.now += 3 * STEP
    assert isinstance(door.show(door.challenge(), door.code(secret, steps)), Entered)


@pytest.mark.parametrize("steps", [-3, -2, 2, 3])
def test_and_no_more_than_that(door, world, steps):
    secret, _ = door.turn_on(door.enter().sid)
    world.now += 4 * STEP
    assert door.show(door.challenge(), door.code(secret, steps)) == Refused()


def test_a_code_is_good_once_and_so_are_those_before_it(door, world):
    secret, _ = door.turn_on(door.enter().sid)
    world.now += STEP
    earlier, code = door.code(secret, -1), door.code(secret)
    assert isinstance(door.show(door.challenge(), code), Entered)
    assert door.show(door.challenge(), code) == Refused()
    assert door.show(door.challenge(), earlier) == Refused()
    assert isinstance(door.show(door.challenge(), door.code(secret, 1)), Entered)


def test_the_code_that_turned_it_on_is_spent(door, world):
    secret, _ = door.turn_on(door.enter().sid)
    world.now -= STEP
    assert door.show(door.challenge(), door.code(secret)) == Refused()


def test_of_many_at_once_one_gets_in_with_a_code(door):
    secret, switched = door.turn_on(door.enter().sid)
    for code in (door.code(secret), switched.codes[0]):
        challenges = [door.challenge() for _ in range(4)]
        with ThreadPoolExecutor(4) as pool:
            outcomes = list(pool.map(lambda each, code=code: door.show(each, code), challenges))
        assert [type(each) for each in outcomes].count(Entered) == 1


def test_a_challenge_is_good_once_and_for_ten_minutes(door, world):
    secret, _ = door.turn_on(door.enter().sid)
    challenge = door.challenge()
    assert isinstance(door.show(challenge, door.code(secret)), Entered)
    assert door.show(challenge, door.code(secret, 1)) is None
    late = door.challenge()
    world.now += timedelta(minutes=10)
    assert door.show(late, door.code(secret)) is None
    assert door.show("made-up", door.code(secret)) is None


def test_codes_are_throttled_like_passwords_and_over_challenges(door, world):
    known = door.enter()
    secret, _ = door.turn_on(known.sid)
    for _ in range(5):
        assert door.show(door.challenge(), "000000") == Refused()
    right = door.code(secret)
    assert door.show(door.challenge(), right) == Paused(timedelta(seconds=30))
    challenge = door.challenge(device=known.device)
    assert isinstance(door.show(challenge, right, device=known.device), Entered)
    world.now += STEP
    assert isinstance(door.show(door.challenge(), door.code(secret)), Entered)


def test_a_recovery_code_is_good_once_however_it_is_typed(door):
    _, switched = door.turn_on(door.enter().sid)
    code = switched.codes[3]
    assert len(set(switched.codes)) == 10
    typed = code.upper().replace("-", " ")
    assert isinstance(door.show(door.challenge(), typed), Entered)
    assert door.show(door.challenge(), code) == Refused()
    assert isinstance(door.show(door.challenge(), switched.codes[4]), Entered)
    assert door.told().count("recovery_code:used") == 2


def test_nothing_that_opens_something_is_in_the_tables(door, world):
    secret, switched = door.turn_on(door.enter().sid)
    challenge = door.challenge()
    with world.session() as session:
        encrypted = session.scalars(select(SecondFactorRow.encrypted)).one()
        kept = [*session.scalars(select(RecoveryCodeRow.digest)), encrypted]
        kept += session.scalars(select(ChallengeRow.digest))
    for opener in (secret, challenge, *(code.replace("-", "") for code in switched.codes)):
        assert not any(opener in each for each in kept)


def test_another_persons_row_and_another_secret_open_nothing(door, world):
    door.turn_on(door.enter().sid)
    with world.session() as session:
        row = session.scalars(select(SecondFactorRow)).one()
    mine = f"{row.environment_id}:{row.person_id}"
    assert SAFE.open(row.encrypted, mine)
    assert SAFE.open(row.encrypted, f"{row.environment_id}:{row.person_id + 1}") is None
    assert Safe("another secret that is long enough").open(row.encrypted, mine) is None
    assert SAFE.lock("same", mine) != SAFE.lock("same", mine)


def test_a_secret_that_cannot_be_read_lets_nobody_in_but_recovery_codes_do(door, world):
    secret, switched = door.turn_on(door.enter().sid)
    broken = Safe("another secret that is long enough").lock(secret, "1:1")
    world.change(update(SecondFactorRow).values(encrypted=broken))
    assert door.show(door.challenge(), door.code(secret)) == Refused()
    assert isinstance(door.show(door.challenge(), switched.codes[0]), Entered)


@pytest.mark.parametrize("does", [service.turn_off, service.make_codes])
def test_off_and_new_codes_take_password_and_code(door, does):
    secret, switched = door.turn_on(door.enter().sid)
    with door.visit(switched.sid) as visit:
        assert does(visit, PASSWORD, "000000", SAFE) == Refused()
        assert does(visit, "wrong", door.code(secret), SAFE) == Refused()
        assert isinstance(does(visit, PASSWORD, door.code(secret), SAFE), Switched)
    assert door.member(switched.sid) is None, "the session has another id"


def test_off_is_off_for_codes_and_recovery_codes(door, world):
    secret, switched = door.turn_on(door.enter().sid)
    waiting = door.challenge()
    with door.visit(switched.sid) as visit:
        service.turn_off(visit, PASSWORD, door.code(secret), SAFE)
    assert isinstance(door.try_in(), Entered)
    assert door.show(waiting, switched.codes[0]) is None
    assert (world.rows(SecondFactorRow), world.rows(RecoveryCodeRow)) == (0, 0)


def test_new_codes_make_the_old_ones_worthless(door):
    secret, first = door.turn_on(door.enter().sid)
    with door.visit(first.sid) as visit:
        second = service.make_codes(visit, PASSWORD, door.code(secret), SAFE)
    assert door.show(door.challenge(), first.codes[0]) == Refused()
    assert isinstance(door.show(door.challenge(), second.codes[0]), Entered)


def test_turning_on_takes_the_password_too_and_is_throttled(door):
    sid = door.enter().sid
    with door.visit(sid) as visit:
        service.begin(visit, SAFE)
        code = door.code(service.offered(visit, SAFE))
        for _ in range(5):
            assert service.turn_on(visit, "wrong", code, SAFE) == Refused()
        assert service.turn_on(visit, PASSWORD, code, SAFE) == Paused(STEP)
    assert isinstance(door.try_in(), Entered)


def test_what_is_on_is_not_begun_again_and_nothing_is_turned_on_unasked(door):
    sid = door.enter().sid
    with door.visit(sid) as visit, pytest.raises(Conflict):
        service.turn_on(visit, PASSWORD, "000000", SAFE)
    _, switched = door.turn_on(sid)
    with door.visit(switched.sid) as visit:
        assert service.offered(visit, SAFE) is None
        with pytest.raises(Conflict):
            service.begin(visit, SAFE)


def test_what_is_done_is_recorded_and_mailed_to_the_person_alone(door, world):
    world.member(door.actor.account_id, "colleague@account.test", door.actor.role)
    secret, on = door.turn_on(door.enter().sid)
    with door.visit(on.sid) as visit:
        made = service.make_codes(visit, PASSWORD, door.code(secret), SAFE)
    with door.visit(made.sid) as visit:
        service.turn_off(visit, PASSWORD, made.codes[0], SAFE)
    assert door.told()[1:] == [
        "second_factor:turned_on", "recovery_codes:made", "second_factor:turned_off",
    ]  # fmt: skip
    switched = [mail.notice["is_on"] for mail in door.mails("second_factor_switched")]
    assert switched == [True, False]
    assert len(door.mails("recovery_codes_made")) == 1
    colleague = Door.mails
    door.email = "colleague@account.test"
    assert colleague(door, "second_factor_switched") == []
