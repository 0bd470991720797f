"""Consumers are told of renewals where their law asks for it: in time, once, at what price."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import update

from portal.domain.access import Actor
from portal.domain.periods import BillingPeriod, Interval
from portal.domain.renewal_notices import is_long, year_due
from portal.models.accounts import AccountRow
from portal.models.subscriptions import SubscriptionRow
from portal.services.plans import Agreed
from portal.services.renewal_reminding import remind_of_renewals
from tests.services.changing import ANNUAL, APRIL_1, Office
from tests.services.leaving import cancel_add_on, instance_rows
from tests.services.paying import Till
from tests.support.mails import Office as Post
from tests.support.world import World

RENEWS = datetime(2027, 4, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
AHEAD, YEARLY = "renewal_ahead", "still_renewing"


def lives(world: World, country: str, customer: str = "consumer") -> None:
    world.change(update(AccountRow).values(country=country, customer_type=customer))


def account(world: World, price: str, country: str, customer: str = "consumer") -> Actor:
    world.now = APRIL_1
    actor = Office(world, Till(world)).account(plan="growth", price=price)
    lives(world, country, customer)
    return actor


def told(world: World, at: datetime) -> list[dict]:
    """All notices of renewals so far, once the job has run at `at`."""
    world.now = at
    with world.session() as session:
        remind_of_renewals(session, world.scope, world.wall)
    return [row.notice for row in Post(world).rows() if row.kind in (AHEAD, YEARLY)]


@pytest.mark.parametrize("country", ["US", "GB"])
def test_a_year_that_renews_is_told_of_a_month_before_and_once(world, country):
    account(world, "growth_annual_usd", country)
    assert told(world, RENEWS - timedelta(days=30) - SECOND) == []
    [notice] = told(world, RENEWS - timedelta(days=30))
    assert notice["renewing"]["name"] == "Growth"
    assert notice["renewing"]["at"] == "2027-04-01T00:00:00Z"
    assert notice["renewing"]["amount"] == {"minor": 95000, "currency": "usd"}
    assert len(told(world, RENEWS - timedelta(days=20))) == 1
    assert len(told(world, RENEWS - SECOND)) == 1


@pytest.mark.parametrize(
    ("country", "customer"), [("DE", "consumer"), ("FR", "consumer"), ("US", "business")]
)
def test_where_no_law_asks_for_it_nothing_is_told(world, country, customer):
    account(world, "growth_annual_usd", country, customer)
    assert told(world, RENEWS - timedelta(days=20)) == []


def test_after_a_long_time_down_it_is_told_late_but_not_afterwards(world):
    account(world, "growth_annual_usd", "US")
    assert len(told(world, RENEWS - timedelta(days=2))) == 1
    account(world, "growth_annual_usd", "US")
    world.now = RENEWS + SECOND
    Office(world, Till(world)).run_due()
    assert len(told(world, world.now)) == 1


def test_what_is_cancelled_renews_not_and_is_not_told_of(world):
    actor = account(world, "growth_annual_usd", "US")
    world.buy(actor, "salesforce")
    rows = instance_rows(world, actor)
    found = told(world, RENEWS - timedelta(days=20))
    before = len(found)
    assert {each["renewing"]["name"] for each in found} >= {"Growth"}
    cancel_add_on(world, actor, rows[-1].id)
    assert len(told(world, RENEWS - timedelta(days=19))) == before


def test_what_renews_each_month_is_told_of_once_a_year_in_california(world):
    account(world, "growth_monthly_usd", "US")
    office = Office(world, Till(world))
    world.now = datetime(2027, 4, 1, tzinfo=UTC)
    office.run_due()
    assert told(world, datetime(2027, 3, 31, 23, 59, tzinfo=UTC)) == []
    [notice] = told(world, datetime(2027, 4, 1, tzinfo=UTC))
    assert [(e["name"], e["amount"]["minor"]) for e in notice["renewing"]] == [("Growth", 9900)]
    assert len(told(world, datetime(2027, 4, 20, tzinfo=UTC))) == 1
    world.now = datetime(2028, 4, 2, tzinfo=UTC)
    office.run_due()
    assert [each["year"] for each in told(world, world.now)] == [1, 2]


def test_in_britain_what_renews_each_month_is_not_told_of(world):
    account(world, "growth_monthly_usd", "GB")
    assert told(world, datetime(2027, 4, 2, tzinfo=UTC)) == []


@pytest.mark.parametrize(
    ("now", "year"),
    [
        ("2027-03-31T23:59:59", None), ("2027-04-01T00:00:00", 1), ("2027-04-30T23:59:59", 1),
        ("2027-05-01T00:00:00", None), ("2029-04-10T00:00:00", 3), ("2026-04-10T00:00:00", None),
    ],
)  # fmt: skip
def test_a_year_is_due_in_the_month_after_it(now, year):
    assert year_due(APRIL_1, "UTC", datetime.fromisoformat(now).replace(tzinfo=UTC)) == year


def test_long_is_a_year_or_more():
    long = [Interval(BillingPeriod.ANNUAL), Interval(BillingPeriod.MONTHLY, 12)]
    short = [Interval(BillingPeriod.HALF_YEARLY), Interval(BillingPeriod.WEEKLY, 52)]
    assert [is_long(each) for each in (*long, *short)] == [True, True, False, False]


def test_a_plan_that_is_agreed_to_become_another_is_not_told_of(world):
    actor = account(world, "growth_annual_usd", "US")
    world.now = RENEWS - timedelta(days=60)
    assert isinstance(Office(world, Till(world)).change(actor, "starter", ANNUAL), Agreed)
    assert told(world, RENEWS - timedelta(days=20)) == []


def test_in_a_trial_its_own_mail_is_enough(world):
    account(world, "growth_annual_usd", "US")
    trying = {"status": "trialing", "billed_until_at": APRIL_1 + timedelta(days=14)}
    world.change(update(SubscriptionRow).values(trying))
    assert told(world, APRIL_1 + timedelta(days=10)) == []
