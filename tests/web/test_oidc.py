"""Members sign in by an identity provider: who comes in, and who does not."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select

from portal.domain.identities import Errand
from portal.models.accounts import MembershipRow, PersonRow, SessionRow
from portal.models.events import EventRow
from portal.models.identities import IdentityRow, TripRow
from portal.models.mails import MailRow
from portal.services.trips import LIFE
from tests.support.world import PASSWORD
from tests.web.guarding import Guarded
from tests.web.providing import PROVIDER, SECURITY, SIGN_IN, without_password

MAIL = "owner@account1.test"


@pytest.fixture
def member(world, traveller):
    """Made by the host: without a password."""
    actor = world.account()
    without_password(world, actor)
    return actor


def names(world) -> list[str]:
    with world.session() as session:
        return list(session.scalars(select(EventRow.name).order_by(EventRow.id)))


def test_a_verified_address_links_once_and_the_subject_counts_from_then_on(
    member, traveller, world
):
    assert traveller.go(email=MAIL.upper()).headers["Location"] == "/settings/billing/add-ons"
    assert traveller.is_in()
    told = names(world)[-3:]
    assert told == ["identity:linked", "identity:used", "session:started"]
    assert world.rows(MailRow, kind="identity_switched") == 1
    other = traveller.other()
    other.go(email="renamed@elsewhere.test")
    assert other.is_in()
    assert world.rows(IdentityRow) == 1
    assert names(world)[-2:] == ["identity:used", "session:started"]
    assert "came from the identity provider" in other.visitor.get("/settings/billing/activity").text


def test_it_leads_where_one_was_going(member, traveller):
    for wanted, there in (
        ("/settings/billing/usage", "/settings/billing/usage"),
        ("//evil.test", "/settings/billing/add-ons"),
    ):
        address = traveller.set_out(next=wanted)
        back = traveller.provider.sign_in(address, email=MAIL)
        assert traveller.come_back(back).headers["Location"] == there
        traveller = traveller.other()


@pytest.mark.parametrize(
    "who",
    [
        {"email": MAIL, "email_verified": False},
        {"email": MAIL, "email_verified": "true"},
        {"email": MAIL, "email_verified": None},
        {"email": "nobody@account1.test"},
        {},
    ],
)
def test_without_a_verified_address_that_is_known_nobody_comes_in(who, member, traveller, world):
    page = traveller.go(status=403, **who)
    assert "This sign-in opens nothing here" in page.text
    assert not traveller.is_in()
    assert world.rows(IdentityRow) == 0


def test_whoever_has_a_password_links_it_by_hand_first(world, traveller):
    """An address may be another's by now, or be said without being checked."""
    world.account()
    page = traveller.go(status=403, email=MAIL)
    unknown = traveller.other().go(status=403, email="nobody@account1.test", sub="sub-2")
    assert page.text == unknown.text, "nothing tells whether the address is known"
    assert world.rows(IdentityRow) == 0


def test_an_address_that_is_somebody_elses_by_now_opens_nothing(member, traveller, world):
    traveller.go(email=MAIL)
    other = traveller.other()
    other.go(status=403, email=MAIL, sub="sub-2")
    assert not other.is_in()
    assert world.rows(IdentityRow) == 1


def linked(world, traveller) -> None:
    """A member with a password links the provider, and is signed in."""
    world.account()
    traveller.visitor.sign_in(MAIL)
    back = traveller.provider.sign_in(traveller.set_out(PROVIDER, password=PASSWORD), email="x@y.z")
    assert traveller.come_back(back).headers["Location"] == SECURITY


def test_linking_asks_for_the_password_and_changes_the_sessions_id(world, traveller):
    world.account()
    traveller.visitor.sign_in(MAIL)
    before = traveller.visitor.client.get_cookie("portal").value
    said = traveller.send(PROVIDER, f"{PROVIDER}/link", 422, password="wrong").text
    assert "not your current password" in said
    back = traveller.provider.sign_in(traveller.set_out(PROVIDER, password=PASSWORD))
    traveller.come_back(back)
    assert "Linked" in traveller.visitor.get(SECURITY).text
    assert world.rows(MailRow, kind="identity_switched") == 1
    assert names(world)[-1] == "identity:linked"
    other = traveller.other()
    other.visitor.client.set_cookie("portal", before)
    assert not other.is_in()
    other = traveller.other()
    other.go()
    assert other.is_in()


def test_unlinking_asks_for_the_password_and_signs_out_everywhere_else(world, traveller):
    linked(world, traveller)
    other = traveller.other()
    other.go()
    traveller.send(PROVIDER, f"{PROVIDER}/unlink", 422, password="wrong")
    assert other.is_in()
    traveller.send(PROVIDER, f"{PROVIDER}/unlink", 303, password=PASSWORD)
    assert not other.is_in()
    assert traveller.is_in()
    assert world.rows(IdentityRow) == 0
    assert traveller.other().go(status=403).status == 403
    assert names(world)[-2:] == ["identity:unlinked", "session:refused"]


@pytest.mark.parametrize("way", ["link", "unlink"])
def test_both_ask_for_the_code_too_of_who_has_a_second_step(way, world, traveller):
    """Else who knows the password alone links what the code is never asked of."""
    if way == "unlink":
        linked(world, traveller)
    else:
        world.account()
        traveller.visitor.sign_in(MAIL)
    own = Guarded(world, traveller.visitor)
    own.set_up()
    ask, right = f"{PROVIDER}/{way}", 200 if way == "link" else 303
    page = own.send(PROVIDER, ask, 422, password=PASSWORD)
    assert page.words(page.all("p", id="code-error")[0]) == "Error: Enter a code"
    for typed in ({"password": PASSWORD, "code": "000000"}, {"password": "wrong", "code": "1"}):
        page = own.send(PROVIDER, ask, 422, **typed)
        assert "Password or code is wrong" in page.words(page.all("p", id="code-error")[0])
        assert not page.all("input", id="code")[0].get("value")
    assert world.rows(IdentityRow) == (way == "unlink")
    own.send(PROVIDER, ask, right, password=PASSWORD, code=own.code())
    assert world.rows(TripRow, errand=Errand.LINK) == 1
    assert world.rows(IdentityRow) == 0


def test_a_reset_tells_that_a_provider_signs_in_as_well(world, traveller):
    linked(world, traveller)
    own = Guarded(world, traveller.other().visitor)
    own.forget()
    own.send(own.link(), own.link(), 303, password="radium and polonium")
    with world.session() as session:
        mail = session.scalars(select(MailRow).where(MailRow.kind == "password_changed")).one()
    assert mail.notice["issuers"] == [traveller.provider.issuer]


def test_the_last_way_in_cannot_be_removed(member, traveller, world):
    traveller.go(email=MAIL)
    page = traveller.visitor.get(PROVIDER)
    assert "Set one first" in page.text
    token = page.hidden("csrf_token")
    form = {"csrf_token": token, "password": PASSWORD}
    traveller.visitor.post(f"{PROVIDER}/unlink", form, 422)
    assert world.rows(IdentityRow) == 1


def test_a_link_that_is_broken_off_says_so_and_links_nothing(world, traveller):
    world.account()
    traveller.visitor.sign_in(MAIL)
    traveller.provider.faults.answer = {"code": "", "error": "access_denied"}
    address = traveller.set_out(PROVIDER, password=PASSWORD)
    page = traveller.come_back(traveller.provider.sign_in(address), 403)
    assert "Nothing was linked" in page.text
    assert SECURITY in {a.get("href") for a in page.all("a", class_="btn")}
    assert world.rows(IdentityRow) == 0
    assert traveller.is_in()


def test_an_identity_lets_in_one_person_only(world, traveller):
    linked(world, traveller)
    world.account()
    other = traveller.other()
    other.visitor.sign_in("owner@account2.test")
    other.come_back(other.provider.sign_in(other.set_out(PROVIDER, password=PASSWORD)))
    assert "Nothing was linked" in other.visitor.get(SECURITY).text
    assert world.rows(IdentityRow) == 1


@pytest.mark.parametrize(("methods", "place"), [(["pwd"], "/sign-in/code"), (["mfa"], "add-ons")])
def test_our_second_step_is_asked_for_unless_the_provider_took_one(
    methods, place, world, traveller
):
    linked(world, traveller)
    Guarded(world, traveller.visitor).set_up()
    other = traveller.other()
    assert other.go(amr=methods).headers["Location"].endswith(place)
    assert other.is_in() is (methods == ["mfa"])


def test_the_browser_is_known_and_the_session_is_a_row_as_any(member, traveller, world):
    cookies = traveller.go(email=MAIL).headers.getlist("Set-Cookie")
    assert any(each.startswith("device=") for each in cookies)
    assert world.rows(SessionRow) == 1
    assert "This one" in traveller.visitor.get(SECURITY).text


def test_a_trip_is_good_for_ten_minutes_once_and_in_its_own_browser(member, traveller, world):
    back = traveller.provider.sign_in(traveller.set_out(), email=MAIL)
    traveller.other().come_back(back, 400)
    with traveller.visitor.client.session_transaction() as cookie:
        kept = cookie[f"trip_{Errand.MEMBER}"]
    traveller.come_back(back)
    again = traveller.other()
    with again.visitor.client.session_transaction() as cookie:
        cookie[f"trip_{Errand.MEMBER}"] = kept
    again.come_back(back, 400)
    late = traveller.other()
    back = late.provider.sign_in(late.set_out(), email=MAIL)
    world.now += LIFE
    assert "took too long" in late.come_back(back, 400).text
    assert not late.is_in()


def test_a_state_that_is_not_the_browsers_own_spends_nothing(member, traveller, world):
    back = traveller.provider.sign_in(traveller.set_out(), email=MAIL)
    with traveller.visitor.client.session_transaction() as cookie:
        kept = dict(cookie)
    traveller.come_back(back.replace("state=", "state=0"), 400)
    assert not traveller.is_in()
    with world.session() as session:
        assert session.scalars(select(TripRow.used_at)).one() is None
    with traveller.visitor.client.session_transaction() as cookie:
        cookie.update(kept)
    traveller.come_back(back)
    assert traveller.is_in()


def test_what_began_as_a_link_signs_nobody_in(world, traveller):
    """And not for whoever is signed in meanwhile."""
    world.account()
    traveller.visitor.sign_in(MAIL)
    back = traveller.provider.sign_in(traveller.set_out(PROVIDER, password=PASSWORD))
    with traveller.visitor.client.session_transaction() as cookie:
        kept = cookie.pop(f"trip_{Errand.LINK}")
        cookie[f"trip_{Errand.MEMBER}"] = kept
    traveller.come_back(back, 400)
    world.account()
    other = traveller.other()
    other.visitor.sign_in("owner@account2.test")
    with other.visitor.client.session_transaction() as cookie:
        cookie[f"trip_{Errand.LINK}"] = kept
    other.come_back(back, 400)
    assert world.rows(IdentityRow) == 0


def test_no_link_of_another_site_begins_it(member, traveller):
    traveller.visitor.get("/sign-in/oidc", 405)
    traveller.visitor.post("/sign-in/oidc", {}, 400)


def test_too_many_trips_from_one_network_pause(member, traveller):
    for _ in range(119):
        assert traveller.set_out()
    traveller.set_out()
    reply = traveller.send(SIGN_IN, "/sign-in/oidc", 429)
    assert reply.headers["Retry-After"] == "30"
    assert not reply.headers.get("Refresh")


def test_nothing_is_shown_or_there_without_a_provider(world, visit):
    world.account()
    assert "Or with a password" not in visit.get(SIGN_IN).text
    token = {"csrf_token": visit.get(SIGN_IN).hidden("csrf_token")}
    visit.post("/sign-in/oidc", token, 404)
    visit.get("/sign-in/oidc/return?code=a&state=b", 404)
    visit.sign_in(MAIL)
    visit.get(PROVIDER, 404)
    assert "Link" not in visit.get(SECURITY).text.split()


def test_somebody_who_was_removed_comes_in_no_more(member, traveller, world):
    traveller.go(email=MAIL)
    world.change(delete(SessionRow), delete(MembershipRow))
    traveller.other().go(status=403, email=MAIL)
    with world.session() as session:
        assert session.scalars(select(PersonRow)).one().password_hash is None
