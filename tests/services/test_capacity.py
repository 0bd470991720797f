"""Lots that come by themselves: recurring grants, each once, whenever somebody looks."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.domain.catalog import BillingCadence, CreditGrant, ExpirationType
from portal.domain.periods import BillingPeriod
from portal.models.usage import LotRow
from portal.services.capacity import open_windows_now
from portal.services.catalog.applying import Applied, apply_catalog
from portal.services.charging import Settled


def with_monthly_sms(world, lookup_key: str) -> None:
    """Let an add-on, or else a plan, bring 100 SMS credits every month."""
    catalog = world.catalog()
    sms = next(f for f in catalog.features if f.lookup_key == "sms")
    grant = CreditGrant(
        name="Monthly SMS",
        feature=sms,
        credits=Decimal(100),
        cadence=BillingCadence.RECURRING,
        expiration_type=ExpirationType.NEVER,
        period=BillingPeriod.MONTHLY,
    )

    def given(entry):
        return replace(entry, credit_grants=(grant,)) if entry.lookup_key == lookup_key else entry

    wanted = replace(
        catalog,
        plans=tuple(given(plan) for plan in catalog.plans),
        add_ons=tuple(given(add_on) for add_on in catalog.add_ons),
    )
    with world.session() as session:
        done = apply_catalog(session, world.scope, wanted, actor="test", now=world.now)
    assert isinstance(done, Applied)


def sms_lots(world, actor) -> list[tuple[datetime, Decimal]]:
    state = world.state(actor)
    with world.session() as session:
        for _ in range(2):
            open_windows_now(session, world.scope, state)
        rows = session.scalars(
            select(LotRow)
            .where(LotRow.account_id == actor.account_id, LotRow.source_key.contains("grant"))
            .order_by(LotRow.effective_at)
        )
        return [(row.effective_at.astimezone(UTC), row.granted) for row in rows]


@pytest.mark.parametrize("day", [11, 30])
def test_a_monthly_grant_of_an_annual_add_on_comes_every_month(world, day):
    with_monthly_sms(world, "salesforce")
    world.now = datetime(2026, 4, day, 12, tzinfo=UTC)
    actor = world.account(price="growth_annual_usd", since=datetime(2026, 1, 31, tzinfo=UTC))
    assert isinstance(world.buy(actor, "salesforce"), Settled)
    first = (world.now, Decimal(100))
    assert sms_lots(world, actor) == [first]
    world.now = datetime(2026, 5, 31, tzinfo=UTC)
    second = (datetime(2026, 5, day, 12, tzinfo=UTC), Decimal(100))
    assert sms_lots(world, actor) == [first, second]


def test_a_plans_monthly_grant_comes_with_every_month_of_an_annual_plan(world):
    with_monthly_sms(world, "growth")
    actor = world.account(price="growth_annual_usd", since=datetime(2026, 1, 31, tzinfo=UTC))
    assert sms_lots(world, actor) == [(datetime(2026, 3, 31, tzinfo=UTC), Decimal(100))]
