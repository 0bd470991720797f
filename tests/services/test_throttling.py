"""Who guesses is paused; who knows the password gets in, now or later; nobody is told more."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from portal.domain.throttle import PAIR
from portal.models.sign_in import TryCountRow
from portal.services import passwords
from portal.services.forgetting import forget_sign_ins
from portal.services.sessions import Entered
from portal.services.throttling import Admitted, Paused, Refused, admit, watched
from tests.services.entering import HERE, SECOND, THERE, Door
from tests.support.world import PASSWORD, World


@pytest.fixture
def door(world: World) -> Door:
    return Door(world)


def fail(door: Door, times: int, **where: str) -> list[object]:
    return [door.try_in("wrong", **where) for _ in range(times)]


def test_five_wrong_tries_and_the_sixth_waits_even_with_the_right_password(door, world):
    assert fail(door, 5) == [Refused()] * 5
    assert door.try_in() == Paused(timedelta(seconds=30))
    world.now += timedelta(seconds=29)
    assert door.try_in() == Paused(SECOND)
    world.now += SECOND
    assert isinstance(door.try_in(), Entered)


def test_what_is_refused_during_a_pause_makes_it_no_longer(door, world):
    fail(door, 5)
    assert fail(door, 50) == [Paused(timedelta(seconds=30))] * 50
    world.now += timedelta(seconds=30)
    assert isinstance(door.try_in(), Entered)


def test_the_right_password_starts_the_count_anew(door):
    for _ in range(3):
        assert fail(door, 4) == [Refused()] * 4
        door.enter()


def test_unknown_addresses_are_counted_and_answered_like_known_ones(door):
    known = fail(door, 6)
    unknown = fail(door, 6, email="nobody@nowhere.test", at=THERE)
    assert known == unknown
    assert isinstance(known[-1], Paused)


def test_each_judged_try_costs_one_hash_and_a_pause_none(door, monkeypatch):
    hashed = []
    verify = passwords.PasswordHasher.verify

    def seen(hasher, stored: str, said: str) -> bool:
        hashed.append(stored.rsplit("$", 2)[0])  # its cost, without salt and hash
        return verify(hasher, stored, said)

    monkeypatch.setattr(passwords.PasswordHasher, "verify", seen)
    fail(door, 7)
    known = list(hashed)
    hashed.clear()
    fail(door, 7, email="nobody@nowhere.test", at=THERE)
    assert hashed == known == [known[0]] * 5


def test_an_address_is_one_however_it_is_written(door):
    fail(door, 3)
    fail(door, 2, email=f"  {door.email.upper()}")
    assert isinstance(door.try_in(), Paused)


def test_strangers_pause_neither_another_network_nor_a_known_browser(door):
    device = door.enter().device
    fail(door, 5)
    assert isinstance(door.try_in(), Paused)
    assert isinstance(door.try_in(at=THERE), Entered)
    assert isinstance(door.try_in(device=device), Entered)
    assert isinstance(door.try_in(device="made-up"), Paused)


def test_many_networks_together_pause_the_person_but_not_their_browser(door, world):
    device = door.enter().device
    for number in range(25):
        fail(door, 4, at=f"203.0.113.{number}")
    assert isinstance(door.try_in(at=THERE), Paused)
    assert isinstance(door.try_in(at=THERE, device=device), Entered)
    world.now += timedelta(seconds=30)
    assert isinstance(door.try_in(at=THERE), Entered)


def test_a_known_browser_guesses_no_oftener_than_others(door):
    device = door.enter().device
    assert fail(door, 10, device=device) == [Refused()] * 10
    assert isinstance(door.try_in(device=device), Paused)


def test_somebody_elses_browser_is_a_stranger(door, world):
    other = Door(world)
    fail(door, 5)
    assert isinstance(door.try_in(device=other.enter(at=THERE).device), Paused)


def test_one_network_tries_thirty_addresses_and_owning_one_helps_nothing(door, world):
    other = Door(world)
    for number in range(30):
        assert isinstance(other.try_in(), Entered), "a right password in between"
        assert fail(door, 1, email=f"guess{number}@nowhere.test") == [Refused()]
    assert isinstance(other.try_in(), Paused)
    assert isinstance(other.try_in(at=THERE), Entered)


def test_right_passwords_alone_never_pause_an_office(world):
    doors = [Door(world) for _ in range(4)]
    for _ in range(10):
        assert all(isinstance(door.try_in(), Entered) for door in doors)


def guess(app_url: str, email: str, times: int) -> int:
    """How many of so many wrong passwords were judged, in a process of its own."""
    from portal.domain.sign_in import Origin
    from portal.services.sign_in import sign_in

    world, judged = World(app_url), 0
    for _ in range(times):
        with world.session() as session:
            outcome = sign_in(session, world.scope, email, "x", Origin(HERE, ""), world.wall)
        judged += isinstance(outcome, Refused)
    return judged


def test_two_processes_share_the_count(door, world):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        judged = [pool.submit(guess, world.app_url, door.email, 8) for _ in range(2)]
        assert sum(each.result() for each in judged) == PAIR.free
    assert isinstance(door.try_in(PASSWORD), Paused)


def test_tries_at_one_instant_are_not_judged_together(world):
    def judged(subject: str, together: Barrier) -> bool:
        with world.session() as session:
            session.connection()
            together.wait()
            things = [watched(PAIR, subject)]
            return isinstance(admit(session, world.scope, things, world.wall), Admitted)

    with ThreadPoolExecutor(10) as pool:
        for number in range(10):
            together = Barrier(10)
            tried = [pool.submit(judged, f"subject {number}", together) for _ in range(10)]
            assert sum(each.result() for each in tried) == PAIR.free


def test_what_is_forgiven_is_deleted_and_nothing_else(door, world):
    def forget() -> int:
        with world.session() as session:
            forget_sign_ins(session, world.scope, world.wall)
        return world.rows(TryCountRow)

    fail(door, 2)
    assert forget() == 3
    world.now += timedelta(minutes=30) - SECOND
    assert forget() == 2, "a network's are forgiven sooner"
    world.now += SECOND
    assert forget() == 0


def test_the_table_names_nobody(door, world):
    fail(door, 1)
    with world.session() as session:
        for row in session.query(TryCountRow):
            assert len(row.subject) == 64
            assert door.email not in row.subject
