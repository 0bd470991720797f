"""The default card, and what may be removed: here first or at the processor, and never half."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

from portal.domain.access import Actor, Role
from portal.domain.cards import Kept, KeptFor
from portal.domain.errors import Forbidden, NotFound, PaymentsUnavailable
from portal.gateways.fake_payments import FakePayments, Fault
from portal.models.purchases import PaymentAttemptRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.cards import listed_cards
from portal.services import card_choices
from portal.services.card_choices import Expired, Preferred, Removed
from tests.services.catalog.test_reading_again import statements
from tests.support.cards import add, choose, expire, facts, live, reference, rows, sync
from tests.support.world import APRIL_11, World


@pytest.fixture
def world(shop: World) -> World:
    shop.now, shop.gateway = APRIL_11, FakePayments()
    return shop


class TestTheDefault:
    def test_it_is_moved_here_and_at_the_processor_once(self, world):
        actor = world.account()
        second = add(world, actor, "mastercard")
        for _ in range(2):
            outcome = choose(world, actor, card_choices.make_default, second)
            assert isinstance(outcome, Preferred)
            assert outcome.card.is_default
        assert live(world, actor) == [("4242", False), ("4444", True)]
        customer = world.customer(actor.account_id)
        assert world.gateway.defaults[customer] == reference(world, second)
        assert [name for name, _ in facts(world, actor)].count("card:preferred") == 2

    def test_it_is_what_the_next_purchase_is_charged_to(self, world):
        actor = world.account()
        second = add(world, actor, "mastercard")
        choose(world, actor, card_choices.make_default, second)
        world.buy(actor, "salesforce")
        assert world.gateway.calls[-1].card_ref == reference(world, second)

    def test_an_expired_card_cannot_be_it(self, world):
        actor = world.account()
        second = add(world, actor, "mastercard")
        expire(world, second)
        assert isinstance(choose(world, actor, card_choices.make_default, second), Expired)
        assert live(world, actor) == [("4242", True), ("4444", False)]

    def test_a_processor_that_is_down_does_not_undo_it(self, world):
        actor = world.account()
        second = add(world, actor, "mastercard")
        world.gateway.fail_next("make_default", Fault.OUTAGE)
        assert isinstance(choose(world, actor, card_choices.make_default, second), Preferred)
        assert live(world, actor) == [("4242", False), ("4444", True)]
        sync(world, reference(world, second))
        customer = world.customer(actor.account_id)
        assert world.gateway.defaults[customer] == reference(world, second)

    def test_racing_choices_leave_one(self, world):
        actor = world.account()
        ids = [rows(world, actor)[0].id, add(world, actor, "mastercard")]
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda i: choose(world, actor, card_choices.make_default, i), ids * 6))
        assert sorted(default for _, default in live(world, actor)) == [False, True]

    def test_another_accounts_card_and_a_members_wish_change_nothing(self, world):
        mine, theirs = world.account(), world.account()
        member = world.member(mine.account_id, "wishes@cards.test", Role.MEMBER)
        (card,) = rows(world, mine)
        for step in (card_choices.make_default, card_choices.remove):
            with pytest.raises(NotFound):
                choose(world, theirs, step, card.id)
            with pytest.raises(Forbidden):
                choose(world, member, step, card.id)
        assert live(world, mine) == [("4242", True)]


class TestRemoving:
    def test_a_card_that_nothing_needs_goes_here_and_there_once(self, world):
        actor = world.account()
        second = add(world, actor, "mastercard")
        for _ in range(2):
            assert isinstance(choose(world, actor, card_choices.remove, second), Removed)
        assert live(world, actor) == [("4242", True)]
        assert world.gateway.read_card(reference(world, second)).customer_ref is None
        assert [name for name, _ in facts(world, actor)].count("card:removed") == 1
        with pytest.raises(NotFound):
            choose(world, actor, card_choices.make_default, second)

    def test_the_default_stays_for_the_plan_and_the_add_ons_that_renew(self, world):
        actor = world.account()
        world.buy(actor, "salesforce")
        world.buy(actor, "zendesk", renew=False)
        (card,) = rows(world, actor)
        kept = choose(world, actor, card_choices.remove, card.id)
        may_1 = datetime(2026, 5, 1, tzinfo=UTC)
        assert isinstance(kept, Kept)
        assert [(r.name, r.at) for r in kept.renewals] == [
            ("Growth", may_1),
            ("Salesforce connector", may_1),
        ]
        assert kept.renewals[1].amount.minor == 5000
        assert live(world, actor) == [("4242", True)]
        assert world.gateway.read_card(card.stripe_payment_method_id).customer_ref

    def test_the_default_goes_once_nothing_renews_and_leaves_none(self, world):
        actor = world.account()
        (card,) = rows(world, actor)
        end_plan(world, actor)
        assert isinstance(choose(world, actor, card_choices.remove, card.id), Removed)
        assert live(world, actor) == []

    @pytest.mark.parametrize(
        ("status", "needs"),
        [("active", True), ("past_due", True), ("trialing", True), ("suspended", False)],
    )
    def test_only_what_is_billed_again_holds_it(self, world, status, needs):
        actor = world.account()
        world.buy(actor, "salesforce")
        mine = SubscriptionRow.account_id == actor.account_id
        world.change(update(SubscriptionRow).where(mine).values(status=status))
        (card,) = rows(world, actor)
        kept = choose(world, actor, card_choices.remove, card.id)
        assert isinstance(kept, Kept) is needs

    def test_an_add_on_on_a_scheduled_start_renews_then(self, world):
        actor = world.account()
        world.buy(actor, "salesforce")
        soon = datetime(2026, 4, 20, tzinfo=UTC)
        mine = InstanceRow.account_id == actor.account_id
        world.change(update(InstanceRow).where(mine).values(starts_at=soon, status="scheduled"))
        kept = choose(world, actor, card_choices.remove, rows(world, actor)[0].id)
        assert next((r.name, r.at) for r in kept.renewals) == ("Salesforce connector", soon)

    @pytest.mark.parametrize("status", ["started", "needs_authentication"])
    def test_a_payment_under_way_keeps_its_card_until_it_ends(self, world, status):
        actor = world.account()
        world.buy(actor, "salesforce")
        second = add(world, actor, "mastercard")
        mine = PaymentAttemptRow.account_id == actor.account_id
        waits = {"status": status, "finished_at": None, "payment_method_id": second}
        world.change(update(PaymentAttemptRow).where(mine).values(**waits))
        assert choose(world, actor, card_choices.remove, second) == Kept(KeptFor.PAYMENT)
        ended = update(PaymentAttemptRow).where(mine).values(status="succeeded")
        world.change(ended)
        assert isinstance(choose(world, actor, card_choices.remove, second), Removed)

    @pytest.mark.parametrize("fault", [Fault.OUTAGE, Fault.ANSWER_LOST])
    def test_without_an_answer_it_stays_until_there_is_one(self, world, fault):
        actor = world.account()
        second = add(world, actor, "mastercard")
        world.gateway.fail_next("remove_card", fault)
        with pytest.raises(PaymentsUnavailable):
            choose(world, actor, card_choices.remove, second)
        assert live(world, actor) == [("4242", True), ("4444", False)]
        if fault is Fault.ANSWER_LOST:
            sync(world, reference(world, second))
        else:
            choose(world, actor, card_choices.remove, second)
        assert live(world, actor) == [("4242", True)]

    def test_removing_takes_along_what_an_earlier_saving_left_at_the_processor(self, world):
        actor = world.account()
        add(world, actor, "mastercard")
        world.gateway.fail_next("remove_card", Fault.OUTAGE)
        again = add(world, actor, "mastercard")
        left = rows(world, actor)[1].stripe_payment_method_id
        assert world.gateway.read_card(left).customer_ref
        choose(world, actor, card_choices.remove, again)
        assert world.gateway.read_card(left).customer_ref is None

    def test_6_at_once_are_recorded_once(self, world):
        actor = world.account()
        second = add(world, actor, "mastercard")
        with ThreadPoolExecutor(6) as pool:
            told = list(
                pool.map(lambda _: choose(world, actor, card_choices.remove, second), range(6))
            )
        assert {type(one) for one in told} == {Removed}
        assert [name for name, _ in facts(world, actor)].count("card:removed") == 1


def end_plan(world: World, actor: Actor) -> None:
    mine = SubscriptionRow.account_id == actor.account_id
    world.change(update(SubscriptionRow).where(mine).values(ended_at=world.now))


def test_a_list_of_cards_is_two_statements_however_many_there_are(world):
    actor = world.account()
    paying = add(world, actor, "mastercard")
    outcome = world.confirm(actor, world.accept(world.quote(actor, "messages_10k")), paying)
    add(world, actor, "chargeCustomerFail")
    mine = PaymentAttemptRow.purchase_id == outcome.purchase_id
    world.change(update(PaymentAttemptRow).where(mine).values(status="started"))
    state, found = world.state(actor), []

    def read(session) -> None:
        found.extend(listed_cards(session, actor, state, APRIL_11.date()))

    assert statements(world, read) == 2
    kept = {f.card.last4: f.kept and f.kept.reason for f in found}
    assert kept == {"4242": KeptFor.RENEWALS, "0341": None, "4444": KeptFor.PAYMENT}
