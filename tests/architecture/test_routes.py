"""Every route says who may come in, and means it; every failure has a status."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

import portal
from portal.api.operations import OPERATIONS, bp
from portal.domain.access import GRANTS, STAFF_GRANTS, Permission, StaffRole
from portal.domain.errors import PortalError
from portal.domain.payments import CardRefused
from portal.domain.periods import WallNow
from portal.factory import create_app
from portal.gateways.fake_payments import FakePayments
from portal.gateways.stripe_webhooks import BadEvent, BadSignature
from portal.services.contract_withdrawals import NoRightToWithdraw
from portal.settings import Settings
from portal.web.errors import STATUS
from portal.web.requests import is_staff_page
from portal.web.security import csrf
from tests.support.database import clone
from tests.support.world import APRIL_11

PUBLIC = {
    "static",
    "auth.home",
    "auth.support",
    "auth.sign_in",
    "auth.start_session",
    "auth.code",
    "auth.enter_code",
    "auth.sign_out",
    "declarations.show",
    "declarations.send",
    "declarations.received",
    "declarations.text",
    "health.healthz",
    "invitations.show",
    "invitations.join",
    "invitations.accept",
    "oidc.begin",
    "oidc.come_back",
    "links.show",
    "links.use",
    "preferences.language",
    "preferences.theme",
    "resets.forgotten",
    "resets.ask",
    "resets.show",
    "resets.reset",
    "staff.sign_in",
    "staff.ask_code",
    "staff.code",
    "staff.start_session",
    "staff.show_set_up",
    "staff.set_up",
    "staff.sign_out",
    "staff_oidc.begin",
    "staff_oidc.come_back",
    "support.end",
    "webhooks.stripe",
}
ONES_OWN = {"security", "second_factor", "own_provider", "belongings"}
"""Blueprints where everybody may write: how they themselves sign in, and where."""
OWNERS = {"members", "support_access"}
"""Where only owners write."""
ADMINISTERED = ("/staff/api-keys", "/staff/messages")
"""What lets the host application in, and tells it of events."""
LEAVING, LIMITING = "members.leave", "recharge.set_ceiling"
WITHOUT_CSRF = {"portal.web.views.webhooks.stripe"}
BY_KEY = "api."
"""Their guard is the key of the host application: tests/api/test_auth.py."""
ANSWERED_WHERE_THEY_ARISE = {BadSignature, BadEvent, CardRefused, NoRightToWithdraw}
"""Views answer them, and CardRefused the command line, which alone saves cards so far."""


@pytest.fixture(scope="module")
def app(demo_template: str) -> Iterator[Flask]:
    with clone(demo_template) as database:
        settings = Settings(
            database_url=database.app_url,
            secret_key="k" * 32,
            stripe_secret_key="sk_test_x",
            stripe_webhook_secret="whsec_x",
        )
        app = create_app(settings, FakePayments(), lambda: WallNow(APRIL_11))
        app.config["WTF_CSRF_ENABLED"] = False
        yield app
        with app.app_context():
            from portal.models.base import db

            db.engine.dispose()


def guarded(app: Flask) -> list[Rule]:
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in PUBLIC and not rule.endpoint.startswith(BY_KEY)
    ]


def permission_of(app: Flask, rule: Rule) -> Permission | None:
    return getattr(app.view_functions[rule.endpoint], "__permission__", None)


def test_every_route_names_its_permission(app):
    marked = {e for e, view in app.view_functions.items() if hasattr(view, "__permission__")}
    unmarked = set(app.view_functions) - marked
    assert {e for e in unmarked if not e.startswith(BY_KEY)} == {"static"}
    for endpoint in unmarked - {"static", "api.openapi"}:
        assert app.view_functions[endpoint].__operation__ in OPERATIONS
    open_to_all = {e for e in marked if app.view_functions[e].__permission__ is None}
    assert open_to_all | {"static"} == PUBLIC


def test_what_changes_something_needs_more_than_reading(app):
    for rule in guarded(app):
        writes = (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        if rule.rule.startswith("/staff"):
            continue
        expected = _right_to_change(rule.endpoint) if writes else Permission.BILLING_READ
        assert permission_of(app, rule) is expected, rule.rule


def _right_to_change(endpoint: str) -> Permission:
    part = endpoint.partition(".")[0]
    if part in ONES_OWN or endpoint == LEAVING:
        return Permission.SELF_UPDATE
    if endpoint == LIMITING:
        return Permission.BILLING_LIMIT
    return Permission.MEMBERS_UPDATE if part in OWNERS else Permission.BILLING_UPDATE


def test_a_page_is_of_staff_where_its_address_and_its_mark_say_so(app):
    """All three ways to know it agree: a member's session is not even read there."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in PUBLIC]
    of_staff = frozenset(Permission) - frozenset().union(*GRANTS.values())
    marked = {r.rule for r in rules if permission_of(app, r) in of_staff}
    assert marked == {r.rule for r in rules if r.rule.startswith("/staff")}
    assert len(marked) >= 8
    for rule in app.url_map.iter_rules():
        with app.test_request_context(rule.rule):
            assert is_staff_page() is rule.rule.startswith("/staff"), rule.rule
    assert of_staff == {Permission.STAFF, Permission.STAFF_ADMIN}
    assert STAFF_GRANTS[StaffRole.ADMIN] == of_staff
    administered = {r.rule for r in rules if permission_of(app, r) is Permission.STAFF_ADMIN}
    assert administered == {r.rule for r in rules if r.rule.startswith(ADMINISTERED)}


def test_only_the_webhook_and_the_api_take_a_post_without_a_token(app):
    assert csrf._exempt_views == WITHOUT_CSRF
    assert csrf._exempt_blueprints == {bp}


def test_every_error_that_can_reach_a_browser_has_a_status():
    for module in pkgutil.walk_packages(portal.__path__, "portal."):
        if not module.name.startswith(("portal.sandbox", "portal.local")):
            importlib.import_module(module.name)
    found = set(_below(PortalError))
    assert found - set(STATUS) == ANSWERED_WHERE_THEY_ARISE
    assert all(400 <= status < 600 for status in STATUS.values())


def _below(error: type[PortalError]) -> Iterator[type[PortalError]]:
    for child in error.__subclasses__():
        yield child
        yield from _below(child)
