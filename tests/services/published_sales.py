"""Published sums, sold: cases that are a rule and a few figures, each by a life of its own."""

from __future__ import annotations

from decimal import Decimal

from portal.services.quantities import QuantityAgreed
from tests.services.changing import MONTHLY
from tests.services.counting import Counter
from tests.services.published_accounts import ADD_ON, Setting
from tests.services.time_passing import run_at
from tests.support.published import Fields, instant
from tests.support.world import World


def several(world: World, case: Fields) -> Fields:
    """Two of one add-on are two lines of each bill."""
    sold, setting = case["inputs"]["vars"], Setting(world)
    actor = setting.account(instant("2026-04-01"), MONTHLY)
    setting.price(ADD_ON, sold["price"], MONTHLY)
    world.now = instant("2026-04-11")
    for _ in range(int(sold["count"])):
        world.buy(actor, ADD_ON)
    run_at(world, instant("2026-05-01"))
    lines = setting.bill(actor)[1:]
    assert len(lines) == int(sold["count"])
    return {"monthly": sum((line.amount.major() for line in lines), Decimal(0))}


def once(world: World, case: Fields) -> Fields:
    """What is charged once is charged whole, however far the period has come."""
    given, setting = case["inputs"], Setting(world)
    actor = setting.account(instant("2025-06-01"), MONTHLY)
    setting.office.reprice("onboarding_usd", given["vars"]["price"])
    world.now = instant(given["at"])
    world.buy(actor, "onboarding")
    [(_, _, minor)] = setting.office.bill(actor)
    return {"charge": Decimal(minor).scaleb(-2)}


def more_from_the_next_bill(world: World, case: Fields) -> Fields:
    sold, setting, counter = case["inputs"]["vars"], Setting(world), Counter(world)
    actor = setting.account(instant("2026-04-01"), MONTHLY)
    setting.price(ADD_ON, sold["unit_price"], MONTHLY)
    world.now = instant("2026-04-11")
    held = counter.held(actor, ADD_ON, int(sold["q1"]))
    run_at(world, instant("2026-05-01"))
    before = setting.bill(actor)[-1]
    counter.change(actor, held, int(sold["q2"]))
    run_at(world, instant("2026-06-01"))
    after = setting.bill(actor)[-1]
    return {"total_7": before.amount.major(), "total_10": after.amount.major()}


def fewer_from_the_next_bill(world: World, case: Fields) -> Fields:
    """Nothing is given back, so that the change itself has no invoice."""
    given, counter = case["inputs"], Counter(world)
    setting, taken = Setting(world), world.gateway.taken
    start, change = map(instant, given["dates"])
    actor = setting.account(start, MONTHLY)
    setting.price(ADD_ON, given["unit_price"], MONTHLY)
    world.now = start
    held = counter.held(actor, ADD_ON, int(given["vars"]["q0"]))
    [first] = setting.bill(actor)
    world.now, before = change, len(taken)
    fewer = int(given["vars"]["q1"])
    assert counter.change(actor, held, fewer) == QuantityAgreed(fewer, first.end)
    assert setting.bill(actor) == [first]
    then = sum(charge.amount.minor for charge in taken[before:])
    return {"invoice_0": first.amount.minor, "invoice_1": then}


def part_and_whole(world: World, case: Fields) -> Fields:
    """An add-on from a day before the plan's bill day on: a part of a period, and a whole one."""
    given, setting = case["inputs"], Setting(world)
    start = instant(given["start"])
    actor = setting.account(instant("2017-12-15"), MONTHLY)
    setting.price(ADD_ON, given["vars"]["p"], MONTHLY)
    run_at(world, start)
    world.buy(actor, ADD_ON)
    [part] = setting.bill(actor)
    run_at(world, instant(given["target"]))
    whole = setting.bill(actor)[-1]
    assert part.end.day == whole.start.day == int(given["bill_cycle_day"])
    return {"amount": (part.amount + whole.amount).major()}
