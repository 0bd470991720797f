"""How long a card is good for, and why it may have to stay."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from portal.domain.cards import (
    Card,
    Expiry,
    Kept,
    KeptFor,
    Renewal,
    expiry,
    today_in,
    why_kept,
)
from portal.domain.money import Money
from portal.domain.periods import BillingPeriod, Interval, WallNow

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
MONTH = Interval(BillingPeriod.MONTHLY)
PLAN = Renewal("Growth", MAY_1, Money(19900, "usd"), Money(0, "usd"), MONTH)


def card(*, default: bool = True) -> Card:
    return Card(1, "visa", "4242", 4, 2026, default, datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("today", "found"),
    [
        (date(2026, 1, 1), Expiry.VALID),
        (date(2026, 3, 1), Expiry.EXPIRING_SOON),  # 60 days to 30 April
        (date(2026, 2, 28), Expiry.VALID),  # 61
        (date(2026, 4, 30), Expiry.EXPIRING_SOON),
        (date(2026, 5, 1), Expiry.EXPIRED),
        (date(2027, 1, 1), Expiry.EXPIRED),
    ],
)
def test_a_card_is_good_to_the_last_day_of_its_month(today, found):
    assert expiry(4, 2026, today) is found


@pytest.mark.parametrize(("year", "last"), [(2026, 28), (2028, 29)])
def test_february_ends_when_it_ends(year, last):
    assert expiry(2, year, date(year, 2, last)) is Expiry.EXPIRING_SOON
    assert expiry(2, year, date(year, 3, 1)) is Expiry.EXPIRED


@pytest.mark.parametrize(
    ("zone", "found"),
    [
        ("Pacific/Kiritimati", Expiry.EXPIRED),  # 1 May there already
        ("Asia/Tokyo", Expiry.EXPIRED),
        ("UTC", Expiry.EXPIRING_SOON),
        ("America/New_York", Expiry.EXPIRING_SOON),
        ("Pacific/Honolulu", Expiry.EXPIRING_SOON),
    ],
)
def test_the_month_ends_in_the_accounts_zone(zone, found):
    wall = WallNow(datetime(2026, 4, 30, 20, tzinfo=UTC))
    assert expiry(4, 2026, today_in(zone, wall)) is found


def test_the_default_stays_while_something_renews_on_it():
    assert why_kept(card(), (PLAN,), in_payment=False) == Kept(KeptFor.RENEWALS, (PLAN,))
    assert why_kept(card(), (), in_payment=False) is None


def test_another_card_can_go_whatever_renews():
    assert why_kept(card(default=False), (PLAN,), in_payment=False) is None


@pytest.mark.parametrize("default", [True, False])
def test_a_payment_under_way_keeps_its_card(default):
    kept = why_kept(card(default=default), (PLAN,), in_payment=True)
    assert kept == Kept(KeptFor.PAYMENT)
