"""Four years of renewals: month ends, leap days, summer time, whatever zone the host is in."""

from __future__ import annotations

import time
from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from portal.domain.access import Actor
from tests.services.time_passing import lines, renewals, run_at, subscription

HOSTS = {
    "America/New_York": 2030,
    "UTC": 2027,
    "Pacific/Honolulu": 2027,
    "Pacific/Kiritimati": 2027,
}
"""The host's zone, and the year until whose April it is."""


@dataclass(frozen=True, slots=True)
class Life:
    """An account's zone, the midnight there that its plan began at, and what each renewal costs."""

    zone: str
    since: tuple[int, int, int]
    plan: str = "growth"
    price: str = "growth_monthly_usd"
    currency: str = "usd"
    months: int = 1
    amount: int = 9900

    def boundaries(self, after: datetime, until: datetime) -> list[datetime]:
        """Counted from the first day each time, by the calendar on the wall there."""
        year, month, day = self.since
        found = []
        for k in range(1, 80):
            years, month0 = divmod(year * 12 + month - 1 + k * self.months, 12)
            last = monthrange(years, month0 + 1)[1]
            at = datetime(years, month0 + 1, min(day, last), tzinfo=ZoneInfo(self.zone))
            found.append(at.astimezone(UTC))
        return [at for at in found if after < at <= until]


LIVES = (
    Life("UTC", (2026, 1, 29)),
    Life("Pacific/Honolulu", (2026, 1, 30)),
    Life("America/New_York", (2026, 1, 31)),
    Life("Pacific/Kiritimati", (2025, 12, 31), "starter", "starter_monthly_jpy", "jpy", 1, 4400),
    Life("Europe/Berlin", (2024, 2, 29), price="growth_annual_usd", months=12, amount=95000),
)


def begin(world, life: Life) -> Actor:
    since = datetime(*life.since, tzinfo=ZoneInfo(life.zone)).astimezone(UTC)
    return world.account(
        plan=life.plan, price=life.price, currency=life.currency, since=since, zone=life.zone
    )


@pytest.mark.parametrize(("host", "year"), HOSTS.items(), ids=HOSTS)
def test_renewals_that_ran_late_stand_on_the_calendar(world, till, monkeypatch, host, year):
    monkeypatch.setenv("TZ", host)
    time.tzset()
    actors = [(life, begin(world, life)) for life in LIVES]
    began, until = world.now, datetime(year, 4, 11, tzinfo=UTC)
    run_at(world, until)
    for life, actor in actors:
        expected = life.boundaries(began, until)
        invoices = renewals(world, actor)
        assert [row.due_at for row in invoices] == expected
        assert [line for row in invoices for line in lines(world, row)] == [
            ("charge", 1, life.amount)
        ] * len(expected)
        [following, *_] = life.boundaries(until, datetime(2040, 1, 1, tzinfo=UTC))
        assert subscription(world, actor).billed_until_at == following
    owed = [life.amount * len(life.boundaries(began, until)) for life in LIVES]
    assert sum(till.taken()) == sum(owed) > 0
    assert till.books_agree()


@pytest.fixture(autouse=True)
def zone_of_the_host(monkeypatch):
    """Back to where it was, after the test."""
    yield
    monkeypatch.undo()
    time.tzset()
