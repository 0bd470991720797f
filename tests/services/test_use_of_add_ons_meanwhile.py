"""An add-on that charges for use, while reports, purchases and renewals come at the same time."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.models.accounts import AccountRow
from tests.services.beyond import messages
from tests.services.by_use import NAME, buy, by_use, cancel, sell
from tests.services.living import dying
from tests.services.test_use_of_add_ons import FREE, LIMIT, PLAN


@pytest.fixture
def growth(meterage):
    sell(meterage)
    return meterage.account("growth_monthly_usd", "growth")


@pytest.mark.parametrize("where", ["before it asks", "before it writes"])
def test_a_worker_that_dies_bills_it_once(where, growth, meterage):
    meterage.at("2026-04-11")
    buy(meterage, growth)
    meterage.use(growth, LIMIT + 10_000)
    with dying(where, 0):
        meterage.run("2026-05-01")
    meterage.run("2026-05-01 01:00")
    assert meterage.bills(growth) == [("2026-05-01", [PLAN, FREE, messages("10.00")])]
    assert meterage.ledgers_agree


def test_reports_beside_its_purchase_are_each_charged_for_or_free(growth, meterage):
    meterage.at("2026-04-11")
    meterage.use(growth, LIMIT)

    def report(_number: int) -> str:
        return meterage.use(growth, 1_000)

    with ThreadPoolExecutor(7) as pool:
        told = pool.map(report, range(30))
        bought = pool.submit(buy, meterage, growth)
        assert set(told) == {"counted"}
        bought.result()
    free = sum(units for units, charged, _ in meterage.arrears(growth) if not charged)
    meterage.run("2026-05-01")
    charged = Decimal(30_000 - free) / 1000
    lines = [PLAN, FREE, *([messages(f"{charged:.2f}")] if charged else [])]
    assert meterage.bills(growth)[-1] == ("2026-05-01", lines)
    assert meterage.ledgers_agree


def test_its_purchase_waits_for_a_report_that_is_being_counted(growth, meterage):
    """What that counts was used before."""
    meterage.at("2026-04-11")
    mine = select(AccountRow.id).where(AccountRow.id == growth.account_id)
    with meterage.world.session() as report, ThreadPoolExecutor(1) as pool:
        report.execute(mine.with_for_update(key_share=True))
        bought = pool.submit(buy, meterage, growth)
        with pytest.raises(TimeoutError):
            bought.result(timeout=2)
        report.rollback()
        assert bought.result()


def test_reports_beside_the_renewal_are_each_billed_once(growth, meterage):
    """The plan itself has no price for use: the renewal holds use for the add-on's sake."""
    meterage.at("2026-04-30 23:59:59")
    buy(meterage, growth)
    meterage.use(growth, LIMIT)
    meterage.at("2026-05-01 00:00:30")

    def report(_number: int) -> str:
        return meterage.use(growth, 1_000, at="2026-04-30 23:59:59")

    with ThreadPoolExecutor(9) as pool:
        renewed = pool.submit(meterage.office.run_due)
        told = list(pool.map(report, range(40)))
        renewed.result()
    own = told.count("counted")
    [(_, lines)] = meterage.bills(growth)
    assert [amount for name, amount in lines if name == "Messages"] == (
        [f"{own:.2f}"] if own else []
    )
    assert meterage.unsettled(growth) == 0
    assert meterage.ledgers_agree


def test_many_first_reports_after_its_end_set_use_apart_once(meterage):
    """Each wants to, while a worker runs; what was used before the end is billed once."""
    sell(meterage, by_use(meterage, fixed="5.00"))
    actor = meterage.account("growth_monthly_usd", "growth")
    meterage.at("2026-04-11")
    buy(meterage, actor)
    cancel(meterage, actor)
    meterage.use(actor, LIMIT + 4_000)
    meterage.at("2026-05-01 00:00:10")

    def report(_number: int) -> str:
        return meterage.use(actor, 5_000)

    with ThreadPoolExecutor(9) as pool:
        renewed = pool.submit(meterage.office.run_due)
        assert set(pool.map(report, range(40))) == {"counted"}
        renewed.result()
    meterage.run("2026-06-01")
    billed = [line for _, lines in meterage.bills(actor) for line in lines if line[0] != NAME]
    assert billed == [PLAN, messages("4.00"), PLAN]
    assert meterage.ledgers_agree
