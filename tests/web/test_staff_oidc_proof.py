"""Staff whom a provider lets in show both steps again there; its clock says when they did."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from portal.domain.access import StaffRole
from portal.domain.support import RECENT
from portal.models.keys import ApiKeyRow
from portal.models.staff import StaffSessionRow
from portal.services.staff_sign_in import ABSOLUTE_LIFE
from tests.services.declaring import Declarations
from tests.web.providing import STAFF_SIGN_IN, Traveller
from tests.web.reading import Reply
from tests.web.staffing import CODE, KEYS, AtDesk

ANN = "ann@staff.test"
CASE = "/staff/cancellations/1"
PROOF = "/staff/sign-in/oidc/proof"
MFA = {"amr": ["pwd", "mfa"]}
MINE = {"name": "mine", "access": "write"}


@pytest.fixture
def ann(world, traveller) -> AtDesk:
    """An administrator without an authenticator here."""
    desk = AtDesk(world, traveller.visitor, role=StaffRole.ADMIN)
    desk.link()
    return desk


def make(desk: AtDesk, status: int) -> Reply:
    return desk.send(KEYS, KEYS, status, **MINE)


def prove(desk: AtDesk, traveller: Traveller, status: int = 303, **who) -> Reply:
    """The button of the page, the provider, and back."""
    reply = desk.send(KEYS, PROOF, 200, next=KEYS)
    address = reply.headers["Refresh"].partition("url=")[2]
    asked = parse_qs(urlsplit(address).query)
    assert (asked["max_age"], asked["prompt"]) == (["0"], ["login"])
    back = traveller.provider.sign_in(address, **({"email": ANN} | MFA | who))
    return traveller.come_back(back, status)


def test_a_sign_in_that_was_just_now_is_enough(ann, traveller):
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    make(ann, 200)


def test_later_they_go_there_again_and_then_it_is_done(ann, traveller, world):
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    world.now += RECENT + timedelta(seconds=1)
    page = make(ann, 422)
    assert "Confirm first that it is you" in page.text
    assert not page.all("input", name="code"), "there is no authenticator to ask"
    assert page.all("input", name="name")[0].get("value") == "mine"
    (way,) = page.all("form", action=PROOF)
    assert KEYS in [each.get("value") for each in way.iter("input")]
    assert world.rows(ApiKeyRow) == 0
    assert prove(ann, traveller).headers["Location"] == KEYS
    make(ann, 200)
    world.now += RECENT + timedelta(seconds=1)
    make(ann, 422)


def test_a_declared_cancellation_is_answered_so_too(ann, traveller, world):
    world.account()
    Declarations(world).declare_and_match()
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    world.now += RECENT + timedelta(seconds=1)
    page = ann.send(CASE, CASE, 422, act="not_ours", said="It is none of ours.")
    assert "Confirm first that it is you" in page.text
    assert not page.all("input", name="code")
    (way,) = page.all("form", action=PROOF)
    assert CASE in [each.get("value") for each in way.iter("input")]
    prove(ann, traveller)
    ann.send(CASE, CASE, 303, act="not_ours", said="It is none of ours.")


def test_an_old_single_sign_on_opens_the_pages_and_proves_nothing(ann, traveller, world):
    traveller.provider.since = int((world.now - timedelta(hours=1)).timestamp())
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    assert ann.is_in()
    make(ann, 422)
    assert world.rows(ApiKeyRow) == 0
    prove(ann, traveller)
    make(ann, 200)


def test_one_that_is_older_than_a_session_here_is_asked_for_anew(ann, traveller, world):
    traveller.provider.since = int((world.now - ABSOLUTE_LIFE).timestamp()) - 1
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    make(ann, 200)


@pytest.mark.parametrize("said", [None, True, "now", -5, 0])
def test_a_provider_that_tells_no_time_proves_nothing(said, ann, traveller, world):
    traveller.provider.faults.claims = {"auth_time": said}
    traveller.provider.since = 1
    if said == "now":
        traveller.go(STAFF_SIGN_IN, 403, email=ANN, **MFA)
        return
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    make(ann, 422)
    page = prove(ann, traveller, 403)
    assert "Not confirmed" in page.text
    make(ann, 422)
    assert world.rows(ApiKeyRow) == 0


NOT_ENOUGH = {"one step": {"amr": ["pwd"]}, "somebody else": {"sub": "sub-2"}}


@pytest.mark.parametrize("who", NOT_ENOUGH.values(), ids=NOT_ENOUGH)
def test_less_than_both_steps_of_the_same_person_proves_nothing(who, ann, traveller, world):
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    world.now += RECENT + timedelta(seconds=1)
    prove(ann, traveller, 403, **who)
    make(ann, 422)
    assert ann.is_in(), "who is in stays in"


def test_a_provider_that_did_not_ask_again_proves_nothing(ann, traveller, world):
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    traveller.provider.faults.claims = {"auth_time": int(world.now.timestamp())}
    world.now += RECENT + timedelta(seconds=1)
    prove(ann, traveller, 403)
    make(ann, 422)


def test_a_proof_opens_no_session_and_a_sign_in_proves_nothing(ann, traveller, world):
    """What came of one errand answers no other."""
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    world.now += RECENT + timedelta(seconds=1)
    reply = ann.send(KEYS, PROOF, 200, next=KEYS)
    back = traveller.provider.sign_in(
        reply.headers["Refresh"].partition("url=")[2], email=ANN, **MFA
    )
    ann.sign_out()
    before = world.rows(StaffSessionRow)
    traveller.come_back(back, 400)
    assert world.rows(StaffSessionRow) == before
    assert not ann.is_in()


def test_who_has_an_authenticator_here_shows_its_code(world, traveller):
    desk = AtDesk(world, traveller.visitor).set_up()
    desk.sign_out()
    traveller.provider.since = int(world.now.timestamp()) - 3600
    assert traveller.go(STAFF_SIGN_IN, email=ANN).headers["Location"] == CODE
    desk.show()
    make(desk, 200)
    world.now += RECENT + timedelta(seconds=1)
    page = make(desk, 422)
    assert "Enter a code" in page.text
    assert not page.all("form", action=PROOF)
    desk.send(KEYS, KEYS, 200, code=desk.code(), **MINE)


def test_without_a_session_there_is_nothing_to_prove(ann, traveller):
    page = traveller.visitor.get(STAFF_SIGN_IN)
    token = page.hidden("csrf_token")
    reply = traveller.visitor.post(PROOF, {"csrf_token": token}, 303)
    assert reply.headers["Location"].startswith(STAFF_SIGN_IN)
