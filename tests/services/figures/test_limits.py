"""E1-E4: the limits of features that are held, from the plan and from what was bought."""

from __future__ import annotations

from dataclasses import replace

import pytest

from portal.domain.catalog import (
    Entitlement,
    EntityType,
    Feature,
    FeatureType,
    FeatureUse,
    Plan,
    Status,
)
from tests.services.figures.stall import Stall
from tests.unit.samples import recurring

LIMITS: dict[str, tuple[int | None, bool, int | None, int, int | None]] = {
    "E1": (100, True, 250, 1, 350),
    "E2": (100, True, None, 1, None),
    "E3": (100, False, 50, 1, 50),
    "E4": (10, True, 100, 2, 210),
}
"""The plan's limit and whether it is enabled; the add-on's, how many of it; what they come to."""


@pytest.mark.parametrize(("figure", "limits"), LIMITS.items(), ids=LIMITS)
def test_limits_add_up(figure, limits, stall):
    from_plan, enabled, from_add_on, quantity, together = limits
    room = Feature(
        f"room_{figure.lower()}", "Room", FeatureType.METERED, FeatureUse.HELD, "GB", "GB"
    )
    _plan_with(stall, f"plan_{figure.lower()}", Entitlement(room, from_plan, enabled))
    key = stall.sell(recurring("10"), entitlements=(Entitlement(room, from_add_on),))
    actor = stall.account(price=f"plan_{figure.lower()}_monthly_usd")
    stall.use(actor, room.lookup_key, "40")
    stall.buy(actor, key, quantity)
    now = stall.meter(actor, room.lookup_key)
    assert now.allowance == together
    assert now.left == (None if together is None else together - 40)


def _plan_with(stall: Stall, key: str, entitlement: Entitlement) -> None:
    priced = recurring("20")
    price = replace(priced, lookup_key=f"{key}_monthly_usd", entity_type=EntityType.PLAN)
    sold = Plan(key, key, Status.PUBLISHED, (price,), (entitlement,))
    stall.publish(features=(entitlement.feature,), plans=(sold,))
