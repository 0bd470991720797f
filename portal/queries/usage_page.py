"""What the usage page says of each metered feature beyond its meter: course, forecast, history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import BillingCadence, CreditGrant, Entitlement, Feature
from portal.domain.forecast import (
    Forecast,
    Outlook,
    RunRate,
    Supply,
    forecast,
    outlook,
    used_by,
    with_today,
)
from portal.domain.periods import Period
from portal.queries.accounts import AccountState
from portal.queries.by_the_clock import plan_at
from portal.queries.loads import QuotaLoad
from portal.queries.packs import Mix, cheapest_mix
from portal.queries.usage import Meter
from portal.queries.usage_days import Breakdown, Month, breakdowns, daily, monthly, run_rates
from portal.queries.use_prices import Coming, UsePrice, coming, use_price

LEVEL_DAYS = 30
"""How many days of a held feature are drawn, today included."""
MONTHS = 12
_DAY = timedelta(days=1)
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Trend:
    """One meter, and where it comes from and leads to.

    days: of the window, or the last 30 of a held feature. course: what was used up to the end of
    each of them, or its level; to now. elapsed: the share of today that is over. ahead: the ends
    of today and of the days after it, at the present pace. until: the end of the window, or of the
    plan where that comes first; refills: there is more then. forecast: None for a held feature and
    before there is a pace. beyond: what use costs that nothing covers; None where it costs nothing.
    coming: what it will cost, and from when. mix: what to buy where units are missing by then; None
    where nothing helps. months: the oldest first.
    """

    meter: Meter
    days: tuple[date, ...]
    course: tuple[Decimal, ...]
    elapsed: float
    ahead: tuple[Decimal, ...]
    until: datetime | None
    refills: bool
    forecast: Forecast | None
    outlook: Outlook
    beyond: UsePrice | None
    coming: tuple[Coming, ...]
    mix: Mix | None
    breakdowns: tuple[Breakdown, ...]
    months: tuple[Month, ...]


@dataclass(frozen=True, slots=True)
class _Days:
    """What was read of one feature."""

    by_day: dict[date, Decimal]
    rate: RunRate | None
    first: date | None
    months: tuple[Month, ...]
    breakdowns: tuple[Breakdown, ...]


def trends(
    session: Session, scope: Scope, state: AccountState, meters: Sequence[Meter]
) -> tuple[Trend, ...]:
    """A trend for each meter, in four statements however many there are."""
    if not meters:
        return ()
    account_id, today = state.account.id, _local(state, state.now)
    began = {m.feature.id: _local(state, m.window.start) for m in meters if m.window}
    since = min([*began.values(), today - LEVEL_DAYS * _DAY])
    rates = run_rates(session, scope, account_id, [m.feature.id for m in meters], today)
    by_day = daily(session, scope, account_id, since)
    by_month = monthly(session, scope, account_id, months_before(today))
    broken_down = breakdowns(session, scope, account_id, began)
    found = []
    for meter in meters:
        key = meter.feature.id
        first, months = by_month.get(key, (None, ()))
        read = _Days(by_day.get(key, {}), rates.get(key), first, months, broken_down.get(key, ()))
        found.append(_trend(scope, state, meter, read, today))
    return tuple(found)


def short_of(session: Session, scope: Scope, state: AccountState, quota: QuotaLoad) -> Decimal:
    """Units that will be missing by the end of the window at the present pace; one at least."""
    feature, today = quota.feature, _local(state, state.now)
    account_id, least = state.account.id, Decimal(1)
    rate = run_rates(session, scope, account_id, [feature.id], today).get(feature.id)
    if rate is None or not feature.is_consumed:
        return least
    used = daily(session, scope, account_id, today).get(feature.id, {})
    supplies = [Supply(quota.load.left or _NOTHING, None)]
    rate, ends = with_today(rate, used.get(today, _NOTHING)), quota.window.end
    made = forecast(rate, quota.load.used, supplies, state.now, ends, refills=True)
    return max(made.short, least)


def months_before(today: date) -> date:
    """The first day of the first of the twelve calendar months that end with this one."""
    years, month0 = divmod(today.year * 12 + today.month - MONTHS, 12)
    return date(years, month0 + 1, 1)


def _trend(scope: Scope, state: AccountState, meter: Meter, read: _Days, today: date) -> Trend:
    if meter.window is None:
        return _level(meter, read, state, today)
    plan_ends = state.subscription.ends_at if state.subscription else None
    until = min(meter.window.end, plan_ends or meter.window.end)
    refills = _refills(state, meter.feature, until)
    supplies = None if meter.left is None else _supplies(meter)
    made = None
    if read.rate is not None:
        rate = with_today(read.rate, read.by_day.get(today, _NOTHING))
        made = forecast(rate, meter.used, supplies, state.now, until, refills=refills)
    days = _days_of(state, meter.window)
    beyond = use_price(state, meter.feature, meter.window)
    short = made.short if made else _NOTHING
    return Trend(
        meter=meter,
        days=days,
        course=_course(meter, read.by_day, [day for day in days if day <= today]),
        elapsed=_elapsed(state, today),
        ahead=_ahead(state, meter.used, made, [day for day in days if day >= today], until),
        until=until,
        refills=refills,
        forecast=made,
        outlook=outlook(meter.left, made.runs_out_at if made else None, state.now),
        beyond=beyond,
        coming=coming(state, meter.feature) if beyond else (),
        mix=cheapest_mix(state, scope, meter.feature, short, until, beyond) if short else None,
        breakdowns=_broken_down(read, days),
        months=read.months,
    )


def _level(meter: Meter, read: _Days, state: AccountState, today: date) -> Trend:
    """A held feature: the level of each day, as it was reported last."""
    first = max(today - (LEVEL_DAYS - 1) * _DAY, min(read.by_day, default=read.first or today))
    days = tuple(first + n * _DAY for n in range((today - first).days + 1))
    return Trend(
        meter=meter,
        days=days,
        course=_levels(read.by_day, days, meter.used),
        elapsed=_elapsed(state, today),
        ahead=(),
        until=None,
        refills=False,
        forecast=None,
        outlook=outlook(meter.left, None, state.now),
        beyond=None,
        coming=(),
        mix=None,
        breakdowns=(),
        months=read.months,
    )


def _levels(
    by_day: Mapping[date, Decimal], days: Sequence[date], present: Decimal
) -> tuple[Decimal, ...]:
    """The level of each day: the day's, else the last one before it, and after all the present."""
    last, found = max(by_day, default=date.min), []
    level = max(((day, units) for day, units in by_day.items() if day < days[0]), default=None)
    known = level[1] if level else _NOTHING
    for day in days:
        known = by_day.get(day, known) if day <= last else present
        found.append(known)
    return tuple(found)


def _supplies(meter: Meter) -> list[Supply]:
    return [Supply(source.left or _NOTHING, source.until) for source in meter.sources]


def _course(
    meter: Meter, by_day: Mapping[date, Decimal], days: Sequence[date]
) -> tuple[Decimal, ...]:
    """Running totals of `days`, up to today, that end in what the meter says.

    A window that begins within a day has only a part of that day's use.
    """
    past = [by_day.get(day, _NOTHING) for day in days]
    running, found = meter.used - sum(past, _NOTHING), []
    for units in past:
        running += units
        found.append(max(running, _NOTHING))
    return tuple(found)


def _broken_down(read: _Days, days: Iterable[date]) -> tuple[Breakdown, ...]:
    used = sum((read.by_day.get(day, _NOTHING) for day in days), _NOTHING)
    return tuple(replace(each, rest=used - each.whole) for each in read.breakdowns)


def _ahead(
    state: AccountState, used: Decimal, made: Forecast | None, days: Iterable[date], until: datetime
) -> tuple[Decimal, ...]:
    """What will have been used by the end of each of `days`, up to a whole unit."""
    if made is None or not made.rate.units:
        return ()
    ends = (min(_midnight(state, day + _DAY), until) for day in days)
    return tuple(used_by(made.rate, used, state.now, end) for end in ends)


def _refills(state: AccountState, feature: Feature, at: datetime) -> bool:
    """Whether the plan, or an add-on that renews, brings units of the feature at `at`."""
    subscription = state.subscription
    if subscription is None or (subscription.ends_at and subscription.ends_at <= at):
        return False
    plan = plan_at(state, at) or subscription.plan
    renewing = [i.add_on for i in state.held if i.price.is_recurring and i.span.covers(at)]
    return _brings(feature, plan.entitlements, plan.credit_grants) or any(
        _brings(feature, each.entitlements, each.credit_grants) for each in renewing
    )


def _brings(
    feature: Feature, entitlements: Iterable[Entitlement], grants: Iterable[CreditGrant]
) -> bool:
    granted = [e for e in entitlements if e.feature == feature and e.is_enabled]
    recurring = [g for g in grants if g.cadence is BillingCadence.RECURRING]
    return any(e.usage_limit != 0 for e in granted) or any(g.feature == feature for g in recurring)


def _days_of(state: AccountState, window: Period) -> tuple[date, ...]:
    first, last = _local(state, window.start), _local(state, window.end - timedelta(seconds=1))
    return tuple(first + n * _DAY for n in range((last - first).days + 1))


def _local(state: AccountState, at: datetime) -> date:
    """The day of the account's zone."""
    return at.astimezone(ZoneInfo(state.account.zone)).date()


def _elapsed(state: AccountState, today: date) -> float:
    day = Period(_midnight(state, today), _midnight(state, today + _DAY))
    return float(1 - day.fraction_left(state.now))


def _midnight(state: AccountState, day: date) -> datetime:
    """Where the day begins, in the account's zone."""
    return datetime.combine(day, time(), ZoneInfo(state.account.zone)).astimezone(UTC)
