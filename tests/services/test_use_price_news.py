"""Holders of a price for use are told of a new one; it may be taken back; each turn is recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from portal.models.accounts import MembershipRow
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.models.price_changes import PriceChangeRow
from portal.models.subscriptions import SubscriptionRow
from tests.services.beyond import LIMIT, messages
from tests.services.leaving import on_trial
from tests.services.test_use_of_add_ons import run_by
from tests.services.test_use_price_changes import (
    ANNOUNCED,
    APPLIED,
    JUNE_1,
    KEY,
    MONTHS,
    WITHDRAWN,
    ahead,
)
from tests.services.using import of_plan


def test_members_are_told_both_prices_and_again_two_weeks_before(dearer, operator, world):
    [said] = operator.told(dearer)
    assert [Decimal(said[when]["amount"]) for when in ("before", "after")] == [
        Decimal("0.0008"), Decimal("0.0016"),
    ]  # fmt: skip
    assert (said["name"], said["instance_id"], said["reminder"]) == ("Business", None, False)
    assert said["after"]["feature"]["lookup_key"] == "messages"
    world.now = datetime(2026, 5, 18, tzinfo=UTC)
    operator.remind()
    operator.remind()
    assert [each["reminder"] for each in operator.told(dearer)] == [False, True]


def test_printing_writes_nothing_and_a_second_call_moves_nobody(actor, operator, world):
    operator.sell(business_messages_usd="0.0016")
    assert len(operator.propose(KEY).moved) == 1
    assert world.rows(PriceChangeRow) == world.rows(MailRow, kind="price_for_use_changing") == 0
    operator.announce(KEY)
    again = operator.announce(KEY)
    assert (again.moved, len(again.waiting)) == ((), 1)


def test_nobody_is_moved_whom_nobody_can_tell(actor, operator, world):
    row = MembershipRow
    world.change(update(row).where(row.account_id == actor.account_id).values(role="member"))
    operator.sell(business_messages_usd="0.0016")
    assert operator.announce(KEY).problems == (
        f"account account{world.key_of(actor)} has no member to tell",
    )
    assert world.rows(PriceChangeRow) == 0


def test_taken_back_it_stays_as_it_was_and_is_said(dearer, meterage, operator):
    run_by(meterage, MONTHS[:1], "2026-05-20")
    meterage.use(dearer, LIMIT)
    assert len(operator.call_off(KEY).waiting) == 1
    assert operator.changes(dearer) == [(WITHDRAWN, JUNE_1)]
    assert Decimal(operator.told(dearer)[1]["price"]["amount"]) == Decimal("0.0008")
    meterage.run("2026-06-01")
    meterage.use(dearer, LIMIT + 10_000)
    assert meterage.foreseen(dearer)[0][1] == [29900, 800]


@pytest.mark.parametrize("standing", ["active", "suspended"])
def test_what_has_come_cannot_be_taken_back(standing, dearer, meterage, operator, world):
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == dearer.account_id)
    world.change(mine.values(status=standing))
    meterage.at("2026-06-01")
    assert operator.call_off(KEY).waiting == ()
    assert operator.changes(dearer) == [(ANNOUNCED, JUNE_1)]


def test_suspended_it_holds_from_its_day_on_and_is_billed_when_restored(
    dearer, meterage, operator, world
):
    mine = update(SubscriptionRow).where(SubscriptionRow.account_id == dearer.account_id)
    world.change(mine.values(status="suspended"))
    for at in ("2026-05-20", "2026-06-05"):
        meterage.run(at)
        meterage.use(dearer, LIMIT + 10_000)
    meterage.run("2026-06-10")
    assert operator.changes(dearer) == [(ANNOUNCED, JUNE_1)]
    world.change(mine.values(status="active", resumed_at=world.now, next_due_at=world.now))
    meterage.run("2026-06-10")
    assert meterage.bills(dearer)[-1][1][1:] == [messages("8.00")]
    assert operator.changes(dearer) == [(APPLIED, JUNE_1)]
    meterage.run("2026-07-01")
    assert meterage.bills(dearer)[-1][1][1:] == [messages("16.00")]
    assert meterage.ledgers_agree


def test_the_first_month_after_a_trial_costs_what_it_said(meterage, operator, world):
    meterage.at("2026-04-01")
    actor = on_trial(world, world.now, plan="business")
    operator.sell(business_messages_usd="0.0016")
    operator.announce(KEY, days=7)
    assert ahead(operator, actor) == [("0.0016", datetime(2026, 5, 15, tzinfo=UTC))]


def test_where_the_limit_is_hard_nobody_pays_it_and_nobody_is_moved(actor, operator, world):
    operator.sell(business_messages_usd="0.0016")
    world.change(of_plan("business", is_soft_limit=False))
    assert operator.announce(KEY).moved == ()


def test_each_turn_is_recorded_with_the_feature(dearer, meterage, world):
    meterage.run("2026-06-01")
    with world.session() as session:
        found = session.scalars(
            select(EventRow).where(EventRow.name.startswith("price_change")).order_by(EventRow.id)
        ).all()
    assert [(e.name, e.actor, e.detail["feature"]) for e in found] == [
        ("price_change:announced", "cli", "Messages"),
        ("price_change:applied", "renewal", "Messages"),
    ]
