"""Keeping what was cancelled, and turning auto-recharge on: what is agreed to, mailed and shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from portal.models.subscriptions import InstanceRow
from tests.services.leaving import renewal, told
from tests.web.test_legal import (
    ACTIVE,
    GERMAN,
    OBLIGATION,
    RECHARGE,
    VALUES,
    consents,
    enter,
    fields,
    mailed,
    paying,
)
from tests.web.test_withdrawals import links


@pytest.mark.parametrize("control", ["keep", "auto-renew"])
def test_a_consumer_keeps_an_add_on_only_by_the_button_that_names_the_charge(control, world, visit):
    actor = enter(world, visit, "consumer_de")
    world.buy(actor, "salesforce")
    page = visit.get(ACTIVE)
    visit.post(f"{ACTIVE}/1/auto-renew", fields(page, "/1/auto-renew"), 303)
    page = visit.get(ACTIVE)
    assert paying(page, "/1/keep") == f"{GERMAN}0,00 $ jetzt, 50,00 $ am 01.05.2026"
    assert renewal(*told(world, actor, "add_on_cancelled")) == (
        "Salesforce connector", 5000, datetime(2026, 5, 1, tzinfo=UTC)
    ), "the mail says what the button does"  # fmt: skip
    assert not [f for f in page.all("form") if f.get("action", "").endswith("/1/auto-renew")]
    sent = {"csrf_token": page.hidden("csrf_token"), "auto_renew": "on"}
    visit.post(f"{ACTIVE}/1/{control}", sent, 303)
    assert "works until 1 May 2026" in visit.get(ACTIVE).text, "nothing was kept"
    visit.post(f"{ACTIVE}/1/keep", fields(page, "/1/keep"), 303)
    assert "renews 1 May 2026 for $50.00" in visit.get(ACTIVE).text
    [kept] = [each for each in consents(world, actor) if each.subject == "instance:1"]
    assert kept.button.startswith(GERMAN)
    assert mailed(world, "add_on_kept") == kept.statements
    [notice] = told(world, actor, "add_on_kept")
    assert renewal(notice) == renewal(*told(world, actor, "add_on_cancelled"))
    for page in (visit.get(f"{ACTIVE}/1/cancel"), visit.get("/settings/billing/purchases/1")):
        assert "What you agreed to" in page.text
        assert kept.digest in page.text


def test_what_another_button_said_keeps_nothing(world, visit):
    actor = enter(world, visit, "consumer_eu")
    for add_on in ("salesforce", "zendesk"):
        world.buy(actor, add_on)
    page = visit.get(ACTIVE)
    for number in (1, 2):
        visit.post(f"{ACTIVE}/{number}/auto-renew", fields(page, f"/{number}/auto-renew"), 303)
    page = visit.get(ACTIVE)
    visit.post(f"{ACTIVE}/1/keep", fields(page, "/2/keep"), 303)
    assert world.rows(InstanceRow, cancel_at=None) == 0
    assert consents(world, actor) == []


def test_a_cancelled_plan_is_kept_by_a_button_that_names_the_charge(world, visit):
    actor = enter(world, visit, "consumer_eu")
    cancel = "/settings/billing/plans/cancel"
    visit.post(cancel, fields(visit.get(cancel), cancel), 303)
    page = visit.get("/settings/billing/plans")
    assert paying(page, "/plans/keep") == f"{OBLIGATION}$0.00 now, $99.00 on 1 May 2026"
    keep = "/settings/billing/plans/keep"
    visit.post(keep, {"csrf_token": page.hidden("csrf_token")}, 303)
    assert "Your plan ends on" in visit.get("/settings/billing/plans").text
    visit.post(keep, fields(page, "/plans/keep"), 303)
    [kept] = consents(world, actor)
    assert kept.subject == "subscription:1"
    assert mailed(world, "plan_kept") == kept.statements
    [notice] = told(world, actor, "plan_kept")
    assert renewal(notice) == ("Growth", 9900, datetime(2026, 5, 1, tzinfo=UTC))
    assert kept.digest in visit.get(cancel).text


def test_auto_recharge_is_agreed_to_with_its_box_and_its_own_values(world, visit):
    actor = enter(world, visit, "consumer_eu")
    query = "&".join(f"{name}={value}" for name, value in VALUES.items())
    page = visit.get(f"{RECHARGE}?{query}")
    sent = fields(page, RECHARGE)
    visit.post(RECHARGE, fields(page, RECHARGE, ticked=False), 422)
    visit.post(RECHARGE, sent | {"cap": "980.00"}, 422)
    assert consents(world, actor) == []
    visit.post(RECHARGE, sent, 303)
    [kept] = consents(world, actor)
    assert kept.subject == "recharge:1"
    assert "10,000 messages" in kept.statements[0]
    assert "You can withdraw" in kept.statements[1]
    assert mailed(world, "recharge_agreed") == [*kept.statements, kept.request]
    policy = RECHARGE.removesuffix("/consent")
    [link] = links(visit.get("/settings/billing/auto-recharge"), f"{policy}#purchases-consents")
    assert kept.digest in visit.get(link.get("href")).text


def test_businesses_too_are_told_of_what_they_agreed_to(world, visit):
    actor = world.account(country="DE")
    visit.sign_in("owner@account1.test")
    world.buy(actor, "salesforce")
    page = visit.get(ACTIVE)
    for _ in range(2):
        visit.post(f"{ACTIVE}/1/auto-renew", {**fields(page, "/1/auto-renew")}, 303)
        page = visit.get(ACTIVE)
        visit.post(f"{ACTIVE}/1/keep", fields(page, "/1/keep"), 303)
        world.pass_time(minutes=1)
        page = visit.get(ACTIVE)
    assert [notice["agreed"] for notice in told(world, actor, "add_on_kept")] == [[], []]
    query = "&".join(f"{name}={value}" for name, value in VALUES.items())
    page = visit.get(f"{RECHARGE}?{query}")
    visit.post(RECHARGE, fields(page, RECHARGE), 303)
    [notice] = told(world, actor, "recharge_agreed")
    assert (notice["threshold"], notice["cap"]["minor"]) == (10_000, 14_700)
    assert "10,000 messages" in notice["agreed"][0]
