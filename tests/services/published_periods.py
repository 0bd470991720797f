"""Published anchors, billed: what an account pays for, period after period."""

from __future__ import annotations

from datetime import timedelta
from fractions import Fraction

from sqlalchemy import func, select

from portal.domain.access import Actor
from portal.domain.periods import BillingPeriod, Interval
from portal.models.credit_notes import CreditNoteLineRow
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.services.renewing import Ran
from tests.services.changing import ANNUAL, MONTHLY
from tests.services.crediting import Desk
from tests.services.paying import Till
from tests.services.published_accounts import ADD_ON, Setting
from tests.services.time_passing import renewals, run_at, subscription
from tests.support.published import Fields, instant, interval_of, rounded, said
from tests.support.world import World

SECOND = timedelta(seconds=1)
SHARED = {MONTHLY: "3775.80", ANNUAL: "1335.90"}
"""Prices that every length of a month, and of a year, divides to whole cents."""


def sequence(world: World, case: Fields) -> Fields:
    """The boundaries that renewals are billed at, each of them at its second and none before."""
    given = case["inputs"]
    zone, interval = given.get("timezone", "UTC"), interval_of(given["interval"])
    anchor, setting = instant(given["anchor"], zone), Setting(world, zone=zone)
    if "trial_started" in given:
        began = instant(given["trial_started"], zone)
        actor = setting.on_trial(began, interval, given["trial_days"])
        assert subscription(world, actor).billed_until_at == anchor
        run_at(world, anchor)
    else:
        actor = setting.account(anchor, interval)
    for _ in range(given["periods"]):
        until = subscription(world, actor).billed_until_at
        assert run_at(world, until - SECOND) == Ran(0, 0)
        run_at(world, until)
    first, *bills = renewals(world, actor)
    assert first.due_at == anchor
    assert {bill.total_minor for bill in bills} == {first.total_minor}, "no part of a period"
    return {"boundaries": [said(bill.due_at, zone) for bill in bills]}


def present(world: World, case: Fields) -> Fields:
    """The period that was billed last, once everything is that was due by now."""
    given = case["inputs"]
    zone, interval = given["timezone"], interval_of(given["interval"])
    setting = Setting(world, zone=zone)
    actor = setting.account(instant(given["anchor"], zone), interval)
    run_at(world, instant(given["now"], zone))
    [line] = setting.bill(actor)
    return {"start": said(line.start, zone), "end": said(line.end, zone)}


def aligned(world: World, case: Fields) -> Fields:
    """Until when an add-on is paid for that comes to a plan billed every so many days."""
    given = case["inputs"]
    interval = Interval(BillingPeriod.DAILY, given["days"])
    return {"boundaries": [_paid_until(world, given["anchor"], given["addon_created"], interval)]}


def next_date(world: World, case: Fields) -> Fields:
    """A bill day of the plan's, and an add-on that starts on another day."""
    found = []
    for row in case["inputs"]["rows"]:
        start, months = instant(row["start"]), row["months"]
        since = start.replace(day=int(row["anchor_day"]))
        interval = ANNUAL if months == 12 else Interval(BillingPeriod.MONTHLY, months)
        found.append(_paid_until(world, since.isoformat(), row["start"], interval))
    return {"next": found}


def _paid_until(world: World, since: str, at: str, interval: Interval) -> str:
    setting = Setting(world)
    actor = setting.account(instant(since), interval)
    setting.price(ADD_ON, "10", interval)
    run_at(world, instant(at))
    world.buy(actor, ADD_ON)
    [line] = setting.bill(actor)
    return said(line.end)


def cycles(world: World, case: Fields) -> Fields:
    """An add-on from `start` on, of a plan with the bill-cycle day: the shares that were paid.

    What the staff end within a period is paid for until then.
    """
    given, setting, desk = case["inputs"], Setting(world), Desk(world, Till(world))
    start, target = instant(given["start"]), instant(given["target"])
    interval = ANNUAL if given["period"] == "annual" else MONTHLY
    month = start.month if interval is ANNUAL else 1
    since = start.replace(month=month, day=int(given["bill_cycle_day"]))
    actor = setting.account(since, interval)
    setting.price(ADD_ON, SHARED[interval], interval)
    run_at(world, start)
    world.buy(actor, ADD_ON)
    run_at(world, target)
    if "end" in given:
        world.now = instant(given["end"])
        desk.end(desk.instance(actor).id)
    segments = [_segment(world, line, Fraction(SHARED[interval])) for line in _lines(world, actor)]
    shares = sum((Fraction(each["ratio"]) for each in segments), Fraction(0))
    return {"segments": segments, "cycles": rounded(shares, 9)}


def _lines(world: World, actor: Actor) -> list[InvoiceLineRow]:
    """What was charged for the add-on, the oldest first."""
    mine = select(InvoiceLineRow).join(InvoiceRow, InvoiceRow.id == InvoiceLineRow.invoice_id)
    [add_on] = [a.name for a in world.catalog().add_ons if a.lookup_key == ADD_ON]
    of = mine.where(InvoiceRow.account_id == actor.account_id, InvoiceLineRow.name == add_on)
    with world.session() as session:
        return list(session.scalars(of.order_by(InvoiceLineRow.id)))


def _segment(world: World, line: InvoiceLineRow, price: Fraction) -> Fields:
    """A line less what was given back of it."""
    back = select(
        func.coalesce(func.sum(CreditNoteLineRow.amount_minor), 0),
        func.min(CreditNoteLineRow.period_start_at),
    ).where(CreditNoteLineRow.credited_line_id == line.id)
    with world.session() as session:
        credited, until = session.execute(back).one()
    assert line.period_start_at is not None
    end = until or line.period_end_at
    share = Fraction(line.amount_minor + int(credited), 100) / price
    return {"from": said(line.period_start_at), "to": said(end), "ratio": share}
