"""Plans that give credits once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import insert

from portal.models.catalog import CreditGrantRow
from tests.support.world import World


def welcome(world: World, given: Mapping[str, int]) -> None:
    """Each plan named gives so many text messages once, for 30 days."""
    catalog = world.catalog()
    sms = next(f for f in catalog.features if f.lookup_key == "sms")
    plans = {p.lookup_key: p.id for p in catalog.plans}
    about = {
        "environment_id": world.scope.environment_id,
        "entity_type": "PLAN",
        "feature_id": sms.id,
        "cadence": "ONETIME",
        "expiration_type": "DURATION",
        "duration": timedelta(days=30),
    }
    rows = [about | {"name": key, "plan_id": plans[key], "credits": given[key]} for key in given]
    world.change(insert(CreditGrantRow).values(rows))
