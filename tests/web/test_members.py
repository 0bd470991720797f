"""The page of members: what each role sees and may do there."""

from __future__ import annotations

import pytest

from portal.domain.access import Role
from tests.web.inviting import MEMBERS, Host
from tests.web.reading import Visitor

OWNER, OTHER = "owner@account1.test", "other@account1.test"


@pytest.fixture
def host(world, visit) -> Host:
    """The owner, beside one who may only look."""
    actor = world.account()
    world.member(actor.account_id, OTHER, Role.MEMBER)
    visit.sign_in(OWNER)
    return Host(world, visit, actor.account_id)


def as_somebody(host: Host, app, role: Role) -> Visitor:
    """A further member's browser."""
    mail = f"second-{role}@account1.test"
    host.world.member(host.account_id, mail, role)
    visitor = Visitor(app.test_client())
    visitor.sign_in(mail)
    return visitor


def buttons(reply, article: str) -> list[tuple[str, bool]]:
    """Controls of somebody's row, and whether each may be used."""
    row = reply.article(article)
    found = [*row.iter("a"), *row.iter("button")]
    return [(reply.words(each).split(" ")[0], each.get("disabled") is None) for each in found]


def test_everybody_is_listed_with_role_and_rights(host):
    page = host.visitor.get(MEMBERS)
    assert "Somebody" in page.text
    for said in (OWNER, OTHER, "Owner", "Member", "See everything and change nothing",
                 "last seen 11 Apr 2026, 00:00 UTC", "not seen here yet"):  # fmt: skip
        assert said in page.text
    assert page.text.count("May spend here") == 1
    assert [page.words(a) for a in page.all("a") if a.get("aria-current")] == ["Members"]


@pytest.mark.parametrize("role", list(Role))
def test_controls_follow_the_role(role, host, app):
    host.invite("ada@new.test")
    visitor = as_somebody(host, app, role)
    page = visitor.get(MEMBERS)
    may = role is Role.OWNER
    assert ("Only an owner decides" in page.text) is not may
    assert bool(page.all("input", type="email")) is may
    actions = {form.get("action") for form in page.all("form", method="post")}
    assert (MEMBERS in actions) is may
    assert any("/invitations/" in each for each in actions) is may
    links = {a.get("href") for a in page.all("a")}
    number = host.number(OTHER)
    assert (f"{MEMBERS}/{number}/remove" in links) is may
    assert (f"{MEMBERS}/{number}/role" in links) is may
    assert f"{MEMBERS}/leave" in links
    for each in page.all("button"):
        if each.get("disabled") is not None:
            why = each.get("aria-describedby")
            assert [e for e in page.all("p") if e.get("id") == why], why


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.OWNER])
def test_pages_of_owners_are_shown_without_their_buttons_and_their_posts_refused(role, host, app):
    host.invite("ada@new.test")
    visitor, number = as_somebody(host, app, role), host.number(OTHER)
    token = visitor.get(MEMBERS).hidden("csrf_token")
    for way in ("role", "remove"):
        page = visitor.get(f"{MEMBERS}/{number}/{way}")
        assert "Only an owner decides" in page.text
        assert not [f for f in page.all("form") if f.get("action").startswith(MEMBERS)]
    typed = {"csrf_token": token, "role": "owner", "email": "x@new.test"}
    for url in (
        *(MEMBERS, f"{MEMBERS}/{number}/role", f"{MEMBERS}/{number}/remove"),
        *(f"{MEMBERS}/invitations/1/withdraw", f"{MEMBERS}/invitations/1/send-again"),
    ):
        visitor.post(url, typed, 403)
    assert "ada@new.test" in host.visitor.get(MEMBERS).text


def test_another_role_is_confirmed_and_holds_at_the_others_next_click(host, app):
    other = Visitor(app.test_client())
    other.sign_in(OTHER)
    assert "You can look, not change" in other.get("/settings/billing/add-ons").text
    page = f"{MEMBERS}/{host.number(OTHER)}/role"
    assert "Role now: Member" in host.visitor.get(page).text
    assert "Not a valid choice" in host.send(page, page, 422, role="king").text
    host.send(page, page, 303, role="billing")
    assert "The new role holds" in host.visitor.get(MEMBERS).text
    assert "You can look, not change" not in other.get("/settings/billing/add-ons").text
    host.send(page, page, 303, role="member")
    token = other.get("/settings/billing/add-ons").hidden("csrf_token")
    other.post("/settings/billing/payment-methods/add", {"csrf_token": token}, 403)


@pytest.mark.parametrize("role", ["owner", "billing"])
def test_another_role_makes_the_cookie_before_worth_nothing(role, host, app):
    other = Visitor(app.test_client())
    other.sign_in(OTHER)
    other.get(MEMBERS)
    before = other.client.get_cookie("portal").value
    token = other.get(MEMBERS).hidden("csrf_token")
    assert other.client.get_cookie("portal").value == before
    page = f"{MEMBERS}/{host.number(OTHER)}/role"
    host.send(page, page, 303, role=role)
    other.post(f"{MEMBERS}/1000/remove", {"csrf_token": token}, 404 if role == "owner" else 403)
    other.get(MEMBERS)
    thief = Visitor(app.test_client())
    thief.client.set_cookie("portal", before)
    thief.get(MEMBERS, 303)
    other.get(MEMBERS)


def test_who_is_removed_is_signed_out(host, app):
    other = Visitor(app.test_client())
    other.sign_in(OTHER)
    page = f"{MEMBERS}/{host.number(OTHER)}/remove"
    shown = host.visitor.get(page).text
    assert "They see nothing of this account" in shown
    assert "Those that they sent are withdrawn" in shown
    host.send(page, page, 303)
    assert "They are no member any more" in host.visitor.get(MEMBERS).text
    other.get(MEMBERS, 303)
    other.sign_in(OTHER, status=422)
    host.visitor.get(page, 404)


def test_the_last_owner_is_told_why_not(host):
    number = host.number(OWNER)
    page = host.visitor.get(MEMBERS)
    assert "Make somebody else an owner first" in page.text
    assert buttons(page, "Somebody")[0] == ("Change", False)
    for way, typed in (("role", {"role": "admin"}), ("remove", {})):
        url = f"{MEMBERS}/{number}/{way}"
        assert "Make somebody else an owner first" in host.visitor.get(url).text
        assert "Make somebody else an owner first" in host.send(MEMBERS, url, 409, **typed).text
    leave = f"{MEMBERS}/leave"
    assert "Make somebody else an owner first" in host.send(leave, leave, 409).text
    assert "Owner" in host.visitor.get(MEMBERS).text


def test_one_leaves_by_oneself(host, app):
    other, leave = Host(host.world, Visitor(app.test_client())), f"{MEMBERS}/leave"
    other.visitor.sign_in(OTHER)
    assert "What happens when you leave" in other.visitor.get(leave).text
    assert other.send(leave, leave, 303).headers["Location"] == "/sign-in"
    assert "You have left the account" in other.visitor.get("/sign-in").text
    other.visitor.get(MEMBERS, 303)
    assert OTHER not in host.visitor.get(MEMBERS).text


def test_another_accounts_members_and_invitations_are_404(host, world, app):
    host.invite("ada@new.test")
    world.account()
    theirs = Host(world, Visitor(app.test_client()))
    theirs.visitor.sign_in("owner@account2.test")
    assert "ada@new.test" not in theirs.visitor.get(MEMBERS).text
    number = host.number(OTHER)
    for way in ("role", "remove"):
        theirs.visitor.get(f"{MEMBERS}/{number}/{way}", 404)
        theirs.send(MEMBERS, f"{MEMBERS}/{number}/{way}", 404, role="owner")
    for way in ("send-again", "withdraw"):
        theirs.send(MEMBERS, f"{MEMBERS}/invitations/1/{way}", 404)
    theirs.send(MEMBERS, f"/settings/billing/accounts/{number}", 404)
    assert OTHER in host.visitor.get(MEMBERS).text


def test_somebody_with_two_accounts_goes_from_one_to_the_other(host, world):
    assert "Your accounts" not in host.visitor.get(MEMBERS).text
    second = world.account()
    world.member(second.account_id, OWNER, Role.MEMBER)
    page = host.visitor.get(MEMBERS)
    (action,) = (f.get("action") for f in page.all("form") if "/accounts/" in f.get("action"))
    before = host.visitor.client.get_cookie("portal").value
    host.send(MEMBERS, action, 303)
    page = host.visitor.get(MEMBERS)
    assert "You see another account now: Account2" in page.text
    assert "owner@account2.test" in page.text
    assert OTHER not in page.text
    assert "Only an owner decides" in page.text
    host.visitor.client.set_cookie("portal", before)
    host.visitor.get(MEMBERS, 303)
