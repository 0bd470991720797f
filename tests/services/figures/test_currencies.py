"""Dinars, charged in steps of ten fils, and yen, which have no parts: through all that is sold."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from portal.domain.catalog import EntityType, Plan, Status
from portal.domain.taxes import NO_TAX, Tax
from portal.services.charging import Settled
from tests.services.figures.stall import Stall
from tests.unit.samples import ANNUAL, MONTHLY, instant, recurring

VAT, INSIDE = Tax(Decimal(5), label="VAT"), Tax(Decimal(5), True, "VAT")
DINARS = {"small": ("10.000", "96.000"), "large": ("25.500", "244.800")}
"""Of each plan, what a month and a year cost."""


@pytest.fixture
def stall(world) -> Stall:
    """Alone in its database: prices change, and all that is taken is counted."""
    return Stall(world)


@pytest.fixture
def kuwait(stall) -> Stall:
    """It also sells two plans and an add-on of 7.770 a month, priced in dinars."""
    stall.at("2026-04-01")
    stall.publish(plans=tuple(_plan(key, *amounts) for key, amounts in DINARS.items()))
    stall.connector = stall.sell(recurring("7.770", currency="kwd"))
    return stall


def _plan(key: str, month: str, year: str) -> Plan:
    lengths = {"monthly": (month, MONTHLY), "annual": (year, ANNUAL)}
    prices = tuple(
        replace(
            recurring(amount, interval, "kwd"),
            lookup_key=f"{key}_{length}_kwd",
            entity_type=EntityType.PLAN,
        )
        for length, (amount, interval) in lengths.items()
    )
    return Plan(key, key.title(), Status.PUBLISHED, prices)


def dinars(stall: Stall, tax: Tax = NO_TAX):
    return stall.account(price="small_monthly_kwd", currency="kwd", tax=tax)


def yen(stall: Stall, tax: Tax = NO_TAX):
    return stall.account(price="starter_monthly_jpy", currency="jpy", tax=tax)


@pytest.mark.parametrize(
    ("tax", "sold", "renewed", "charged"),
    [
        (NO_TAX, [5180], [10_000, 7770], [10_000, 5180, 17_770]),
        (VAT, [5180, 260], [10_000, 500, 7770, 390], [10_500, 5440, 18_660]),
        (INSIDE, [5180, 250], [10_000, 480, 7770, 370], [10_000, 5180, 17_770]),
    ],
    ids=["untaxed", "on top", "inside"],
)
def test_dinars_are_prorated_taxed_and_renewed_in_steps_of_ten(tax, sold, renewed, charged, kuwait):
    """7.770 × 20 of 30 days = 5.180; 5 % of it 0.259, inside 0.2467."""
    actor = dinars(kuwait, tax)
    kuwait.at("2026-04-11")
    kuwait.buy(actor, kuwait.connector)
    assert [amount for _, amount in kuwait.bill(actor)] == sold
    kuwait.renew("2026-05-01")
    assert [amount for _, amount in kuwait.bill(actor)] == renewed
    assert kuwait.till.taken() == charged
    assert kuwait.books_agree


def test_a_plan_in_dinars_goes_up_now_and_to_the_year(kuwait):
    """20 of 30 days: 6.666… back and 17 new; then 19 of 30 days of 25.500, less what is back."""
    actor = dinars(kuwait)
    kuwait.at("2026-04-11")
    assert isinstance(kuwait.office.change(actor, "large"), Settled)
    assert kuwait.bill(actor) == [("credit", -6670), ("charge", 17_000)]
    kuwait.at("2026-04-12")
    assert isinstance(kuwait.office.change(actor, "large", ANNUAL), Settled)
    assert kuwait.bill(actor) == [("credit", -16_150), ("charge", 244_800)]
    assert kuwait.till.taken() == [10_000, 10_330, 228_650]
    assert kuwait.office.plan(actor)[2] == instant("2027-04-12")
    assert kuwait.books_agree


def test_a_plan_in_dinars_goes_down_at_the_end_of_its_year(kuwait):
    actor = kuwait.account(price="large_annual_kwd", currency="kwd")
    kuwait.office.change(actor, "small", MONTHLY)
    kuwait.renew("2027-04-01")
    assert kuwait.bill(actor) == [("charge", 10_000)]
    assert kuwait.till.taken() == [244_800, 10_000]


def test_credit_in_dinars_pays_the_next_bills_first(kuwait):
    """20 of 30 days: 6.666… of 10 back, for a year at 6; then 29 of 30 days of 7.770."""
    kuwait.office.reprice("small_annual_kwd", "6.000")
    actor = dinars(kuwait)
    kuwait.at("2026-04-11")
    kuwait.office.change(actor, "small", ANNUAL)
    assert kuwait.bill(actor) == [("credit", -6670), ("charge", 6000)]
    assert kuwait.world.state(actor).balance.minor == 670
    kuwait.at("2026-04-12")
    kuwait.buy(actor, kuwait.connector)
    assert kuwait.bill(actor) == [("charge", 7510), ("balance", -670)]
    assert kuwait.till.taken() == [10_000, 6840]
    assert kuwait.books_agree


def test_fils_below_the_least_charge_are_carried(kuwait):
    """At least 0.150 can be charged: eight hours of 7.770 are 0.0863."""
    actor = dinars(kuwait)
    kuwait.at("2026-04-30T16:00")
    kuwait.buy(actor, kuwait.connector)
    assert (kuwait.bill(actor), kuwait.till.taken()) == ([("charge", 90)], [10_000])
    assert kuwait.world.state(actor).carried.minor == 90
    kuwait.renew("2026-05-01")
    assert kuwait.bill(actor) == [("charge", 10_000), ("charge", 7770), ("carried", 90)]
    assert kuwait.till.taken() == [10_000, 17_860]
    assert kuwait.books_agree


@pytest.mark.parametrize(
    ("tax", "sold", "renewed", "charged"),
    [
        (NO_TAX, [4933], [4400, 7400], [4400, 4933, 11_800]),
        (VAT, [4933, 247], [4400, 220, 7400, 370], [4620, 5180, 12_390]),
        (INSIDE, [4933, 235], [4400, 210, 7400, 352], [4400, 4933, 11_800]),
    ],
    ids=["untaxed", "on top", "inside"],
)
def test_yen_are_prorated_taxed_and_renewed_whole(tax, sold, renewed, charged, stall):
    """7400 × 20 of 30 days = 4933.3; 5 % of 4933 = 246.65, inside 234.9."""
    stall.at("2026-04-11")
    actor = yen(stall, tax)
    stall.buy(actor, "salesforce")
    assert [amount for _, amount in stall.bill(actor)] == sold
    stall.renew("2026-05-01")
    assert [amount for _, amount in stall.bill(actor)] == renewed
    assert stall.till.taken() == charged
    assert stall.books_agree


def test_a_plan_in_yen_goes_up_now_and_to_the_year_and_its_credit_is_kept(stall):
    """20 of 30 days: 2933.3 of 4400 back, 9866.7 of 14,800 new; then 19 of 30 days of it."""
    stall.at("2026-04-11")
    actor = yen(stall)
    stall.office.change(actor, "growth")
    assert stall.bill(actor) == [("credit", -2933), ("charge", 9867)]
    stall.at("2026-04-12")
    stall.office.reprice("growth_annual_jpy", "9000")
    stall.office.change(actor, "growth", ANNUAL)
    assert stall.bill(actor) == [("credit", -9374), ("charge", 9000)]
    assert stall.world.state(actor).balance.minor == 374
    stall.buy(actor, "messages_10k")
    assert stall.bill(actor) == [("charge", 1050), ("balance", -374)]
    assert stall.till.taken() == [4400, 6934, 676]
    assert stall.books_agree


def test_yen_below_the_least_charge_are_carried(stall):
    """At least 50 can be charged: two hours of 7400 are 20.6."""
    stall.at("2026-04-30T22:00")
    actor = yen(stall)
    stall.buy(actor, "salesforce")
    assert (stall.bill(actor), stall.till.taken()) == ([("charge", 21)], [4400])
    stall.renew("2026-05-01")
    assert stall.bill(actor) == [("charge", 4400), ("charge", 7400), ("carried", 21)]
    assert stall.till.taken() == [4400, 11_821]
    assert stall.books_agree
