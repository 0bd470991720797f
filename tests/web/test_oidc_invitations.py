"""Invitations accepted by a provider's word, and what is said when a provider fails."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from portal.models.accounts import MembershipRow, PersonRow, SessionRow
from portal.models.identities import IdentityRow
from tests.support.identity_provider import unsigned
from tests.web.inviting import Host
from tests.web.providing import SIGN_IN, STAFF_SIGN_IN, without_password

OWNER, ADA = "owner@account1.test", "ada@new.test"


@pytest.fixture
def link(world, traveller) -> str:
    """What was mailed to Ada."""
    world.account()
    inviter = traveller.other()
    inviter.visitor.sign_in(OWNER)
    return Host(world, inviter.visitor).invited(ADA)


def accept(traveller, link: str, status: int = 303, **who: object):
    written = link.rpartition("/")[2]
    address = traveller.set_out(link, invitation=written, next=link)
    return traveller.come_back(traveller.provider.sign_in(address, **who), status)


def ada(world) -> PersonRow | None:
    with world.session() as session:
        return session.scalars(select(PersonRow).where(PersonRow.email == ADA)).one_or_none()


def test_a_newcomer_whose_verified_address_was_invited_is_a_member(link, traveller, world):
    reply = accept(traveller, link, email=ADA.upper(), name="Ada Lovelace")
    assert reply.headers["Location"] == "/settings/billing/add-ons"
    assert traveller.is_in()
    person = ada(world)
    assert (person.name, person.password_hash) == ("Ada Lovelace", None)
    traveller.other().visitor.get(link, 410)
    again = traveller.other()
    again.go()
    assert again.is_in()


@pytest.mark.parametrize(
    "who", [{"email": "eve@new.test"}, {"email": ADA, "email_verified": False}, {}]
)
def test_nobody_else_accepts_and_the_link_stays_good(who, link, traveller, world):
    accept(traveller, link, 403, **who)
    assert ada(world) is None
    traveller.visitor.get(link)


def test_an_invitation_makes_one_member_once(link, traveller, world):
    address = traveller.set_out(link, invitation=link.rpartition("/")[2], next=link)
    accept(traveller.other(), link, email=ADA)
    back = traveller.provider.sign_in(address, email=ADA, sub="sub-2")
    traveller.come_back(back, 403)
    assert world.rows(IdentityRow) == 1


def test_an_old_password_of_who_had_left_opens_nothing_more(link, traveller, world):
    with world.session() as session:
        session.add(
            PersonRow(
                environment_id=world.scope.environment_id, email=ADA, name="Ada", password_hash="x"
            )
        )
        session.commit()
    accept(traveller, link, email=ADA)
    assert ada(world).password_hash is None


def test_who_is_known_signs_in_and_then_accepts(link, traveller, world):
    actor = world.account()
    world.change(update(PersonRow).where(PersonRow.id == actor.person_id).values(email=ADA))
    without_password(world, actor)
    page = traveller.visitor.get(link)
    (way,) = (a.get("href") for a in page.all("a") if "sign-in?" in a.get("href", ""))
    address = traveller.set_out(way, next=link, invitation=link.rpartition("/")[2])
    reply = traveller.come_back(traveller.provider.sign_in(address, email=ADA))
    assert reply.headers["Location"] == link
    assert world.rows(MembershipRow, person_id=actor.person_id) == 1
    assert "Accept" in traveller.visitor.get(link).text


@pytest.mark.parametrize("page", [SIGN_IN, STAFF_SIGN_IN])
def test_a_provider_that_is_down_is_told_in_plain_words(page, world, traveller):
    address = traveller.set_out(page)
    back = traveller.provider.sign_in(address, email=OWNER)
    traveller.provider.stop()
    assert "does not answer" in traveller.come_back(back, 503).text
    other = traveller.other()
    traveller.app.extensions["portal"].provider._kept.clear()
    traveller.app.extensions["portal"].staff_provider._kept.clear()
    assert other.set_out(page, 503) == ""
    assert "Or with a password" in other.visitor.get(page).text


@pytest.mark.parametrize("page", [SIGN_IN, STAFF_SIGN_IN])
def test_what_is_not_believed_and_what_was_broken_off_get_the_same_page(page, world, traveller):
    world.account()
    traveller.provider.faults.sign = unsigned
    forged = traveller.go(page, 403, email=OWNER)
    traveller.provider.faults.answer = {"code": "", "error": "access_denied"}
    broken_off = traveller.other().go(page, 403)
    assert forged.text == broken_off.text
    assert world.rows(SessionRow) == 0


def test_an_answer_without_a_trip_opens_nothing(world, traveller):
    for page in (SIGN_IN, STAFF_SIGN_IN):
        traveller.visitor.get(f"{page}/oidc/return?code=a&state=b", 400)
        traveller.visitor.get(f"{page}/oidc/return?code=a&state=é%00", 400)
        traveller.visitor.get(f"{page}/oidc/return", 400)
