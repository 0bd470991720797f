"""The catalog as the host lists it, and what an account holds."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.services.beyond import Meterage
from tests.services.by_use import NAME, buy, sell


def all_of(host, path, **query):
    page = host.get(path, **query).json
    found, pages = list(page["data"]), 1
    while page["next_cursor"]:
        page = host.get(path, **query, cursor=page["next_cursor"]).json
        found, pages = found + page["data"], pages + 1
    return found, pages


@pytest.mark.parametrize(("limit", "pages"), [(1, 15), (4, 4), (15, 1), (200, 1)])
def test_pages_have_every_add_on_once_and_no_draft(limit, pages, host, world):
    found, turned = all_of(host, "/add-ons", limit=limit)
    sold = [a.lookup_key for a in world.catalog().add_ons if a.status == "published"]
    assert [each["lookup_key"] for each in found] == sold
    assert turned == pages


def test_an_add_on_says_what_it_costs_and_brings(host):
    found = {each["lookup_key"]: each for each in host.get("/add-ons").json["data"]}
    pack = found["messages_100k"]
    assert [p["unit_amount"] for p in pack["prices"] if p["currency"] == "usd"] == ["49.00"]
    assert [p["unit_amount"] for p in pack["prices"] if p["currency"] == "jpy"] == ["7300"]
    assert pack["brings"][0]["units"] == "100000"
    assert pack["prices"][0]["capacity_ends"] == "window"
    monthly = found["salesforce"]["prices"][0]
    assert (monthly["cadence"], monthly["every"], monthly["every_count"]) == (
        "RECURRING", "MONTHLY", 1
    )  # fmt: skip
    assert found["sla_support"]["most_units"] == 1


@pytest.mark.parametrize(
    "query", [{"limit": 0}, {"limit": 201}, {"limit": "x"}, {"cursor": "!"}, {"cursor": "W10="},
              {"cursor": "bnVsbA=="}, {"cursor": "WyJhIiwgMV0="}, {"page": 2}, {"limit": ""}],
)  # fmt: skip
def test_a_bad_page_is_named(query, host):
    answer = host.get("/add-ons", 422, **query)
    assert [each["parameter"] for each in answer.json["errors"]] == list(query)


def test_what_an_account_holds(host, world):
    actor = world.account()
    world.account()
    world.buy(actor, "salesforce")
    world.buy(actor, "messages_10k", 2)
    found, pages = all_of(host, "/accounts/account1/add-ons", limit=1)
    assert pages == 2
    connector, pack = found
    assert connector["next_charge"] == {"amount": "50.00", "currency": "usd"}
    assert (connector["renews_at"], connector["ends_at"]) == ("2026-05-01T00:00:00Z", None)
    assert (pack["quantity"], pack["auto_renew"], pack["ends_at"]) == (
        2, False, "2026-05-01T00:00:00Z"
    )  # fmt: skip
    assert host.get("/accounts/account2/add-ons").json == {"data": [], "next_cursor": None}
    host.get("/accounts/nobody/add-ons", 404)


def test_what_has_ended_is_told_when_asked(host, world):
    actor = world.account()
    world.buy(actor, "messages_10k")
    world.now = datetime(2026, 5, 1, tzinfo=UTC)
    assert host.get("/accounts/account1/add-ons").json["data"] == []
    found = host.get("/accounts/account1/add-ons", which="all").json["data"]
    assert [(each["add_on"], each["phase"]) for each in found] == [("messages_10k", "ended")]
    host.get("/accounts/account1/add-ons", 422, which="some")


def test_a_price_for_use_is_told_with_what_is_sold_quoted_and_held(host, world):
    meterage = Meterage(world)
    sell(meterage)
    actor = meterage.account("growth_monthly_usd", "growth")
    sold = next(e for e in host.get("/add-ons", limit=200).json["data"] if e["name"] == NAME)
    [per_unit] = [price for price in sold["prices"] if price["type"] == "USAGE"]
    assert (per_unit["feature"], per_unit["unit_amount"]) == ("messages", "0.001")
    asked = {"account": "account1", "add_on": sold["lookup_key"]}
    quoted = host.post("/quotes", asked, 200).json
    assert quoted["use_prices"] == [per_unit["lookup_key"]]
    assert quoted["charged"]["amount"] == "0.00"
    buy(meterage, actor)
    [held] = host.get("/accounts/account1/add-ons").json["data"]
    assert held["use_prices"] == [per_unit["lookup_key"]]
