"""A forgotten password: one link, once, for half an hour, and everything else ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, select, update

from portal.domain.jobs import MAIL_RESET_LINK
from portal.domain.passwords import Weakness
from portal.domain.sign_in import Origin
from portal.gateways.queue import JobQueue
from portal.models.accounts import PersonRow
from portal.models.mails import MailRow
from portal.models.sign_in import ResetLinkRow, ResetWishRow
from portal.services import resetting
from portal.services.forgetting import forget_sign_ins
from portal.services.queueing import QUEUE
from portal.services.resetting import Reset
from portal.services.sessions import Entered
from portal.services.throttling import Paused, Refused
from tests.services.entering import FIREFOX, SECOND, THERE, Door
from tests.support.mails import Office
from tests.support.working import said
from tests.support.world import World

NEW = "radium and polonium"


@pytest.fixture
def door(world: World) -> Door:
    return Door(world)


def test_the_link_sets_the_password_and_ends_every_session(door):
    sids = [door.enter().sid for _ in range(2)]
    assert door.forget() is None
    assert isinstance(door.reset(door.link(), NEW), Reset)
    assert [door.member(sid) for sid in sids] == [None, None]
    assert door.try_in() == Refused()
    assert isinstance(door.try_in(NEW), Entered)
    told = [name for name in door.told() if name.startswith("password")]
    assert told == ["password:forgotten", "password:reset"]
    (mail,) = door.mails("password_changed")
    assert mail.notice["by_link"] is True
    assert mail.notice["place"]["address"] == THERE


def test_an_unknown_address_is_answered_alike_and_gets_nothing(door, world):
    assert door.forget("nobody@nowhere.test") is None
    assert (world.rows(MailRow), world.rows(ResetLinkRow)) == (0, 0)
    for _ in range(2):
        assert door.forget("nobody@nowhere.test") is None
    assert door.forget("nobody@nowhere.test") == Paused(timedelta(minutes=15))


def asked_with(world, email):
    """The statements of one ask, and the arguments of its job."""
    statements = []

    def seen(connection, cursor, statement, *_):
        statements.append(statement)

    event.listen(world.engine, "before_cursor_execute", seen)
    with world.session() as session:
        session.info[QUEUE] = JobQueue()
        origin = Origin(THERE, FIREFOX)
        assert resetting.ask(session, world.scope, email, origin, world.wall) is None
    event.remove(world.engine, "before_cursor_execute", seen)
    return statements, said(world, MAIL_RESET_LINK)[-1]


def test_the_request_does_the_same_whether_or_not_the_address_is_known(door, world):
    asked_with(world, "first@nowhere.test")  # what a connection does once
    known, theirs = asked_with(world, door.email)
    unknown, nobodys = asked_with(world, "nobody@nowhere.test")
    assert known == unknown
    assert (world.rows(MailRow), world.rows(ResetLinkRow)) == (0, 0)
    assert theirs == nobodys


def test_the_job_holds_its_environment_and_a_row_what_was_typed(door, world):
    """Row security does not reach the job engine's tables."""
    _, args = asked_with(world, door.email)
    assert args == {"environment_id": world.scope.environment_id}
    with world.session() as session:
        wish = session.scalars(select(ResetWishRow)).one()
        assert (wish.email, wish.address, wish.user_agent) == (door.email, THERE, FIREFOX)
    door.mail_links()
    assert world.rows(ResetWishRow) == 0
    assert isinstance(door.reset(door.link(), NEW), Reset)


def test_one_job_does_what_several_wished_for_and_another_finds_nothing(door, world):
    other = Door(world)
    for each in (door, other):
        each.wish()
    door.wish("nobody@nowhere.test")
    for _ in range(2):
        door.mail_links()
    assert (world.rows(ResetWishRow), world.rows(ResetLinkRow)) == (0, 2)
    assert len(door.mails("password_forgotten")) == len(other.mails("password_forgotten")) == 1


def test_two_workers_at_once_mail_a_link_once(door, world):
    door.wish()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: door.mail_links(), range(2)))
    assert (world.rows(ResetWishRow), world.rows(ResetLinkRow)) == (0, 1)


def test_a_link_that_would_be_over_when_it_comes_is_not_mailed(door, world):
    door.wish()
    world.now += SECOND
    door.wish()
    world.now += resetting.LIFE - SECOND
    door.mail_links()
    assert (world.rows(ResetWishRow), world.rows(ResetLinkRow)) == (0, 1)


def test_a_wish_that_no_worker_hears_is_forgotten_in_a_day(door, world):
    door.wish()
    for after, left in ((timedelta(days=1) - SECOND, 1), (SECOND, 0)):
        world.now += after
        with world.session() as session:
            forget_sign_ins(session, world.scope, world.wall)
        assert world.rows(ResetWishRow) == left


def test_a_link_is_good_once_and_spends_those_beside_it(door):
    door.forget()
    first = door.link()
    door.world.now += SECOND
    door.forget()
    second = door.link()
    assert first != second
    assert isinstance(door.reset(second, NEW), Reset)
    assert door.reset(second, "another good one") is None
    assert door.reset(first, "another good one") is None
    assert isinstance(door.try_in(NEW), Entered)


def test_a_reset_voids_the_links_of_the_host_too(door):
    door.forget()
    of_the_host = door.link_of_the_host()
    assert isinstance(door.reset(door.link(), NEW), Reset)
    assert door.follow(of_the_host) is None


def test_a_link_is_good_for_half_an_hour(door, world):
    door.forget()
    written = door.link()
    world.now += timedelta(minutes=30)
    assert door.reset(written, NEW) is None
    world.now -= SECOND
    assert isinstance(door.reset(written, NEW), Reset)


def test_a_link_is_its_own_persons(door, world):
    other = Door(world)
    door.forget()
    door.reset(door.link(), NEW)
    assert isinstance(other.try_in(), Entered)
    assert other.try_in(NEW) == Refused()


@pytest.mark.parametrize("written", ["", "made-up", "0" * 64])
def test_a_made_up_link_sets_nothing(door, written):
    door.forget()
    assert door.reset(written, NEW) is None
    assert isinstance(door.try_in(), Entered)


def test_a_weak_password_does_not_spend_the_link(door):
    door.forget()
    assert door.reset(door.link(), "short") is Weakness.SHORT
    assert door.reset(door.link(), "123qweasdzxc") is Weakness.COMMON
    assert isinstance(door.reset(door.link(), NEW), Reset)


def test_of_many_at_once_one_sets_it(door):
    door.forget()
    written = door.link()
    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda n: door.reset(written, f"{NEW} {n}"), range(4)))
    assert [type(each) for each in outcomes].count(Reset) == 1
    assert outcomes.count(None) == 3


def test_asking_is_throttled_for_each_address_and_each_network(door, world):
    assert [door.forget() for _ in range(3)] == [None] * 3
    assert door.forget() == Paused(timedelta(minutes=15))
    assert door.forget(at=THERE) == Paused(timedelta(minutes=15))
    for number in range(20):
        assert door.forget(f"nobody{number}@nowhere.test", at=THERE) is None
    assert isinstance(door.forget("nobody@elsewhere.test", at=THERE), Paused)
    world.now += timedelta(minutes=15)
    assert door.forget() is None


def test_a_reset_gets_past_whoever_guesses(door):
    door.forget()
    for number in range(25):
        for _ in range(4):
            door.try_in("wrong", at=f"203.0.113.{number}")
    assert isinstance(door.try_in(at=THERE), Paused)
    device = door.reset(door.link(), NEW).device
    assert isinstance(door.try_in(NEW, at=THERE, device=device), Entered)


def test_old_browsers_are_strangers_afterwards(door):
    old = door.enter().device
    door.forget()
    door.reset(door.link(), NEW)
    for _ in range(5):
        door.try_in("wrong", device=old)
    assert isinstance(door.try_in(NEW, device=old), Paused), "counted as a stranger's"


def test_a_sign_in_under_way_with_the_old_password_goes_no_further(door):
    secret, _ = door.turn_on(door.enter().sid)
    challenge = door.challenge()
    door.forget()
    door.reset(door.link(), NEW)
    assert door.show(challenge, door.code(secret)) is None
    assert isinstance(door.show(door.try_in(NEW).challenge, door.code(secret)), Entered)


def test_who_came_by_a_link_of_the_host_sets_a_first_password_so(door, world):
    world.change(update(PersonRow).values(password_hash=None))
    door.forget()
    assert isinstance(door.reset(door.link(), NEW), Reset)
    assert isinstance(door.try_in(NEW), Entered)


def test_neither_link_nor_letter_is_in_the_database(door, world):
    door.forget()
    office = Office(world)
    assert office.send().mails == 1
    (letter,) = office.bag.mails
    assert letter.letter.text
    with world.session() as session:
        row = session.scalars(select(MailRow)).one()
        assert (row.status, row.text, row.html) == ("sent", "", "")
        assert row.subject
        link = session.scalars(select(ResetLinkRow)).one()
    assert door.link() not in f"{row.notice} {link.digest}"


def test_links_are_deleted_a_day_after_their_end(door, world):
    door.forget()
    world.now += timedelta(days=1, minutes=30) - SECOND
    with world.session() as session:
        forget_sign_ins(session, world.scope, world.wall)
    assert world.rows(ResetLinkRow) == 1
    world.now += SECOND
    with world.session() as session:
        forget_sign_ins(session, world.scope, world.wall)
    assert world.rows(ResetLinkRow) == 0
