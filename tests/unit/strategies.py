"""What the laws are tried on, leaning towards the instants and amounts that break billing code."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from portal.domain.catalog import Price, Tier
from portal.domain.grants import Lot
from portal.domain.money import Money, currency
from portal.domain.periods import Anchor, BillingPeriod, Interval, Period
from tests.unit.samples import recurring

ZONES = (
    "UTC",
    "America/New_York",
    "America/St_Johns",
    "Europe/Berlin",
    "Australia/Lord_Howe",
    "Pacific/Kiritimati",
    "Pacific/Honolulu",
)
"""Whole, half-hour and far offsets; summer time of an hour, of half an hour, and none."""

CODES = ("usd", "eur", "jpy", "kwd")
"""Two, two, zero and three decimals; KWD is charged in steps of ten."""

INTERVALS = (
    *(Interval(period) for period in BillingPeriod),
    Interval(BillingPeriod.MONTHLY, 2),
    Interval(BillingPeriod.ANNUAL, 2),
    Interval(BillingPeriod.DAILY, 30),
)
MONTH_INTERVALS = tuple(i for i in INTERVALS if i.months)

codes = st.sampled_from(CODES)
intervals = st.sampled_from(INTERVALS)
zones = st.sampled_from(ZONES)
quantities = st.one_of(st.sampled_from([0, 1]), st.integers(0, 500)).map(Decimal)
_WALL_CLOCKS = (time(0), time(1, 30), time(2, 30), time(23, 30), time(23, 59, 59))


AUTUMN_NIGHTS = (
    ("America/New_York", datetime(2026, 11, 1, 1, 30)),  # noqa: DTZ001
    ("Europe/Berlin", datetime(2024, 10, 27, 2, 30)),  # noqa: DTZ001
    ("Australia/Lord_Howe", datetime(2025, 4, 6, 1, 45)),  # noqa: DTZ001
)
"""Wall clocks that a zone shows twice in one night."""


@st.composite
def anchors(draw: st.DrawFn, zone: str | None = None) -> Anchor:
    """Days 28-31 and 29 February often; both 01:30s of an autumn night sometimes."""
    fold = draw(st.integers(0, 1))
    if zone is None and draw(st.integers(0, 9)) == 0:
        name, twice = draw(st.sampled_from(AUTUMN_NIGHTS))
        return Anchor(twice.replace(tzinfo=ZoneInfo(name), fold=fold).astimezone(UTC), name)
    where = zone or draw(zones)
    year, month = draw(st.integers(2019, 2030)), draw(st.integers(1, 12))
    if draw(st.booleans()):
        year, month = draw(st.sampled_from([2020, 2024, 2028])), 2
    wanted = draw(st.one_of(st.sampled_from([28, 29, 30, 31]), st.integers(1, 31)))
    day = min(wanted, monthrange(year, month)[1])
    clock = draw(st.one_of(st.sampled_from(_WALL_CLOCKS), st.times().map(_whole_second)))
    local = datetime.combine(date(year, month, day), clock, ZoneInfo(where))
    return Anchor(local.replace(fold=fold).astimezone(UTC), where)


def _whole_second(clock: time) -> time:
    return clock.replace(microsecond=0)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    """A period of some anchor, or one of a few seconds, where ties are frequent."""
    if draw(st.booleans()):
        start = draw(anchors()).at
        return Period(start, start + timedelta(seconds=draw(st.integers(1, 12))))
    return draw(anchors()).period(draw(st.integers(-3, 24)), draw(intervals))


@st.composite
def instants_of(draw: st.DrawFn, period: Period) -> datetime:
    """Within [start, end]: first and last second, the middle, both ends, anywhere."""
    last = period.length
    offsets = st.one_of(
        st.sampled_from([0, 1, last // 2, max(last - 1, 0), last]), st.integers(0, last)
    )
    return period.start + timedelta(seconds=draw(offsets))


@st.composite
def amounts(draw: st.DrawFn, code: str | None = None, most: int = 10**7) -> Money:
    """A non-negative amount that the currency can charge."""
    chosen = code or draw(codes)
    steps = draw(st.one_of(st.integers(0, 5), st.integers(0, most)))
    return Money(steps * currency(chosen).step, chosen)


@st.composite
def flat_prices(draw: st.DrawFn, code: str | None = None) -> Price:
    """A recurring price per unit whose amount the currency can charge."""
    amount = draw(amounts(code, most=10**5))
    return recurring(str(amount.major()), currency=amount.currency)


@st.composite
def tiers(draw: st.DrawFn, flats: bool = True) -> tuple[Tier, ...]:
    bounds = sorted(draw(st.sets(st.integers(1, 60), max_size=4)))
    cents = st.integers(0, 900).map(lambda minor: Decimal(minor) / 100)
    flat = cents if flats else st.just(Decimal(0))
    return tuple(Tier(bound, draw(cents), draw(flat)) for bound in (*bounds, None))


NOON = datetime(2026, 4, 15, 12, tzinfo=UTC)
_AROUND_NOON = st.sampled_from([timedelta(seconds=s) for s in (-7200, -3600, -1, 0, 1, 3600, 7200)])


@st.composite
def lot_books(draw: st.DrawFn) -> list[Lot]:
    """Lots with distinct ids and many equal priorities, ends and beginnings."""
    count = draw(st.integers(0, 6))
    return [draw(_lots(number)) for number in draw(st.permutations(range(1, count + 1)))]


@st.composite
def _lots(draw: st.DrawFn, number: int) -> Lot:
    units = draw(st.one_of(st.sampled_from([Decimal("0.001"), Decimal(0)]), _units))
    return Lot(
        id=number,
        granted=units,
        remaining=units,
        effective_at=NOON + draw(_AROUND_NOON),
        created_at=NOON + draw(_AROUND_NOON),
        expires_at=draw(st.none() | _AROUND_NOON.map(lambda by: NOON + by)),
        priority=draw(st.sampled_from([1, 50])),
        promotional=draw(st.booleans()),
    )


_units = st.integers(0, 10**6).map(lambda n: Decimal(n) / 1000)
uses = _units


@dataclass(frozen=True, slots=True)
class Moment:
    """A period and an instant within it."""

    period: Period
    at: datetime


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    period = draw(periods())
    return Moment(period, draw(instants_of(period)))
