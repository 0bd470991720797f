"""A walk over every route in a support view: nothing is written, and every page says what it is."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import InternalError

from portal.domain.access import Permission
from portal.domain.errors import Forbidden
from portal.domain.events import EventName
from portal.domain.support import LIFE, Consent
from portal.models.base import db
from portal.models.catalog import PlanRow
from portal.models.session import open_session
from portal.models.support import SupportSessionRow
from portal.queries.support import find_view
from portal.services import accounts
from portal.services.recording import CLI, record
from portal.web.requests import signed_in
from portal.web.support import LEAVING, NO_ADDRESS
from tests.services.staffing import StaffDoor
from tests.web.looking import GRID, UNKNOWN, addresses
from tests.web.reading import HTMX, Visitor

ASKED = {
    "plain": {},
    "htmx": HTMX,
    "json": {"Content-Type": "application/json", "Accept": "application/json"},
}
METHODS = ("POST", "PUT", "PATCH", "DELETE")


def told_of(app: Flask, endpoint: str, url: str) -> str:
    """What members may read of an address in their Activity."""
    rules = {rule.endpoint: rule.rule for rule in app.url_map.iter_rules()}
    rule = rules.get(endpoint, NO_ADDRESS)
    return url if endpoint and "<written>" not in rule and not url.startswith("/staff") else rule


@pytest.mark.parametrize("way", ASKED)
def test_no_write_passes_and_each_is_recorded(on, app, way):
    app.config["WTF_CSRF_ENABLED"] = False  # nothing else stands in the way
    walked = [(e, url) for e, url in addresses(app, on) if e not in LEAVING]
    walked.append(("", UNKNOWN))
    before, calls = on.rows(), len(on.world.gateway.calls)
    asked = [(method, url) for _, url in walked for method in METHODS]
    for method, url in asked:
        reply = on.client.open(url, method=method, headers=ASKED[way], data="{}")
        assert reply.status_code == 403, (method, url)
        assert "Not in a support view" in reply.text
        assert ("<html" in reply.text) is (way != "htmx")
    assert on.rows() == before
    assert len(on.world.gateway.calls) == calls
    told = [(d["method"], d["page"]) for _, d in on.told("support:write_refused")]
    tellable = [(method, told_of(app, e, url)) for e, url in walked for method in METHODS]
    assert [each for each in zip(told, tellable, strict=True) if each[0] != each[1]] == []
    assert len(asked) > 350
    assert on.world.rows(SupportSessionRow) == 1


def test_pages_are_recorded_with_who_through_whose_eyes_and_where(on):
    on.get("/settings/billing/usage")
    on.get(UNKNOWN, 404)
    on.get("/staff/accounts")
    assert on.opened() == [GRID, "/settings/billing/usage"], "a staff page is no customer's"
    on.end()
    on.desk.visitor.get(GRID, 303)
    on.desk.visitor.sign_in("owner@account1.test")
    page = on.desk.visitor.get("/settings/billing/activity?kind=support")
    assert "Ann, our staff" in page.text
    assert "through the eyes of owner@account1.test" in page.text
    assert "Opened in a support view: /settings/billing/usage" in page.text
    assert "A support view began: A figure on the page is wrong. (ticket T-42)" in page.text
    assert "The support view ended: left by the staff" in page.text


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("way", ["reset", "link", "invitation"])
def test_no_secret_of_a_link_is_told(on, way, method):
    """It is unspent still, and members read what is told."""
    address = f"/sign-in/{way}/7-{'s3cret' * 5}"
    assert on.client.open(address, method=method).status_code == 403
    on.client.post(f"/staff/set-up/7-{'s3cret' * 5}")
    on.client.post(f"{address}/typed-wrong")
    told = [detail["page"] for _, detail in on.told("support:write_refused")]
    assert told == [f"/sign-in/{way}/<written>", "/staff/set-up/<written>", NO_ADDRESS]
    assert "s3cret" not in str(on.told())


@pytest.mark.parametrize("path", [GRID, "/settings/billing/usage", "/settings/billing/invoices"])
def test_asked_for_as_if_by_the_page_itself_it_is_recorded_too(on, path):
    """In a support view no page asks by itself."""
    assert "data-hx-trigger" not in on.get("/settings/billing/usage").html
    before = len(on.opened())
    on.get(f"{path}?refresh=1", **HTMX)
    assert on.opened()[before:] == [path]


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("POST", "/settings/billing/members%00", NO_ADDRESS),
        ("DELETE", "/%00", NO_ADDRESS),
        ("POST", "/settings/billing/add-ons/%00/purchase", "<lookup_key>/purchase"),
    ],
)
def test_a_write_with_what_no_database_keeps_is_refused_and_recorded(on, method, path, told):
    assert on.client.open(path, method=method).status_code == 403
    [(_, detail)] = on.told("support:write_refused")
    assert detail["page"].endswith(told)


def test_the_actor_may_read_whatever_the_role(on, app):
    cookie = {"Cookie": on.cookies()}
    with app.test_request_context(GRID, headers=cookie):
        app.preprocess_request()
        actor = signed_in().member.actor
        assert actor.holds(Permission.BILLING_UPDATE)
        assert [p for p in Permission if actor.can(p)] == [Permission.BILLING_READ]
        for permission in set(Permission) - {Permission.BILLING_READ}:
            with pytest.raises(Forbidden):
                actor.require(permission)


def test_the_database_itself_refuses_a_write(on, app):
    """Where both other fences were forgotten."""
    cookie = {"Cookie": on.cookies()}
    for url in (GRID, "/settings/billing/usage?refresh=1", "/staff/accounts"):
        with app.test_request_context(url, headers=cookie):
            assert app.preprocess_request() is None
            session = db.session()
            assert session.scalars(select(PlanRow)).first() is not None
            with pytest.raises(InternalError, match="read-only transaction"):
                session.execute(text("update plans set name = 'x'"))
            session.rollback()
            name, wall = EventName.CATALOG_APPLIED, on.world.wall
            record(session, on.world.scope, CLI, name, "catalog:1", wall)
            with pytest.raises(InternalError, match="read-only transaction"):
                session.commit()
            session.rollback()


def test_end_alone_is_let_through_and_wants_its_token(on):
    on.desk.visitor.post("/staff/support-view/end", {}, 400)
    token = on.token()
    on.end()
    reply = on.desk.visitor.post("/staff/support-view/end", {"csrf_token": token}, 303)
    assert reply.headers["Location"] == "/staff/accounts", "from another tab, once it is over"


def test_the_view_wins_over_the_members_own_cookie_which_is_not_touched(on, app, world):
    """Nobody acts as a customer by mistake: while it is on, nothing is done as anybody."""
    sid = on.client.get_cookie("support").value
    on.client.delete_cookie("support")
    other = world.account()
    key = world.key_of(other)
    on.desk.visitor.sign_in(f"owner@account{key}.test")
    own = on.get("/settings/billing/members")
    on.client.set_cookie("support", sid)
    page = on.get("/settings/billing/members")
    assert f"Account{key}" in own.text
    assert f"Account{key}" not in page.text
    token = page.hidden("csrf_token")
    on.desk.visitor.post("/settings/billing/members", {"csrf_token": token}, 403)
    on.desk.visitor.post("/sign-out", {"csrf_token": token}, 403)
    on.end()
    assert f"Account{key}" in on.get("/settings/billing/members").text


def test_a_form_that_was_open_when_the_view_ended_does_nothing(on, world):
    """Not even for a member of their own who is signed in in the same browser."""
    sid = on.client.get_cookie("support").value
    on.client.delete_cookie("support")
    on.desk.visitor.sign_in("owner@account1.test")
    token = on.get("/settings/billing/members").hidden("csrf_token")
    on.client.set_cookie("support", sid)
    world.now += LIFE
    before = on.rows()
    typed = {"csrf_token": token, "email": "new@account1.test", "role": "owner"}
    reply = on.desk.visitor.post("/settings/billing/members", typed, 303)
    assert reply.headers["Location"] == on.page
    assert on.rows() == before


@pytest.mark.parametrize("sid", ["forged", "0" * 43, "%00", "é"])
def test_a_forged_cookie_opens_nothing_and_is_taken_away(on, sid):
    on.client.set_cookie("support", sid)
    assert on.get(GRID, 303).headers["Location"] == "/staff/accounts"
    assert on.client.get_cookie("support") is None


def test_a_view_of_another_environment_opens_nothing_here(on, world):
    with open_session(world.engine, None) as session:
        other = accounts.ensure_environment(session, "default", "Acme", "staging")
    with open_session(world.engine, other.environment_id) as session:
        assert session.scalars(select(SupportSessionRow)).all() == []
        sid, staff_sid = (on.client.get_cookie(name).value for name in ("support", "staff"))
        assert find_view(session, other, sid, staff_sid, Consent.OPEN, world.wall) is None


@pytest.mark.parametrize("staff", [None, "forged", "of another"])
def test_its_cookie_opens_nothing_without_the_staffs_own(on, app, world, staff):
    thief = Visitor(app.test_client())
    thief.client.set_cookie("support", on.client.get_cookie("support").value)
    if staff == "of another":
        thief.client.set_cookie("staff", StaffDoor(world, "eve@staff.test", name="Eve").set_up())
    elif staff:
        thief.client.set_cookie("staff", staff)
    assert thief.get(GRID, 303).headers["Location"] == "/staff/accounts"
    assert thief.client.get_cookie("support") is None
    assert "Account1" in on.get(GRID).text, "who looks goes on"


def test_neither_other_cookie_is_a_view(on):
    staff_sid = on.client.get_cookie("staff").value
    on.client.set_cookie("support", staff_sid)
    on.get(GRID, 303)


def test_an_anonymous_or_htmx_page_after_the_end_leaves_the_page(on):
    on.world.now += LIFE
    assert on.get(GRID, 204, **HTMX).headers["HX-Redirect"] == on.page


def test_the_host_is_answered_as_ever(on, app):
    reply = on.client.get("/api/v1/add-ons")
    assert reply.status_code == 401
    assert reply.mimetype == "application/problem+json"
    assert on.client.get("/healthz").status_code == 200
    assert on.client.post("/webhooks/stripe/development", data="{}").status_code == 400
    assert [d["page"] for _, d in on.told("support:write_refused")] == []
