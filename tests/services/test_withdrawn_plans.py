"""A consumer withdraws from the plan: all of it ends at once, and nothing is owed afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.domain.access import Role
from portal.domain.errors import Conflict
from portal.gateways.fake_payments import Fault
from portal.models.accounts import AccountRow
from portal.models.subscriptions import SubscriptionRow
from tests.services.changing import Office
from tests.services.consuming import START, Consumer, consumer_of, sent_back, use
from tests.services.leaving import on_trial, save_card, told
from tests.services.recharging import Recharge
from tests.services.time_passing import run_at
from tests.support.world import APRIL_11, World

APRIL_25 = datetime(2026, 4, 25, tzinfo=UTC)
APRIL_21 = datetime(2026, 4, 21, tzinfo=UTC)
JUNE_1 = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def consumer(world: World) -> Consumer:
    return consumer_of(world)


def upgraded(world: World, till, consumer: Consumer, words=START) -> Office:
    """From Growth to Business for the 20 days that are left of April."""
    office = Office(world, till)
    accepted = office.accept(office.quote(consumer.actor, "business"))
    office.confirm(consumer.actor, replace(accepted, agreed=words))
    return office


def test_the_plan_and_all_on_it_end_and_what_lies_ahead_goes_back(world, till, consumer):
    upgraded(world, till, consumer)
    consumer.buy("salesforce")
    consumer.buy("messages_100k")
    world.now = APRIL_21
    seen = consumer.foresee(None)
    made = consumer.withdraw(None)
    assert made is not None
    assert made.credited == seen.credited
    back = sum(amount for amount, _ in sent_back(till))
    assert back == made.to_card.minor == made.credited.minor
    assert back == 9967 + 1667 + 4900, "half of the plan and of the connector, all of the pack"
    assert (world.state(consumer.actor).subscription, till.holds(consumer.actor)) == (None, [])
    assert till.books_agree()
    before = till.taken()
    run_at(world, JUNE_1)
    till.reconcile()
    assert till.taken() == before, "nothing is charged afterwards"
    assert told(world, consumer.actor, "payment_failed") == []


def test_who_did_not_ask_for_it_pays_nothing_for_it(world, till, consumer):
    upgraded(world, till, consumer, words=None)
    world.now = APRIL_21
    consumer.withdraw(None)
    assert sum(amount for amount, _ in sent_back(till)) == sum(till.taken())
    assert till.books_agree()


def test_within_14_days_of_the_change_and_no_longer(world, till, consumer):
    world.now = APRIL_21
    assert not consumer.may_leave_the_plan(), "it came on the first"
    world.now = APRIL_11
    upgraded(world, till, consumer)
    world.now = datetime(2026, 4, 27, 23, tzinfo=UTC)
    assert consumer.may_leave_the_plan()
    world.now = datetime(2026, 4, 28, tzinfo=UTC)
    assert not consumer.may_leave_the_plan()
    with pytest.raises(Conflict):
        consumer.withdraw(None)


def test_twice_ends_it_once(world, till, desk, consumer):
    upgraded(world, till, consumer)
    assert consumer.withdraw(None) is not None
    world.pass_time(hours=1)
    assert consumer.withdraw(None) is None
    assert len(sent_back(till)) == len(desk.notes(consumer.actor)) == 1


def test_everybody_is_told_of_it_once_and_not_as_of_an_end_that_was_agreed(world, till, consumer):
    upgraded(world, till, consumer)
    world.member(consumer.actor.account_id, "reader@account1.test", Role.MEMBER)
    consumer.withdraw(None)
    first, second = told(world, consumer.actor, "contract_withdrawn")
    assert first == second
    assert (first["name"], first["owed"]) == ("Business", {"minor": 0, "currency": "usd"})
    assert told(world, consumer.actor, "plan_ended") == []


def test_what_is_still_to_pay_for_the_time_before_is_said_with_it(world, till, consumer):
    world.now = APRIL_25
    upgraded(world, till, consumer)
    save_card(world, consumer.actor, "pm_card_chargeCustomerFail")
    run_at(world, datetime(2026, 5, 1, 12, tzinfo=UTC))
    made = consumer.withdraw(None)
    assert made is not None
    [notice] = told(world, consumer.actor, "contract_withdrawn")
    assert made.off_invoice.minor + 482 == 29_900, "half a day of 31"
    assert notice["owed"] == {"minor": 482, "currency": "usd"}


def test_a_trial_ends_and_is_never_charged(world, till):
    consumer = trying(world)
    assert consumer.may_leave_the_plan()
    consumer.withdraw(None)
    run_at(world, JUNE_1)
    assert till.taken() == []
    assert world.rows(SubscriptionRow, status="cancelled") == 1


def test_what_is_unpaid_is_taken_off_and_not_collected(world, till, desk):
    consumer = trying(world, "pm_card_chargeCustomerFail")
    run_at(world, APRIL_25)
    assert desk.invoice(consumer.actor).charged_minor == 2900
    made = consumer.withdraw(None)
    assert made is not None
    assert (made.off_invoice.minor, sent_back(till)) == (2900, [])
    assert desk.agrees()
    tries = len(world.gateway.calls)
    run_at(world, JUNE_1)
    assert len(world.gateway.calls) == tries


def test_a_charge_without_an_answer_is_asked_about_first(world, till):
    consumer = trying(world)
    world.gateway.fail_next("charge", Fault.ANSWER_LOST)
    run_at(world, APRIL_25)
    made = consumer.withdraw(None)
    assert made is not None
    assert (made.to_card.minor, sent_back(till)) == (2900, [(2900, "succeeded")])
    assert till.books_agree()


def test_while_it_is_not_known_whether_a_charge_was_made_nothing_ends(world, till):
    consumer = trying(world)
    for _ in range(2):
        world.gateway.fail_next("charge", Fault.OUTAGE)
    run_at(world, APRIL_25)
    with pytest.raises(Conflict, match="under way"):
        consumer.withdraw(None)
    assert world.state(consumer.actor).subscription is not None
    assert (sent_back(till), told(world, consumer.actor, "contract_withdrawn")) == ([], [])
    consumer.withdraw(None)
    assert world.state(consumer.actor).subscription is None
    assert sum(till.taken()) == sum(amount for amount, _ in sent_back(till))
    assert till.books_agree()


def trying(world: World, card: str = "pm_card_visa") -> Consumer:
    """On a trial from 11 to 25 April."""
    actor = on_trial(world, APRIL_11, card=card)
    world.change(update(AccountRow).values(country="FR", customer_type="consumer"))
    return Consumer(world, actor)


def test_units_of_an_older_pack_go_back_too(world, till, consumer):
    world.now = datetime(2026, 4, 2, tzinfo=UTC)
    pack = consumer.buy("messages_100k")
    world.now = datetime(2026, 4, 22, tzinfo=UTC)
    use(world, consumer, 125_000)
    upgraded(world, till, consumer)
    assert consumer.open() == []
    assert pack in [each.id for each in consumer.foresee(None).ends]
    [part] = [each for each in consumer.foresee(None).parts if each.once]
    assert -part.given[0].amount.minor == 3675


def test_auto_recharge_does_not_buy_a_withdrawn_pack_again(world, till, consumer):
    recharger = Recharge(world)
    recharger.agree(consumer.actor, pack="messages_100k")
    use(world, consumer, 100_000)
    recharger.work()
    packs = world.state(consumer.actor).held
    assert [each.add_on.lookup_key for each in packs] == ["messages_100k"]
    assert consumer.open() == [packs[0].id]
    consumer.withdraw(packs[0].id)
    assert recharger.policy(consumer.actor).status == "off"
    world.pass_time(days=1)
    recharger.work()
    assert till.holds(consumer.actor) == []
