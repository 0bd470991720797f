"""Invitations of somebody who may not invite any more: they are withdrawn, and let nobody in."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.models.accounts import MembershipRow
from portal.models.events import EventRow
from portal.queries.invitations import find_invitation
from tests.services.gathering import Party

SECOND_ADDRESS = "second@address.test"


@pytest.fixture
def party(world) -> Party:
    return Party(world)


def removed(party, who):
    assert party.remove(who) is None
    return party.owner


def left(party, who):
    assert party.leave(who) is None
    return who


def demoted(party, who):
    assert party.change(who, Role.ADMIN) is None
    return party.owner


def invited_by(party, who, email=SECOND_ADDRESS):
    party.invite(email, Role.OWNER, by=who)
    return party.link()


def seen(party, written):
    with party.world.session() as session:
        return find_invitation(session, party.world.scope, written, party.world.wall)


@pytest.mark.parametrize("goes", [removed, left, demoted])
def test_who_may_not_invite_any_more_does_not_come_back_by_an_invitation_of_theirs(party, goes):
    who = party.add(Role.OWNER, "first@address.test")
    party.invited("ada@new.test")
    written = invited_by(party, who)
    doer = goes(party, who)
    assert seen(party, written) is None
    assert party.join(written) is None
    assert [each.email for each in party.waiting()] == ["ada@new.test"]
    assert ("invitation:withdrawn", f"person:{doer.person_id}") in party.told()
    withdrawn = select(EventRow).where(EventRow.name == "invitation:withdrawn")
    with party.world.session() as session:
        (event,) = session.scalars(withdrawn)
    assert event.detail == {"email": SECOND_ADDRESS}


def test_who_keeps_the_right_keeps_their_invitations(party):
    written = invited_by(party, party.owner)
    party.change(party.owner, Role.OWNER)
    party.remove(party.add(Role.OWNER))
    assert seen(party, written) is not None
    assert party.rows() == 1


def test_what_another_owner_sent_again_is_theirs(party):
    who = party.add(Role.OWNER)
    invited_by(party, who)
    party.send_again()
    written = party.link()
    party.remove(who)
    assert seen(party, written) is not None


def test_invitations_to_another_account_stay(party):
    elsewhere = Party(party.world)
    who = party.add(Role.OWNER, "both@party.test")
    there = elsewhere.add(Role.OWNER, "both@party.test")
    written = invited_by(elsewhere, there)
    party.remove(who)
    assert seen(elsewhere, written) is not None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_the_right_is_asked_for_again_when_somebody_joins(party, role):
    who = party.add(Role.OWNER)
    written = invited_by(party, who)
    mine = MembershipRow.id == party.membership(who)
    party.world.change(update(MembershipRow).where(mine).values(role=role))
    assert seen(party, written) is None
    assert party.join(written) is None
    known = Party(party.world).door
    assert party.accept(written, known.enter().sid) is None
    assert party.rows() == 1
