"""Other roles, removal, leaving: at once, by owners only, and never without an owner left."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from threading import Barrier

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal.domain.access import Actor, Permission, Role
from portal.domain.errors import Forbidden, NotFound
from portal.models.keys import SignInLinkRow
from portal.models.sign_in import ChallengeRow
from portal.services import members
from portal.services.accounts import NewAccount
from portal.services.host_accounts import Owner, Put, Wanted, put
from portal.services.links import make
from portal.services.members import LastOwner
from portal.services.throttling import Refused
from tests.services.entering import host_key
from tests.services.gathering import Party, now_as


@dataclass(frozen=True)
class Pair:
    """A member, and the number of their membership."""

    actor: Actor
    membership_id: int


OTHERS = [role for role in Role if role is not Role.OWNER]


@pytest.fixture
def party(shop) -> Party:
    return Party(shop)


def test_another_role_holds_from_the_next_request_on(party):
    other = party.add(Role.MEMBER, "next@party.test")
    sid = party.enter("next@party.test").sid
    assert party.change(other, Role.ADMIN) is None
    assert party.door.member(sid).actor.can(Permission.BILLING_UPDATE)
    assert party.change(other, Role.MEMBER) is None
    assert not party.door.member(sid).actor.can(Permission.BILLING_UPDATE)
    doer = f"person:{party.owner.person_id}"
    assert party.told() == [("member:role_changed", doer)] * 2


def test_the_same_role_changes_and_tells_nothing(party):
    assert party.change(party.add(Role.ADMIN), Role.ADMIN) is None
    assert party.told() == []


def test_who_is_removed_is_out_at_once_and_cannot_come_back(party):
    other = party.add(Role.ADMIN, "gone@party.test")
    sid = party.enter("gone@party.test").sid
    assert party.remove(other) is None
    assert party.door.member(sid) is None
    assert party.try_in("gone@party.test") == Refused()
    assert party.roles() == ["owner"]
    assert party.told() == [("member:removed", f"person:{party.owner.person_id}")]


def test_removal_ends_what_signs_in_to_this_account_and_nothing_else(party):
    elsewhere = Party(party.world)
    other = party.add(Role.ADMIN, "both@party.test")
    elsewhere.add(Role.MEMBER, "both@party.test")
    here = party.enter("both@party.test").sid
    there = party.move(party.enter("both@party.test").sid, elsewhere.listed()[1].id)
    with party.world.session() as session:
        scope, wall = party.world.scope, party.world.wall
        key = host_key(session, scope, wall)
        make(session, scope, other.account_id, "both@party.test", "/", key, wall)
    mine = {"membership_id": party.membership(other)}
    assert party.world.rows(SignInLinkRow, **mine) == 1
    party.remove(other)
    assert party.door.member(here) is None
    assert party.door.member(there).actor.account_id == elsewhere.owner.account_id
    assert party.world.rows(SignInLinkRow, **mine) == 0
    assert party.door.member(party.enter("both@party.test").sid).actor.role is Role.MEMBER


def test_a_sign_in_half_way_goes_no_further(party):
    other = party.add(Role.ADMIN, "half@party.test")
    door = party.door
    door.email = "half@party.test"
    secret, _ = door.turn_on(door.enter().sid)
    challenge = door.challenge()
    mine = {"membership_id": party.membership(other)}
    assert party.world.rows(ChallengeRow, **mine) == 1
    party.remove(other)
    assert door.show(challenge, door.code(secret)) is None


@pytest.mark.parametrize("role", OTHERS)
def test_who_is_no_owner_changes_nobody_but_may_leave(party, role):
    who, other = party.add(role), party.add(Role.MEMBER)
    with pytest.raises(Forbidden):
        party.change(other, Role.OWNER, by=who)
    with pytest.raises(Forbidden):
        party.change(who, Role.OWNER, by=who)
    with pytest.raises(Forbidden):
        party.remove(other, by=who)
    assert party.leave(who) is None
    assert party.roles() == ["member", "owner"]
    assert party.told() == [("member:left", f"person:{who.person_id}")]


def test_members_of_another_account_are_not_found(party):
    theirs = Party(party.world)
    other = theirs.add(Role.MEMBER)
    with pytest.raises(NotFound):
        party.change(other, Role.OWNER)
    with pytest.raises(NotFound):
        party.remove(other)
    assert theirs.roles() == ["member", "owner"]


@pytest.mark.parametrize("role", OTHERS)
def test_the_last_owner_stays_owner_and_stays(party, role):
    party.add(Role.ADMIN)
    assert party.change(party.owner, role) == LastOwner()
    assert party.remove(party.owner) == LastOwner()
    assert party.leave(party.owner) == LastOwner()
    assert party.change(party.owner, Role.OWNER) is None
    assert party.told() == []
    second = party.add(Role.OWNER)
    assert party.leave(party.owner) is None
    assert party.leave(second) == LastOwner()


def at_once(*acts):
    """What each came to, begun together; an error counts by its type."""
    barrier = Barrier(len(acts))

    def one(act):
        barrier.wait()
        try:
            return type(act())
        except (Forbidden, NotFound) as error:
            return type(error)

    with ThreadPoolExecutor(len(acts)) as pool:
        return Counter(pool.map(one, acts))


def demote(party, by, whom):
    return party.act(members.change_role, by, whom.membership_id, Role.MEMBER)


def remove(party, by, whom):
    return party.act(members.remove, by, whom.membership_id)


def leave(party, by, whom):
    return party.leave(by)


def between_two(party, first, second):
    """What two owners came to who act on each other at once."""
    pair = (party.owner, party.add(Role.OWNER))
    ids = [party.membership(each) for each in pair]
    one, other = (Pair(who, number) for who, number in zip(pair, ids, strict=True))
    return at_once(lambda: first(party, one.actor, other), lambda: second(party, other.actor, one))


@pytest.mark.parametrize(
    ("first", "second"), [(demote, demote), (remove, remove), (leave, leave), (demote, leave)]
)
def test_two_owners_at_once_leave_one(shop, first, second):
    for _ in range(5):
        party = Party(shop)
        outcomes = between_two(party, first, second)
        assert party.roles().count("owner") == 1
        assert outcomes[type(None)] == 1 or second is not first, outcomes


def test_a_right_that_was_lost_since_the_request_began_counts_no_more(party):
    other = party.add(Role.OWNER)
    third = party.add(Role.MEMBER)
    party.change(other, Role.ADMIN)
    for by in (other, now_as(third, Role.OWNER)):
        with pytest.raises(Forbidden):
            party.change(third, Role.OWNER, by=by)
        with pytest.raises(Forbidden):
            party.remove(party.owner, by=by)
        with pytest.raises(Forbidden):
            party.invite("friend@party.test", by=by)
    party.remove(other)
    with pytest.raises(NotFound):
        party.remove(third, by=other)
    assert party.roles() == ["member", "owner"]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["change", "remove", "leave"]),
        st.integers(0, 3), st.integers(0, 3), st.sampled_from(list(Role)),
    ),
    max_size=12,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_whatever_members_do_an_owner_is_left(shop, steps):
    party = Party(shop)
    people = [party.owner, party.add(Role.OWNER), party.add(Role.ADMIN), party.add(Role.MEMBER)]
    ids = [party.membership(each) for each in people]
    for act, by, whom, role in steps:
        now = {each.id: each.role for each in party.listed()}
        if ids[by] not in now:
            continue
        actor = now_as(people[by], now[ids[by]])
        with suppress(Forbidden, NotFound):
            if act == "change":
                party.act(members.change_role, actor, ids[whom], role)
            elif act == "remove":
                party.act(members.remove, actor, ids[whom])
            else:
                party.leave(actor)
        assert "owner" in party.roles()


def test_the_host_names_owners_as_before(party, world):
    party = Party(world)
    second = party.add(Role.OWNER, "second@party.test")
    account = NewAccount(f"account{world.key_of(party.owner)}", "Account1", "usd")
    mail = party.door.email
    for named in (Owner(mail, "A"), Owner("second@party.test", "B"), None):
        assert isinstance(put_account(world, account, named), Put)
    party.leave(party.owner)
    assert [each.field for each in put_account(world, account, Owner(mail, "A"))] == [
        ("owner", "email")
    ]
    assert isinstance(put_account(world, account, None), Put)
    assert [each.email for each in party.listed(second)] == ["second@party.test"]


def put_account(world, account, owner):
    with world.session() as session:
        return put(session, world.scope, Wanted(account, owner, None), "key:1", world.wall)


def test_the_list_says_who_may_what_and_who_was_here(party):
    party.add(Role.MEMBER, "zoe@party.test")
    party.add(Role.BILLING, "ben@party.test")
    party.enter("ben@party.test")
    owner, ben, zoe = party.listed()
    assert [each.email for each in (ben, zoe)] == ["ben@party.test", "zoe@party.test"]
    assert [each.may_spend for each in (owner, ben, zoe)] == [True, True, False]
    assert [each.seen_at for each in (owner, ben, zoe)] == [None, party.world.now, None]
    assert (owner.is_self, owner.is_last_owner) == (True, True)
    assert not ben.is_self | zoe.is_self | ben.is_last_owner


def test_time_elsewhere_is_not_told_here(party):
    elsewhere = Party(party.world)
    party.add(Role.MEMBER, "twice@party.test")
    elsewhere.add(Role.MEMBER, "twice@party.test")
    party.enter("twice@party.test")
    assert elsewhere.listed()[1].seen_at is None
    assert party.listed()[1].seen_at == party.world.now


def test_a_session_moves_between_ones_own_accounts_only(party):
    elsewhere = Party(party.world)
    party.add(Role.MEMBER, "mover@party.test")
    elsewhere.add(Role.ADMIN, "mover@party.test")
    stranger = elsewhere.listed()[0].id
    sid = party.enter("mover@party.test").sid
    fresh = party.move(sid, elsewhere.listed()[1].id)
    assert party.door.member(sid) is None, "the id before is worth nothing"
    found = party.door.member(fresh)
    assert (found.actor.account_id, found.actor.role) == (elsewhere.owner.account_id, Role.ADMIN)
    with pytest.raises(NotFound):
        party.move(fresh, stranger)
    assert elsewhere.told()[-1][0] == "session:moved"
