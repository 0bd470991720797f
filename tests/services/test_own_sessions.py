"""A person's sessions and password: what ends, what goes on under another id, what is told."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from portal.domain.passwords import Weakness
from portal.models.sign_in import DeviceRow
from portal.queries.members import IDLE_LIFE
from portal.queries.sessions import open_sessions
from portal.services import proving, sign_in
from portal.services import sessions as service
from portal.services.changing_passwords import Changed, change_password
from portal.services.forgetting import forget_sign_ins
from portal.services.sessions import Entered
from portal.services.throttling import Paused, Refused
from tests.services.entering import FIREFOX, HERE, SECOND, THERE, Door
from tests.support.world import PASSWORD, World

NEW = "radium and polonium"


@pytest.fixture
def door(world: World) -> Door:
    return Door(world)


def test_the_list_has_this_one_first_and_none_that_is_over(door, world):
    idle = door.enter()
    world.now += IDLE_LIFE - SECOND
    first, this, other = door.enter(), door.enter(at=THERE), door.enter()
    Door(world).enter()
    with door.visit(first.sid) as visit:
        service.sign_out(visit.session, visit.scope, first.sid, visit.wall)
    world.now += SECOND
    with door.visit(this.sid) as visit:
        found = open_sessions(visit.session, visit.actor, visit.session_id, visit.wall)
    assert [each.id for each in found] == [door.session_id(s.sid) for s in (this, other)]
    assert [each.is_this for each in found] == [True, False]
    assert (found[0].address, found[0].user_agent) == (THERE, FIREFOX)
    assert door.session_id(idle.sid) not in [each.id for each in found]


def test_one_is_ended_and_nobody_elses(door, world):
    mine, other = door.enter(), door.enter()
    theirs = Door(world).enter()
    with door.visit(mine.sid) as visit:
        assert service.revoke(visit.session, visit.actor, door.session_id(other.sid), visit.wall)
        for sid in (other.sid, theirs.sid):
            ended = door.session_id(sid)
            assert not service.revoke(visit.session, visit.actor, ended, visit.wall)
    assert [door.member(each.sid) is None for each in (mine, other, theirs)] == [False, True, False]
    assert door.told()[-1] == "session:revoked"


def test_everywhere_else_leaves_this_one_and_this_browser(door):
    mine, others = door.enter(), [door.enter() for _ in range(3)]
    with door.visit(mine.sid) as visit:
        ended = service.revoke_others(
            visit.session, visit.actor, visit.session_id, mine.device, visit.wall
        )
    assert ended == 3
    assert door.member(mine.sid) is not None
    assert {door.member(each.sid) for each in others} == {None}
    for _ in range(5):
        door.try_in("wrong")
    assert isinstance(door.try_in(device=others[0].device), Paused)
    assert isinstance(door.try_in(device=mine.device), Entered)


def test_a_changed_password_gives_this_session_another_id_and_ends_the_others(door):
    mine, other = door.enter(), door.enter()
    number = door.session_id(mine.sid)
    with door.visit(mine.sid, mine.device) as visit:
        changed = change_password(visit, PASSWORD, NEW)
    assert isinstance(changed, Changed)
    assert door.member(mine.sid) is None
    assert door.member(other.sid) is None
    assert door.session_id(changed.sid) == number
    assert door.try_in() == Refused()
    assert isinstance(door.try_in(NEW), Entered)
    assert "password:changed" in door.told()
    (mail,) = door.mails("password_changed")
    assert (mail.notice["by_link"], mail.notice["place"]["address"]) == (False, HERE)


def test_a_changed_password_voids_the_links_that_were_asked_for_before(door, world):
    door.forget()
    mailed, of_the_host = door.link(), door.link_of_the_host()
    theirs = Door(world).link_of_the_host()
    mine = door.enter()
    with door.visit(mine.sid, mine.device) as visit:
        assert isinstance(change_password(visit, PASSWORD, NEW), Changed)
    assert door.reset(mailed, "another good one") is None
    assert door.follow(of_the_host) is None
    assert door.follow(theirs) is not None
    assert isinstance(door.try_in(NEW), Entered)


def once_compared(monkeypatch, module, meanwhile):
    """Let something happen after the next password of `module` is compared."""
    really, waiting = module.is_right, [meanwhile]

    def compared(stored, password):
        right = really(stored, password)
        while waiting:
            waiting.pop()()
        return right

    monkeypatch.setattr(module, "is_right", compared)


def test_a_sign_in_that_a_reset_overtakes_leaves_no_session(door, monkeypatch):
    door.forget()
    once_compared(monkeypatch, sign_in, lambda: door.reset(door.link(), NEW))
    assert door.try_in() == Refused()
    assert not [name for name in door.told() if name == "session:started"]
    assert isinstance(door.try_in(NEW), Entered)


def test_a_sign_in_that_a_changed_password_overtakes_leaves_no_session(door, monkeypatch):
    mine = door.enter()

    def change():
        with door.visit(mine.sid, mine.device) as visit:
            assert isinstance(change_password(visit, PASSWORD, NEW), Changed)

    once_compared(monkeypatch, sign_in, change)
    assert door.try_in() == Refused()


def test_a_password_that_a_reset_replaces_changes_nothing_any_more(door, monkeypatch):
    door.forget()
    mine = door.enter()
    once_compared(monkeypatch, proving, lambda: door.reset(door.link(), NEW))
    with door.visit(mine.sid, mine.device) as visit:
        assert change_password(visit, PASSWORD, "the words of a thief") == Refused()
    assert isinstance(door.try_in(NEW), Entered)


def test_a_weak_password_or_a_wrong_old_one_changes_nothing(door):
    sid = door.enter().sid
    with door.visit(sid) as visit:
        assert change_password(visit, PASSWORD, "short") is Weakness.SHORT
        assert change_password(visit, PASSWORD, door.email) is Weakness.OWN
        assert change_password(visit, PASSWORD, "Acme20262027") is Weakness.COMMON
        assert change_password(visit, "wrong", NEW) == Refused()
    assert door.member(sid) is not None
    assert isinstance(door.try_in(), Entered)
    assert "proof:refused" in door.told()


def test_the_old_password_is_throttled_in_its_session_alone(door, world):
    one, other = door.enter(), door.enter()
    with door.visit(one.sid) as visit:
        assert [change_password(visit, "wrong", NEW) for _ in range(5)] == [Refused()] * 5
        assert change_password(visit, PASSWORD, NEW) == Paused(timedelta(seconds=30))
    with door.visit(other.sid) as visit:
        assert isinstance(change_password(visit, PASSWORD, NEW), Changed)


def test_an_old_browser_is_forgotten_after_half_a_year(door, world):
    device = door.enter().device
    world.now += timedelta(days=180) - SECOND
    again = door.enter(device=device)
    assert again.device == device, "in use, it stays known"
    world.now += timedelta(days=180)
    with world.session() as session:
        forget_sign_ins(session, world.scope, world.wall)
    assert world.rows(DeviceRow) == 0
    assert door.enter(device=device).device != device


def test_a_browser_that_is_not_this_persons_gets_a_cookie_of_its_own(door, world):
    theirs = Door(world).enter().device
    assert door.enter(device=theirs).device != theirs
    assert door.enter(device="planted").device != "planted"
    world.change(update(DeviceRow).values(last_used_at=world.now - timedelta(days=180)))
    for _ in range(5):
        door.try_in("wrong")
    assert isinstance(door.try_in(device=theirs), Paused)


def test_of_two_that_renew_a_session_at_once_one_gets_its_new_id(door, world):
    sid = door.enter().sid
    with world.session() as session:
        fresh = [service.renew(session, world.scope, sid) for _ in range(2)]
    assert fresh[1] is None
    assert door.member(sid) is None
    assert door.session_id(fresh[0])
