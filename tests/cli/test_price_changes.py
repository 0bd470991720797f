"""`flask catalog migrate-price`: what it prints, writes, refuses and ends with."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import CliRunner

from portal.cli.catalog import catalog_group
from portal.cli.opening import Store
from portal.cli.price_changes import _each
from portal.domain.catalog import Tier, TransformQuantity
from portal.domain.taxes import Tax
from portal.models.price_changes import PriceChangeRow
from tests.services.changing import Office
from tests.services.paying import Till
from tests.services.repricing import GROWTH, Operator
from tests.unit.samples import recurring


@pytest.fixture
def operator(world) -> Operator:
    Office(world, Till(world)).account()
    return Operator(world, {})


@pytest.fixture
def run(world):
    """Runs `catalog migrate-price …` in the world."""

    class Opened:
        def __enter__(self):
            self.session = world.session()
            return self.session.__enter__(), world.scope

        def __exit__(self, *given):
            return self.session.__exit__(*given)

    group = catalog_group(Store(Opened, lambda: world.wall))
    return lambda *words: CliRunner().invoke(
        group, ["migrate-price", *words], catch_exceptions=False
    )


LINE = "account1: Growth, 99.00 → 119.00 USD MONTHLY from 2026-06-01"


def test_it_prints_who_pays_what_from_when_and_writes_nothing(run, operator, world):
    operator.sell(growth_monthly_usd="119.00")
    result = run(GROWTH, GROWTH)
    assert result.stdout.splitlines() == [
        LINE, "1 to move, 0 announced before. Nothing was written: add --apply.",
    ]  # fmt: skip
    assert (result.exit_code, world.rows(PriceChangeRow)) == (0, 0)


def test_applied_it_says_so_and_then_who_was_told(run, operator, world):
    operator.sell(growth_monthly_usd="119.00")
    assert run(GROWTH, GROWTH, "--apply").stdout.splitlines()[1].endswith("before. Announced.")
    again = run(GROWTH, GROWTH, "--apply")
    assert again.stdout.splitlines() == [
        f"{LINE}, announced 2026-04-11", "0 to move, 1 announced before.",
    ]  # fmt: skip
    assert world.rows(PriceChangeRow) == 1


def test_taken_back_it_names_whose_price_stays(run, operator):
    operator.sell(growth_monthly_usd="119.00")
    run(GROWTH, GROWTH, "--apply", "--notice-days", "14")
    result = run(GROWTH, GROWTH, "--withdraw")
    since = LINE.replace("06-01", "05-01")
    assert result.stdout.splitlines() == [f"stays: {since}", "1 taken back."]
    assert run(GROWTH, GROWTH, "--withdraw").stdout == "0 taken back.\n"


PROBLEMS = {
    (GROWTH, GROWTH): ["there is no old price growth_monthly_usd"],
    ("gone", "nothing"): [
        "there is no price nothing in the catalog", "there is no old price gone",
    ],
    (GROWTH, "growth_annual_eur"): [
        "growth_monthly_usd is still sold: end it in the catalog first",
        "they are in different currencies", "they are charged in different intervals",
    ],
    (GROWTH, "salesforce_monthly_usd"): [
        "growth_monthly_usd is a price of plan growth, salesforce_monthly_usd of add-on salesforce",
        "growth_monthly_usd is still sold: end it in the catalog first",
    ],
    ("messages_100k_usd", "messages_10k_usd"): [
        "messages_100k_usd is a price of add-on messages_100k, messages_10k_usd of add-on"
        " messages_10k",
        "messages_100k_usd is still sold: end it in the catalog first",
        "what is charged once is never charged again",
    ],
}  # fmt: skip


@pytest.mark.parametrize("keys", PROBLEMS, ids="-".join)
@pytest.mark.parametrize("more", [(), ("--apply",)])
def test_every_problem_is_named_at_once(run, operator, world, keys, more):
    result = run(*keys, *more, "--account", "nobody")
    assert result.stderr.splitlines() == [
        *PROBLEMS[keys], "there is no account nobody", "Refused; nothing was written.",
    ]  # fmt: skip
    assert (result.exit_code, world.rows(PriceChangeRow)) == (1, 0)


@pytest.mark.parametrize("days", ["6", "0", "366"])
def test_a_notice_that_is_none_is_refused(run, operator, days):
    assert run(GROWTH, GROWTH, "--notice-days", days).exit_code == 2


def test_amounts_are_before_tax_in_the_accounts_currency(run, operator, world):
    vat, since = Tax(10, True, "VAT"), datetime(2026, 4, 1, tzinfo=UTC)
    world.account(price="growth_monthly_jpy", currency="jpy", tax=vat, since=since)
    operator.sell(growth_monthly_jpy="15000")
    line = "account2: Growth, 14800 → 15000 JPY MONTHLY from 2026-06-01"
    assert run("growth_monthly_jpy", "growth_monthly_jpy").stdout.splitlines()[0] == line


def test_applying_and_taking_back_at_once_makes_no_sense(run, operator):
    result = run(GROWTH, GROWTH, "--apply", "--withdraw")
    assert (result.exit_code, "without --apply" in result.stderr) == (2, True)


USE = "business_messages_usd"


@pytest.fixture
def metered(world) -> Operator:
    Office(world, Till(world)).account(plan="business", price="business_monthly_usd")
    return Operator(world, {})


def test_a_price_for_use_is_printed_for_one_unit_announced_and_taken_back(run, metered):
    metered.sell(business_messages_usd="0.0016")
    line = (
        "account1: Business, messages beyond the allowance, 0.0008 each → 0.0016 each USD,"
        " from 2026-06-01"
    )
    assert run(USE, USE).stdout.splitlines()[0] == line
    assert run(USE, USE, "--apply").stdout.splitlines()[0] == line
    again = run(USE, USE, "--apply").stdout.splitlines()
    assert again == [f"{line}, announced 2026-04-11", "0 to move, 1 announced before."]
    assert run(USE, USE, "--withdraw").stdout.splitlines() == [f"stays: {line}", "1 taken back."]


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ({"transform_quantity": TransformQuantity(100), "amount": Decimal("0.10")}, "0.1 per 100"),
        ({"tiers": (Tier(1_000, Decimal("0.001"), Decimal(5)), Tier(None, Decimal("0.0008")))},
         "5 and 0.001 each to 1000 then 0.0008 each"),
    ],
)  # fmt: skip
def test_packages_and_tiers_are_printed_whole(price, said):
    assert _each(replace(recurring("1"), **price)) == said


def test_a_price_for_use_and_another_do_not_follow_one_another(run, metered):
    metered.sell(business_messages_usd="0.0016")
    result = run(USE, "business_monthly_usd")
    assert "one is for use, the other is not" in result.stderr
