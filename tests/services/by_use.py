"""An add-on that charges for use, for tests: put on sale, bought, cancelled."""

from __future__ import annotations

from dataclasses import replace

from portal.domain.access import Actor
from portal.domain.catalog import (
    AddOn,
    AddOnType,
    Entitlement,
    EntityType,
    InvoiceCadence,
    Price,
    PriceType,
    Status,
)
from portal.domain.periods import BillingPeriod, Interval
from portal.domain.quotes import Start
from portal.services.charging import Settled
from tests.services.beyond import Meterage
from tests.services.figures.stall import Stall
from tests.services.leaving import cancel_add_on, instance_rows
from tests.unit.samples import recurring

KEY = "messages_by_use"
NAME = "Messages by use"


def by_use(
    meterage: Meterage, per_unit: str = "0.001", fixed: str = "0.00", key: str = KEY, **more: object
) -> AddOn:
    """Nothing, or so much, a month or a year; and so much for each message beyond the allowance."""
    messages = Stall(meterage.world).feature("messages")
    usage = replace(
        recurring(per_unit),
        lookup_key=f"{key}_use_usd",
        type=PriceType.USAGE,
        invoice_cadence=InvoiceCadence.ARREAR,
        feature=messages,
    )
    add_on = AddOn(
        key,
        NAME,
        AddOnType.ONETIME,
        Status.PUBLISHED,
        "Go on when the messages of your plan are used up.",
        prices=(_fixed(key, fixed, "MONTHLY"), _fixed(key, fixed, "ANNUAL"), usage),
        entitlements=(Entitlement(messages, 0, is_soft_limit=True),),
    )
    return replace(add_on, **more)


def sell(meterage: Meterage, *add_ons: AddOn) -> None:
    Stall(meterage.world).publish(add_ons=add_ons or (by_use(meterage),))


def buy(meterage: Meterage, actor: Actor, key: str = KEY, start: Start = Start.NOW) -> int:
    """The id of the instance."""
    outcome = meterage.world.buy(actor, key, start=start)
    assert isinstance(outcome, Settled)
    return max(row.id for row in instance_rows(meterage.world, actor))


def cancel(meterage: Meterage, actor: Actor) -> None:
    last = max(row.id for row in instance_rows(meterage.world, actor))
    cancel_add_on(meterage.world, actor, last)


def _fixed(key: str, amount: str, period: str) -> Price:
    price = replace(recurring(amount), lookup_key=f"{key}_{period.lower()}_usd")
    return replace(price, entity_type=EntityType.ADDON, interval=Interval(BillingPeriod(period)))
