"""What an account may use, as the host is told: the figures of the usage page, and what helps."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.models.catalog import EntitlementRow
from portal.models.subscriptions import SubscriptionRow


def use(host, units, feature="messages", number=1):
    event = {"account": "account1", "id": f"{feature}{number}", "feature": feature,
             "units": str(units), "occurred_at": "2026-04-11T00:00:00Z"}  # fmt: skip
    assert host.post("/usage-events", {"events": [event]}, 200).json["counted"] == 1


def ask(host, feature="messages", **query):
    return host.get(f"/accounts/account1/entitlements/{feature}", **query).json


def test_limit_used_remaining_and_when_it_resets(host, world):
    world.account()
    use(host, 30_000)
    told = ask(host)
    assert told["allowed"] is True
    assert (told["limit"], told["used"], told["remaining"]) == ("100000", "30000", "70000")
    assert told["resets_at"] == "2026-05-01T00:00:00Z"
    assert (told["reason"], told["help"]) == (None, None)


@pytest.mark.parametrize(("units", "allowed"), [("70000", True), ("70000.00000001", False)])
def test_exactly_what_is_left_is_allowed_and_no_more(units, allowed, host, world):
    world.account()
    use(host, 30_000)
    assert ask(host, units=units)["allowed"] is allowed


def test_used_up_names_the_cheapest_pack_that_is_enough(host, world):
    world.account()
    use(host, 100_000)
    told = ask(host, units="200")
    assert (told["allowed"], told["reason"], told["remaining"]) == (False, "used_up", "0")
    assert told["help"]["add_on"] == "messages_10k"
    assert told["help"]["units"] == "10000"
    assert told["help"]["buy_url"].endswith("/settings/billing/add-ons/messages_10k/purchase")
    assert ask(host, units="30000")["help"]["add_on"] == "messages_50k"
    assert ask(host, units="300000")["help"]["add_on"].startswith("messages_100k")


def test_what_was_bought_counts(host, world):
    actor = world.account()
    use(host, 100_000)
    world.buy(actor, "messages_10k")
    told = ask(host)
    assert (told["allowed"], told["limit"], told["remaining"]) == (True, "110000", "10000")


def test_a_connector_is_not_included_until_it_is_bought(host, world):
    actor = world.account()
    feature = next(
        e.feature.lookup_key
        for a in world.catalog().add_ons
        if a.lookup_key == "salesforce"
        for e in a.entitlements
    )
    told = ask(host, feature)
    assert (told["allowed"], told["reason"]) == (False, "not_included")
    assert told["help"]["add_on"] == "salesforce"
    world.buy(actor, "salesforce")
    assert ask(host, feature)["allowed"] is True


def test_the_list_says_the_same_of_every_feature(host, world):
    world.account()
    use(host, 5)
    use(host, 4, "members")
    listed = host.get("/accounts/account1/entitlements", limit=200).json["data"]
    assert [each["feature"] for each in listed] == [f.lookup_key for f in world.catalog().features]
    for each in listed:
        assert ask(host, each["feature"]) == each
    first = host.get("/accounts/account1/entitlements", limit=1).json
    assert first["data"] == listed[:1]
    assert first["next_cursor"]


def test_a_soft_limit_allows_and_says_what_is_over(host, world):
    world.account()
    world.change(update(EntitlementRow).values(is_soft_limit=True))
    use(host, 99_995)
    told = ask(host, units="8")
    assert (told["allowed"], told["excess"], told["remaining"]) == (True, "3", "5")


def test_unlimited_and_none(host, world):
    world.account()
    world.change(update(EntitlementRow).values(usage_limit=None))
    told = ask(host, units="9999999999")
    assert (told["allowed"], told["limit"], told["remaining"]) == (True, None, None)
    world.change(update(EntitlementRow).values(usage_limit=0))
    world.now = datetime(2026, 5, 2, tzinfo=UTC)
    assert (ask(host)["allowed"], ask(host)["limit"]) == (False, "0")


@pytest.mark.parametrize(("status", "reason"), [("suspended", "suspended"), ("past_due", None)])
def test_a_suspended_account_has_nothing_and_a_past_due_one_keeps_all(status, reason, host, world):
    world.account()
    world.change(update(SubscriptionRow).values(status=status))
    told = ask(host)
    assert (told["allowed"], told["reason"]) == (reason is None, reason)


def test_without_a_plan_there_is_nothing(host, world):
    owner = {"email": "o@acme.test", "name": "O"}
    host.put("/accounts/account1", {"name": "A", "currency": "usd", "owner": owner}, 201)
    listed = host.get("/accounts/account1/entitlements").json["data"]
    assert {each["reason"] for each in listed} == {"no_subscription"}


@pytest.mark.parametrize("units", ["-1", "x", "", "1e3", "0.123456789", "12345678901"])
def test_bad_units_are_named(units, host, world):
    world.account()
    answer = host.get("/accounts/account1/entitlements/messages", 422, units=units)
    assert [each["parameter"] for each in answer.json["errors"]] == ["units"]


def test_what_is_not_there(host, world):
    world.account()
    host.get("/accounts/nobody/entitlements", 404)
    host.get("/accounts/account1/entitlements/telepathy", 404)
