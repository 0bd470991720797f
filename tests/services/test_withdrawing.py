"""What was paid for something that never starts goes back, all of it and once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from portal.domain.access import Actor
from portal.domain.errors import Conflict
from portal.gateways.fake_payments import Fault
from portal.models.accounts import AccountRow
from portal.models.credit_notes import CreditNoteRow
from tests.services.leaving import cancel_plan
from tests.services.test_later_start import later, messages_left, withdraw
from tests.services.time_passing import run_at
from tests.support.world import World

MAY_1 = datetime(2026, 5, 1, tzinfo=UTC)
PACK = "messages_100k"


@pytest.fixture
def actor(world: World) -> Actor:
    return world.account()


def notes(world: World) -> list[tuple[str, int, int, int]]:
    """Cause, total, what goes to the card and to the balance of each."""
    with world.session() as session:
        rows = session.scalars(select(CreditNoteRow).order_by(CreditNoteRow.number))
        return [(r.cause, r.total_minor, r.card_minor, r.balance_minor) for r in rows]


def test_a_pack_taken_back_is_refunded_to_its_card(world, till, actor):
    pack = later(world, actor, PACK)
    withdraw(world, actor, pack)
    assert [(amount, status) for amount, _, status in till.refunds()] == [(4900, "succeeded")]
    assert notes(world) == [("withdrawn", 4900, 4900, 0)]
    world.now = MAY_1
    assert messages_left(world, actor) == 100_000
    assert till.books_agree()


def test_ten_at_once_take_it_back_once(world, till, actor):
    pack = later(world, actor, PACK)
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda _: withdraw(world, actor, pack), range(10)))
    assert (len(till.refunds()), len(notes(world))) == (1, 1)
    assert till.books_agree()


def test_a_refund_without_an_answer_is_sent_again(world, till, actor):
    pack = later(world, actor, PACK)
    world.gateway.fail_next("refund", Fault.OUTAGE)
    withdraw(world, actor, pack)
    assert [status for _, _, status in till.refunds()] == ["requested"]
    till.reconcile()
    assert [status for _, _, status in till.refunds()] == ["succeeded"]
    assert [r.amount.minor for r in till.gateway.refunds] == [4900]


def test_what_the_balance_paid_goes_back_to_the_balance(world, till, desk, actor):
    world.buy(actor, "messages_50k")
    desk.credit(1, "10")
    assert desk.balance(actor)[0] == 1000
    pack = later(world, actor, PACK)
    assert (world.gateway.taken[-1].amount.minor, desk.balance(actor)[0]) == (3900, 0)
    withdraw(world, actor, pack)
    assert notes(world)[-1] == ("withdrawn", 4900, 3900, 1000)
    assert desk.balance(actor)[0] == 1000
    assert till.books_agree()


def test_once_it_works_it_stays(world, till, actor):
    pack = later(world, actor, PACK)
    world.change(update(AccountRow).values(test_clock_at=MAY_1))
    with pytest.raises(Conflict):
        withdraw(world, actor, pack)
    assert till.refunds() == []


def test_a_plan_that_ends_before_gives_it_back(world, till, actor):
    later(world, actor, PACK)
    cancel_plan(world, actor)
    run_at(world, MAY_1)
    assert notes(world) == [("not_begun", 4900, 4900, 0)]
    till.reconcile()
    assert [(amount, status) for amount, _, status in till.refunds()] == [(4900, "succeeded")]
    assert till.books_agree()
