"""Each warning of the linter, and what it does not warn about."""

from __future__ import annotations

from typing import Any

import pytest

from portal.services.catalog.linting import lint
from tests.services.catalog.shop import sound

FEATURES = """\
features:
  - {lookup_key: members, name: Members, type: metered, use: held}
  - {lookup_key: sso, name: Single sign-on, type: boolean}
"""
PLAN = """\
plans:
  - lookup_key: growth
    name: Growth
    prices:
      - {lookup_key: gm, amount: "9", currency: usd, billing_cadence: RECURRING, billing_period: MONTHLY}
      - {lookup_key: ga, amount: "90", currency: usd, billing_cadence: RECURRING, billing_period: ANNUAL}
      - {lookup_key: ge, amount: "9", currency: eur, billing_cadence: RECURRING, billing_period: MONTHLY}
"""  # noqa: E501
MONTHLY = "billing_cadence: RECURRING, billing_period: MONTHLY}"
PRICES = {
    "usd monthly": '{lookup_key: um, amount: "5", currency: usd, ' + MONTHLY,
    "usd annual": (
        '{lookup_key: ua, amount: "50", currency: usd,'
        " billing_cadence: RECURRING, billing_period: ANNUAL}"
    ),
    "eur monthly": '{lookup_key: em, amount: "5", currency: eur, ' + MONTHLY,
    "usd once": (
        '{lookup_key: uo, amount: "5", currency: usd,'
        " billing_cadence: ONETIME, capacity_ends: never}"
    ),
    "eur once": (
        '{lookup_key: eo, amount: "5", currency: eur,'
        " billing_cadence: ONETIME, capacity_ends: never}"
    ),
}
ALL = ("usd monthly", "usd annual", "eur monthly")


def file(
    name: str = "5 extra members",
    type: str = "multiple_instance",
    grants: str = "{feature: members, usage_limit: 5}",
    prices: tuple[str, ...] = ALL,
    more: str = "",
) -> str:
    rows = [PRICES.get(price, price) for price in prices]
    lines = [
        *("add_ons:", "  - lookup_key: it", f"    name: {name}", f"    type: {type}"),
        *("    benefit: It is good.", "    entitlements:", f"      - {grants}"),
        *(["    prices:", *(f"      - {row}" for row in rows)] if rows else []),
    ]
    return FEATURES + PLAN + "\n".join(lines) + "\n" + more


def warnings(text: str) -> list[str]:
    return [message for _, message in lint(sound(text))]


SSO: dict[str, Any] = {"name": "Single sign-on", "type": "onetime", "grants": "{feature: sso}"}
VOLUME = (
    "{lookup_key: v, currency: usd, billing_model: TIERED, tier_mode: %s, tiers: ["
    "{up_to: 10, unit_amount: '50'}, {up_to: 20, unit_amount: '%s'}, {unit_amount: '60'}], "
    + MONTHLY
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (file(), []),
        (file(**SSO), []),
        (file(prices=("usd once", "eur once")), []),
        (
            file(prices=("usd monthly", "eur monthly")),
            ["has no ANNUAL USD price, but plan growth is sold so"],
        ),
        (
            file(prices=("usd monthly", "usd annual")),
            ["has no EUR price, but plan growth is sold so"],
        ),
        (file(prices=("usd once",)), ["has no EUR price, but plan growth is sold so"]),
        (
            file(prices=("usd annual",)),
            [
                "has no MONTHLY USD price, but plan growth is sold so",
                "has no EUR price, but plan growth is sold so",
            ],
        ),
        (file(prices=("usd monthly",), more="    status: draft\n"), []),
        (file(name="Add-on", prices=(), more="    status: archived\n"), []),
        (file(prices=()), ["is published without a price, so nobody can buy it"]),
        (
            file(name="Extra Space"),
            ["the name 'Extra Space' does not say what it provides"],
        ),
        (
            file(**SSO | {"name": "Premium Service"}),
            ["the name 'Premium Service' does not say what it provides"],
        ),
        (
            file(name="User Add-on"),
            ["the name 'User Add-on' hides how much it provides: say 5"],
        ),
        (file(name="5 User Pack"), []),
        (
            file(name="10 User Pack"),
            ["the name '10 User Pack' has another number than what it provides, 5"],
        ),
        (
            file(
                name="Members by use", type="onetime", grants="{feature: members, usage_limit: 0}"
            ),
            [],
        ),
        (file(name="Unlimited members", grants="{feature: members, usage_limit: null}"), []),
        (
            file(type="onetime"),
            ["sells capacity, which is bought more than once: multiple_instance fits"],
        ),
        (
            file(**SSO | {"type": "multiple_instance"}),
            ["only unlocks features, and a second one would bring nothing: onetime fits"],
        ),
        (
            file(**SSO | {"grants": "{feature: sso}\n      - {feature: members, usage_limit: 5}"}),
            [],
        ),
        (
            file(prices=(VOLUME % ("VOLUME", "40"), "usd annual", "eur monthly")),
            ["price v: 11 units cost less than 10"],
        ),
        (file(prices=(VOLUME % ("VOLUME", "50"), "usd annual", "eur monthly")), []),
        (file(prices=(VOLUME % ("SLAB", "40"), "usd annual", "eur monthly")), []),
    ],
)
def test_warnings(text: str, expected: list[str]) -> None:
    assert warnings(text) == expected


def test_a_period_of_a_plan_that_may_not_buy_it_is_not_missed() -> None:
    other = PLAN.replace("growth", "small").split("\n", 1)[1]
    for old in ("gm", "ga", "ge"):
        other = other.replace(f"lookup_key: {old}", f"lookup_key: small_{old}")
    only_monthly = other.replace("currency: eur", "currency: gbp")
    text = file(more="    allowed_plans: [growth]\n").replace("add_ons:", only_monthly + "add_ons:")

    assert warnings(text) == []
    assert warnings(text.replace("    allowed_plans: [growth]\n", "")) == [
        "has no GBP price, but plan small is sold so"
    ]
