"""Staff sign in by an identity provider of theirs, apart from members."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.domain.identities import Errand
from portal.models.events import EventRow
from portal.models.identities import IdentityRow, StaffIdentityRow
from portal.models.staff import StaffSessionRow
from portal.services import staff
from portal.services.safekeeping import Safe
from tests.support.identity_provider import CLIENT, STAFF_CLIENT
from tests.web.guarding import MASTER
from tests.web.providing import SIGN_IN, STAFF_SIGN_IN, without_password
from tests.web.staffing import CODE, KEYS, AtDesk

ANN = "ann@staff.test"
MFA = {"amr": ["pwd", "mfa"]}


@pytest.fixture
def desk(world, traveller) -> AtDesk:
    return AtDesk(world, traveller.visitor)


@pytest.fixture
def ann(desk) -> AtDesk:
    """Named by `flask staff add`, and nothing set up."""
    desk.link()
    return desk


def told(world) -> list[tuple[str, str, int | None]]:
    with world.session() as session:
        rows = session.scalars(select(EventRow).order_by(EventRow.id))
        return [(row.name, row.actor, row.account_id) for row in rows]


def test_both_steps_at_the_provider_let_in_whom_the_command_named(ann, traveller, world):
    reply = traveller.go(STAFF_SIGN_IN, email=ANN.upper(), **MFA)
    assert reply.headers["Location"] == "/staff"
    assert ann.is_in()
    assert told(world)[-3:] == [
        ("staff:identity_linked", "staff:1", None),
        ("staff:identity_used", "staff:1", None),
        ("session:started", "staff:1", None),
    ]
    again = traveller.other()
    again.go(STAFF_SIGN_IN, email="renamed@elsewhere.test", **MFA)
    assert AtDesk(world, again.visitor).is_in()
    assert world.rows(StaffIdentityRow) == 1


def test_one_step_at_the_provider_leaves_the_other_to_our_code(desk, traveller):
    desk.set_up()
    desk.sign_out()
    reply = traveller.go(STAFF_SIGN_IN, email=ANN, amr=["pwd"])
    assert reply.headers["Location"] == CODE
    assert not desk.is_in()
    desk.show("000000", 422)
    desk.show()
    assert desk.is_in()


def test_one_step_alone_opens_nothing(ann, traveller, world):
    traveller.go(STAFF_SIGN_IN, 403, email=ANN, amr=["pwd"])
    assert not ann.is_in()
    assert world.rows(StaffIdentityRow) == 0


@pytest.mark.parametrize(
    "who", [{"email": "nobody@staff.test"}, {"email": ANN, "email_verified": False}, {}]
)
def test_nobody_else_comes_in_and_nothing_tells_why(who, ann, traveller, world):
    page = traveller.go(STAFF_SIGN_IN, 403, **who, **MFA)
    assert "This sign-in opens nothing here. Ask who runs the portal." in page.text
    assert world.rows(StaffSessionRow) == 0


def test_an_address_that_is_somebody_elses_by_now_opens_nothing(ann, traveller, world):
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    other = traveller.other()
    other.go(STAFF_SIGN_IN, 403, email=ANN, sub="sub-2", **MFA)
    assert not AtDesk(world, other.visitor).is_in()


def test_ended_they_are_out_and_come_in_no_more(ann, traveller, world):
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    with world.session() as session:
        staff.end(session, world.scope, ANN, world.wall)
    assert not ann.is_in()
    traveller.other().go(STAFF_SIGN_IN, 403, email=ANN, **MFA)
    assert world.rows(StaffIdentityRow) == 0


def test_reset_forgets_the_identity_and_the_address_links_anew(ann, traveller, world):
    traveller.go(STAFF_SIGN_IN, email=ANN, **MFA)
    with world.session() as session:
        staff.reset(session, world.scope, ANN, world.wall, Safe(MASTER))
    assert not ann.is_in()
    other = traveller.other()
    other.go(STAFF_SIGN_IN, email=ANN, sub="sub-2", **MFA)
    assert AtDesk(world, other.visitor).is_in()


def test_members_and_staff_go_as_two_clients_and_cannot_be_crossed(ann, traveller, world):
    actor = world.account()
    without_password(world, actor)
    address = traveller.set_out(STAFF_SIGN_IN)
    assert f"client_id={STAFF_CLIENT}&" in address
    assert "%2Fstaff%2Fsign-in%2Foidc%2Freturn" in address
    assert f"client_id={CLIENT}&" in traveller.other().set_out(SIGN_IN)
    back = traveller.provider.sign_in(address, email="owner@account1.test", **MFA)
    with traveller.visitor.client.session_transaction() as cookie:
        cookie[f"trip_{Errand.MEMBER}"] = cookie[f"trip_{Errand.STAFF}"]
    traveller.come_back(back.replace("/staff/sign-in", "/sign-in"), 400)
    other = traveller.other()
    back = other.provider.sign_in(other.set_out(SIGN_IN), email=ANN, **MFA)
    with other.visitor.client.session_transaction() as cookie:
        cookie[f"trip_{Errand.STAFF}"] = cookie[f"trip_{Errand.MEMBER}"]
    other.come_back(back.replace("/sign-in", "/staff/sign-in"), 400)
    assert world.rows(StaffSessionRow) == world.rows(IdentityRow) == 0


def test_it_leads_to_staff_pages_only(ann, traveller):
    for wanted, there in ((KEYS, KEYS), ("/settings/billing/usage", "/staff")):
        address = traveller.set_out(f"{STAFF_SIGN_IN}?next={wanted}", next=wanted)
        back = traveller.provider.sign_in(address, email=ANN, **MFA)
        assert traveller.come_back(back).headers["Location"] == there
        traveller = traveller.other()


def test_nothing_is_shown_or_there_without_a_provider(visit):
    page = visit.get(STAFF_SIGN_IN)
    assert "Or with a password" not in page.text
    visit.post("/staff/sign-in/oidc", {"csrf_token": page.hidden("csrf_token")}, 404)
    visit.get("/staff/sign-in/oidc/return?state=a&code=b", 404)
