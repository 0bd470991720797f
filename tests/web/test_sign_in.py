"""Signing in and out."""

from __future__ import annotations

import pytest

from portal.factory import create_app
from portal.gateways.fake_payments import FakePayments
from portal.models.base import db
from portal.queries.members import find_scope
from portal.web.forms.sign_in import safe_next
from tests.support.world import PASSWORD
from tests.web.conftest import settings_for
from tests.web.reading import Visitor


def test_the_first_visit_ever_makes_tenant_and_environment(database):
    app = create_app(settings_for(database), FakePayments())
    visit = Visitor(app.test_client())
    assert "Sign in" in visit.get("/sign-in").text
    visit.sign_in("nobody@nowhere.test", "whatever", 422)
    with app.app_context():
        assert find_scope(db.session(), "default", "development") is not None
        db.session.remove()
        db.engine.dispose()


def test_wrong_password_and_unknown_address_answer_alike(world, visit):
    world.account()
    wrong = visit.sign_in("owner@account1.test", "wrong", 422)
    unknown = visit.sign_in("nobody@account1.test", "wrong", 422)
    assert "E-mail or password is wrong." in wrong.text
    assert wrong.text.replace("owner@", "") == unknown.text.replace("nobody@", "")


def test_what_was_typed_stays_except_the_password(world, visit):
    world.account()
    reply = visit.sign_in("owner@account1.test", "wrong", 422)
    assert reply.all("input", name="email")[0].get("value") == "owner@account1.test"
    assert not reply.all("input", name="password")[0].get("value")


def test_empty_fields_are_named(world, visit):
    world.account()
    reply = visit.sign_in("", "", 422)
    assert "Enter your e-mail address" in reply.text
    assert "Enter your password" in reply.text


def test_sign_out_ends_the_session_for_good(world, visit):
    world.account()
    visit.sign_in("owner@account1.test")
    page = visit.get("/settings/billing/add-ons")
    cookie = visit.client.get_cookie("portal").value
    visit.post("/sign-out", {"csrf_token": page.hidden("csrf_token")}, 303)
    visit.client.set_cookie("portal", cookie)
    reply = visit.get("/settings/billing/add-ons", 303)
    assert reply.headers["Location"].startswith("/sign-in")


def test_a_session_id_that_was_there_before_the_sign_in_is_not_taken_over(world, visit):
    world.account()
    world.account()
    planted = "an id that somebody else knows"
    visit.get("/sign-in")
    with visit.client.session_transaction() as cookie:
        cookie["_user_id"] = planted
    visit.sign_in("owner@account1.test")
    with visit.client.session_transaction() as cookie:
        first = cookie["_user_id"]
    token = visit.get("/settings/billing/add-ons").hidden("csrf_token")
    typed = {"csrf_token": token, "email": "owner@account2.test", "password": PASSWORD}
    visit.post("/sign-in", typed, 303)
    with visit.client.session_transaction() as cookie:
        assert len({planted, first, cookie["_user_id"]}) == 3


def test_the_theme_is_kept_and_never_leads_away(world, visit):
    world.account()
    token = {"csrf_token": visit.get("/sign-in").hidden("csrf_token")}
    reply = visit.post("/preferences/theme", token | {"theme": "dark", "next": "//evil.test"}, 303)
    assert reply.headers["Location"] == "/settings/billing/add-ons"
    assert 'data-bs-theme="dark"' in visit.get("/sign-in").html
    visit.post("/preferences/theme", token | {"theme": "<script>", "next": "/sign-in"}, 303)
    assert 'data-bs-theme="dark"' in visit.get("/sign-in").html


HOSTILE = (
    "//evil.test", "https://evil.test", "/\\evil.test", "\\\\evil.test", "javascript:alert(1)",
    "/\t/evil.test", "http:evil.test", " //evil.test", "evil", "", None, "/\n/evil", "////evil",
)  # fmt: skip


@pytest.mark.parametrize("target", HOSTILE)
def test_no_target_leads_to_another_site(target):
    assert safe_next(target, "/home") == "/home"


@pytest.mark.parametrize("target", ["/settings/billing/usage", "/a?b=c#d"])
def test_a_path_of_this_site_is_a_target(target):
    assert safe_next(target, "/home") == target
