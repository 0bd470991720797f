"""The demo catalog carries both seeds' lists, and keeps the rules that it shows."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from portal.domain.catalog import (
    AddOn,
    AddOnType,
    BillingCadence,
    Catalog,
    Plan,
    Price,
    Status,
    price_for,
)
from portal.domain.periods import BillingPeriod, Interval
from portal.services.catalog.linting import lint
from tests.services.catalog.shop import Shop, sound

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "catalog.yaml").read_text()
MONTHLY, ANNUAL = Interval(BillingPeriod.MONTHLY), Interval(BillingPeriod.ANNUAL)
ONCE, EVERY_PERIOD = BillingCadence.ONETIME, BillingCadence.RECURRING


@pytest.fixture(scope="module")
def demo() -> Catalog:
    return sound(TEXT)


def add_on(demo: Catalog, name: str) -> AddOn:
    return next(add_on for add_on in demo.add_ons if add_on.name == name)


def price(entity: AddOn | Plan, currency: str = "usd", plan: Interval = MONTHLY) -> Price:
    found = price_for(entity.prices, currency, plan)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "amount", "cadence", "type"),
    [
        ("100,000 message pack", "49", ONCE, AddOnType.MULTIPLE_INSTANCE),
        ("Knowledge expansion 10 GB", "25", ONCE, AddOnType.MULTIPLE_INSTANCE),
        ("Auto-retraining", "39", EVERY_PERIOD, AddOnType.ONETIME),
        ("Salesforce connector", "50", EVERY_PERIOD, AddOnType.ONETIME),
        ("Zendesk connector", "35", EVERY_PERIOD, AddOnType.ONETIME),
        ("Advanced webhooks", "30", EVERY_PERIOD, AddOnType.ONETIME),
        ("5 extra members", "45", EVERY_PERIOD, AddOnType.MULTIPLE_INSTANCE),
        ("Priority SLA support", "199", EVERY_PERIOD, AddOnType.ONETIME),
        ("Onboarding", "499", ONCE, AddOnType.ONETIME),
        ("100 GB storage", "10", EVERY_PERIOD, AddOnType.MULTIPLE_INSTANCE),
        ("Advanced analytics", "49", EVERY_PERIOD, AddOnType.ONETIME),
        ("10,000 SMS credits", "100", ONCE, AddOnType.MULTIPLE_INSTANCE),
    ],
)
def test_both_seeds_are_complete(
    demo: Catalog, name: str, amount: str, cadence: BillingCadence, type: AddOnType
) -> None:
    found = add_on(demo, name)
    assert (price(found).amount, price(found).billing_cadence) == (Decimal(amount), cadence)
    assert (found.type, found.status) == (type, Status.PUBLISHED)


def test_packs_come_in_three_sizes(demo: Catalog) -> None:
    packs = [a for a in demo.add_ons if a.name.endswith("message pack")]
    assert [a.entitlements[0].usage_limit for a in packs] == [10_000, 50_000, 100_000]


def test_growth_grants_what_the_worked_examples_say(demo: Catalog) -> None:
    growth = next(plan for plan in demo.plans if plan.lookup_key == "growth")
    limits = {e.feature.lookup_key: e.usage_limit for e in growth.entitlements}
    assert (limits["messages"], limits["storage"], limits["members"]) == (100_000, 10, 10)


def test_annual_is_about_a_fifth_less(demo: Catalog) -> None:
    entities: list[Plan | AddOn] = [*demo.plans, *demo.add_ons]
    for entity in entities:
        for currency in {p.currency for p in entity.prices if p.is_recurring}:
            year = price(entity, currency, ANNUAL).amount
            share = year / (12 * price(entity, currency).amount)
            assert Decimal("0.79") < share < Decimal("0.82"), (entity.name, currency)


def test_every_plan_is_sold_in_three_currencies(demo: Catalog) -> None:
    assert [plan.name for plan in demo.plans] == ["Starter", "Growth", "Business", "Enterprise"]
    for plan in demo.plans:
        sold = {(p.currency, p.interval) for p in plan.prices}
        assert sold == {(c, i) for c in ("usd", "eur", "jpy") for i in (MONTHLY, ANNUAL)}


def test_every_state_and_a_restriction_are_shown(demo: Catalog) -> None:
    assert {a.status for a in demo.add_ons} == set(Status)
    assert [a.lookup_key for a in demo.add_ons if a.allowed_plans] == ["advanced_webhooks"]


def test_every_icon_is_in_the_sprite(demo: Catalog) -> None:
    there = set(re.findall(r'id="([^"]+)"', (ROOT / "static" / "icons.svg").read_text()))
    assert {a.icon for a in demo.add_ons} <= there


def test_every_add_on_can_be_shown_as_a_card(demo: Catalog) -> None:
    for found in demo.add_ons:
        assert found.benefit.endswith("."), found.name
        assert found.category, found.name
    assert len({a.sort for a in demo.add_ons}) == len(demo.add_ons)


def test_the_only_warning_is_the_deliberate_one(demo: Catalog) -> None:
    assert lint(demo) == (("add-on onboarding", "has no JPY price, but plan starter is sold so"),)


def test_it_applies_and_comes_back_as_it_was(shop: Shop, demo: Catalog) -> None:
    shop.apply(TEXT)
    exported = shop.export()
    assert sound(exported) == demo
    assert not shop.propose(exported).steps
