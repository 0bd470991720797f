"""Published lines, sold: plans changed, add-ons bought, raised and ended, and what was stored.

Each takes a case of `prorated_lines` and shows the stored lines as the case has them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from portal.domain.access import Actor
from portal.domain.money import Money, currency
from portal.domain.periods import Anchor, BillingPeriod, Interval, Period
from portal.domain.taxes import NO_TAX, Tax
from tests.services.changing import ANNUAL, MONTHLY
from tests.services.counting import Counter
from tests.services.crediting import Desk
from tests.services.paying import Till
from tests.services.published_accounts import (
    ADD_ON,
    DEARER,
    PLAN,
    SECOND_ADD_ON,
    Setting,
    Written,
)
from tests.services.time_passing import run_at
from tests.support.published import Fields, instant
from tests.support.world import World

WEEKLY = Interval(BillingPeriod.WEEKLY)


@dataclass(frozen=True)
class Line:
    """A line of a case. since: when a plan began that has its period, billed every `interval`."""

    id: str
    is_credit: bool
    price: str
    quantity: int
    period: Period
    begin: datetime
    end: datetime
    since: datetime
    interval: Interval


def lines_of(given: Fields) -> list[Line]:
    scale = currency(given["currency"].lower()).exponent if given["unit"] == "minor" else 0
    return [_line(line, given["timezone"], scale) for line in given["lines"]]


def _line(line: Fields, zone: str, scale: int) -> Line:
    period = Period(instant(line["period_start"], zone), _end(line["period_end"], zone))
    since, interval = _cycle(period, zone)
    return Line(
        id=line["id"],
        is_credit=line["direction"] == "credit",
        price=str(Decimal(line["price"]).scaleb(-scale)),
        quantity=int(line["quantity"]),
        period=period,
        begin=instant(line["from"], zone),
        end=_end(line["to"], zone),
        since=since,
        interval=interval,
    )


def _end(text: str, zone: str) -> datetime:
    """A day's last second stands for the midnight after it."""
    at = instant(text, zone)
    return at + timedelta(seconds=1) if text.endswith("23:59:59Z") else at


def _cycle(period: Period, zone: str) -> tuple[datetime, Interval]:
    """An anchor and an interval whose series has the period; it may begin at a clamped day."""
    for interval in (WEEKLY, MONTHLY, ANNUAL):
        for since in (period.start, Anchor(period.end, zone).boundary(-2, interval)):
            if Anchor(since, zone).period_at(period.start, interval) == period:
                return since, interval
    raise ValueError("no billing cycle has this period")


def setting_of(world: World, given: Fields) -> Setting:
    rates = {line["tax_percent"] for line in (given, *given["lines"]) if "tax_percent" in line}
    tax = Tax(Decimal(rates.pop()), False, "VAT") if rates else NO_TAX
    return Setting(world, given["currency"].lower(), given["timezone"], tax)


def bought(world: World, case: Fields) -> Fields:
    """What is left of a period is paid for by who buys an add-on in it."""
    given, setting = case["inputs"], setting_of(world, case["inputs"])
    lines = lines_of(given)
    actor = setting.account(lines[0].since, lines[0].interval)
    found = {}
    for line, add_on in zip(lines, (ADD_ON, SECOND_ADD_ON), strict=False):
        run_at(world, line.begin)
        found[line.id] = _buy(setting, actor, add_on, line)
    return shown(given, found)


def _buy(setting: Setting, actor: Actor, add_on: str, line: Line) -> Written:
    setting.price(add_on, line.price, line.interval)
    setting.world.buy(actor, add_on, line.quantity)
    [one] = setting.bill(actor)
    return one


def changed(world: World, case: Fields) -> Fields:
    """A dearer plan, or the same one by the year: the old one's rest back, the new one charged.

    What else is charged from then on is an add-on; what is charged later, the renewal.
    """
    given, setting = case["inputs"], setting_of(world, case["inputs"])
    lines = lines_of(given)
    [old], (new, *more) = (
        [line for line in lines if line.is_credit is credited] for credited in (True, False)
    )
    actor = setting.account(old.since, old.interval, old.price)
    target = DEARER if new.interval == old.interval else PLAN
    setting.price(target, new.price, new.interval)
    run_at(world, new.begin)
    setting.office.change(actor, target, new.interval)
    credit, charge = setting.bill(actor)
    found = {old.id: credit, new.id: charge}
    for line in more:
        if line.begin > new.begin:
            run_at(world, line.begin)
            [found[line.id]] = setting.bill(actor)
        else:
            found[line.id] = _buy(setting, actor, ADD_ON, line)
    return shown(given, found)


def raised(world: World, case: Fields) -> Fields:
    """More units in the middle of a period are one line: of the units that are more."""
    given, setting = case["inputs"], setting_of(world, case["inputs"])
    lines = lines_of(given)
    new, held = lines[-1], lines[0].quantity if len(lines) > 1 else 1
    more = new.quantity - held if len(lines) > 1 else new.quantity
    actor, counter = setting.account(new.since, new.interval), Counter(world)
    setting.price(ADD_ON, new.price, new.interval)
    world.now = new.since
    instance = counter.held(actor, ADD_ON, held)
    world.now = new.begin
    counter.change(actor, instance, held + more)
    [one] = setting.bill(actor)
    return shown(given | {"lines": given["lines"][-1:]}, {new.id: one})


def kept(world: World, case: Fields) -> Fields:
    """Who leaves a plan within its period has paid for the time until then, and no more."""
    given, setting = case["inputs"], setting_of(world, case["inputs"])
    [line] = lines_of(given)
    actor = setting.account(line.since, line.interval, line.price)
    setting.price(DEARER, str(Decimal(line.price) * 2), line.interval)
    run_at(world, line.end)
    setting.office.change(actor, DEARER, line.interval)
    [whole], credit = setting.bill(actor, 2), setting.bill(actor)[0]
    assert (credit.kind, credit.end) == ("credit", whole.end)
    one = replace(whole, amount=whole.amount + credit.amount, end=credit.start)
    return shown(given, {line.id: one})


def ended(world: World, case: Fields) -> Fields:
    """An add-on is bought within a period, and taken away before its end."""
    given, setting = case["inputs"], setting_of(world, case["inputs"])
    charge, credit = lines_of(given)
    actor, desk = setting.account(charge.since, charge.interval), Desk(world, Till(world))
    run_at(world, charge.begin)
    found = {charge.id: _buy(setting, actor, ADD_ON, charge)}
    world.now = credit.begin
    [number] = desk.end(desk.instance(actor).id)
    [found[credit.id]] = setting.note(number)
    return shown(given, found)


def shown(given: Fields, found: dict[str, Written]) -> Fields:
    """The stored lines in the case's own unit, each of the time that the case has it of."""
    lines = []
    for line in lines_of(given):
        one = found[line.id]
        assert (one.start, one.end) == (line.begin, line.end)
        figures = {"amount": one.amount, "tax": one.tax, "gross": one.amount + one.tax}
        lines.append({"id": line.id} | {k: _said(given, m) for k, m in figures.items()})
    return {"lines": lines, "net": sum(line["amount"] for line in lines)}


def _said(given: Fields, amount: Money) -> Decimal:
    return Decimal(amount.minor) if given["unit"] == "minor" else amount.major()
