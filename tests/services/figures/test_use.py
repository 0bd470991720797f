"""P13, E6, E7: what is used beyond a soft limit, as money on the renewal's invoice."""

from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from portal.domain.catalog import (
    AddOnType,
    BillingModel,
    Entitlement,
    EntityType,
    Feature,
    FeatureType,
    FeatureUse,
    InvoiceCadence,
    Plan,
    Price,
    PriceType,
    Status,
    TierMode,
    TransformQuantity,
)
from portal.domain.periods import BillingPeriod
from tests.services.figures.stall import Stall, minor
from tests.unit.samples import recurring, tiered

DAILY = BillingPeriod.DAILY
_numbers = count(1)


def metered(stall: Stall, limit: int, per: BillingPeriod, *charged: Price) -> tuple[str, str]:
    """A plan of $20 a month with so much of a new feature, and more at a price; price, feature."""
    key = f"metered_{next(_numbers)}"
    feature = Feature(f"{key}_events", "Events", FeatureType.METERED, FeatureUse.CONSUMED)
    monthly = replace(recurring("20"), lookup_key=f"{key}_monthly_usd", entity_type=EntityType.PLAN)
    of_use = {
        "type": PriceType.USAGE,
        "entity_type": EntityType.PLAN,
        "invoice_cadence": InvoiceCadence.ARREAR,
        "feature": feature,
    }
    prices = (replace(p, lookup_key=f"{key}_use", **of_use) for p in charged)
    granted = Entitlement(feature, limit, usage_reset_period=per, is_soft_limit=True)
    plan = Plan(key, key, Status.PUBLISHED, (monthly, *prices), (granted,))
    stall.publish(features=(feature,), plans=(plan,))
    return monthly.lookup_key, feature.lookup_key


def test_a_usage_price_of_a_plan_charges_nothing_now(stall):
    """As P13 has it of an add-on."""
    price, events = metered(stall, 100, BillingPeriod.MONTHLY, recurring("0.02"))
    actor = stall.account(price=price)
    assert stall.bill(actor) == [("charge", minor("20"))]
    stall.use(actor, events, "500")
    assert stall.bill(actor) == [("charge", minor("20"))]


def test_p13_an_add_on_for_use_is_attached_at_once_for_nothing(stall):
    events = Feature("metered_add_on", "Events", FeatureType.METERED, FeatureUse.CONSUMED)
    stall.publish(features=(events,))
    charged = replace(
        recurring("0.02"),
        type=PriceType.USAGE,
        invoice_cadence=InvoiceCadence.ARREAR,
        feature=stall.feature("metered_add_on"),
    )
    key = stall.sell(
        recurring("0.00"),
        charged,
        type=AddOnType.ONETIME,
        entitlements=(Entitlement(events, 0, is_soft_limit=True),),
    )
    actor = stall.account()
    stall.buy(actor, key)
    assert stall.sold(actor) == [("charge", 0)]
    stall.use(actor, "metered_add_on", "500")
    stall.renew("2026-05-01")
    assert stall.bill(actor)[-1:] == [("charge", minor("10"))]
    assert stall.books_agree


def test_e6_500_events_100_of_them_covered_cost_8(stall):
    price, events = metered(stall, 100, BillingPeriod.MONTHLY, recurring("0.02"))
    actor = stall.account(price=price)
    for units in ("350", "150"):
        stall.use(actor, events, units)
    stall.renew("2026-05-01")
    assert stall.bill(actor) == [("charge", minor("20")), ("charge", minor("8"))]
    stall.renew("2026-06-01")
    assert stall.bill(actor) == [("charge", minor("20"))]
    assert stall.books_agree


def test_e7_each_day_beyond_its_limit_counts_for_itself(stall):
    price, events = metered(stall, 100, DAILY, recurring("0.02"))
    actor = stall.account(price=price)
    for day, units in (("11", "150"), ("12", "10"), ("13", "130")):
        stall.at(f"2026-04-{day}T09:00")
        stall.use(actor, events, units)
    stall.renew("2026-05-01")
    assert stall.bill(actor) == [("charge", minor("20")), ("charge", minor("1.60"))], "80, not 0"


@pytest.mark.parametrize(
    ("charged", "comes_to"),
    [
        (tiered(TierMode.SLAB, (50, "0.10"), (None, "0.01")), "5.30"),
        (tiered(TierMode.VOLUME, (50, "0.10"), (None, "0.01")), "0.80"),
        (
            recurring(
                "3", billing_model=BillingModel.PACKAGE, transform_quantity=TransformQuantity(50)
            ),
            "6",
        ),
    ],
    ids=["slab", "volume", "package"],
)
def test_tiers_and_packages_see_all_of_a_month(charged, comes_to, stall):
    price, events = metered(stall, 100, DAILY, charged)
    actor = stall.account(price=price)
    for day in ("11", "12"):
        stall.at(f"2026-04-{day}T09:00")
        stall.use(actor, events, "140")
    stall.renew("2026-05-01")
    assert stall.bill(actor)[1:] == [("charge", minor(comes_to))], "80 units together"


def test_a_fraction_of_a_cent_is_rounded_once(stall):
    price, events = metered(stall, 0, DAILY, recurring("0.005"))
    actor = stall.account(price=price)
    for day in ("11", "12", "13"):
        stall.at(f"2026-04-{day}T09:00")
        stall.use(actor, events, "1")
    stall.renew("2026-05-01")
    assert stall.bill(actor)[1:] == [("charge", 2)], "1.5 cents, not three times one"
