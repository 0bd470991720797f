"""Who gets a mail when members change: owners, and whom it is about."""

from __future__ import annotations

import pytest

from portal.domain.access import Role
from portal.services.members import LastOwner
from tests.services.gathering import Party

OWN, OTHERS = True, False


@pytest.fixture
def party(shop) -> Party:
    """Two owners: the first acts."""
    party = Party(shop)
    party.add(Role.OWNER, "bo@party.test")
    return party


def test_a_role_that_changes_is_told_to_the_person_and_to_every_owner(party):
    other = party.add(Role.MEMBER, "ada@party.test")
    party.add(Role.ADMIN, "nobody@party.test")
    party.change(other, Role.ADMIN)
    assert party.letters("role_changed") == [
        ("ada@party.test", OWN), ("bo@party.test", OTHERS), (party.door.email, OTHERS),
    ]  # fmt: skip


def test_the_same_role_again_is_told_to_nobody(party):
    party.change(party.add(Role.ADMIN, "ada@party.test"), Role.ADMIN)
    assert party.letters("role_changed") == []


def test_an_owner_whose_role_changes_is_told_once_as_the_person(party):
    other = party.add(Role.OWNER, "ada@party.test")
    party.change(other, Role.MEMBER)
    assert ("ada@party.test", OWN) in party.letters("role_changed")
    assert len(party.letters("role_changed")) == 3


def test_who_is_removed_is_told_though_they_are_no_member_any_more(party):
    party.remove(party.add(Role.BILLING, "ada@party.test"))
    assert party.letters("member_gone") == [
        ("ada@party.test", OWN), ("bo@party.test", OTHERS), (party.door.email, OTHERS),
    ]  # fmt: skip


def test_who_leaves_knows_it_and_the_owners_are_told(party):
    party.leave(party.add(Role.MEMBER, "ada@party.test"))
    assert party.letters("member_gone") == [("bo@party.test", OTHERS), (party.door.email, OTHERS)]


def test_the_last_owner_who_stays_is_told_about_to_nobody(shop):
    alone = Party(shop)
    assert alone.leave(alone.owner) == LastOwner()
    assert alone.letters("member_gone") == []


def test_who_joins_is_told_to_owners_once(party):
    written = party.invited("new@party.test")
    party.join(written)
    assert party.letters("member_joined") == [("bo@party.test", False), (party.door.email, False)]
    party.join(written)
    assert len(party.letters("member_joined")) == 2


def test_another_accounts_owners_hear_nothing(party):
    elsewhere = Party(party.world)
    party.remove(party.add(Role.MEMBER, "ada@party.test"))
    assert elsewhere.letters("member_gone") == []
