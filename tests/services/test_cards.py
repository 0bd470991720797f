"""Adding cards: each once, one default, the same in whatever order the news of it comes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.errors import Forbidden, NotFound, PaymentsUnavailable
from portal.domain.payments import SavedCard
from portal.gateways.fake_payments import FakePayments, Fault
from portal.models.accounts import PaymentMethodRow
from portal.models.events import EventRow
from portal.services import card_choices, cards
from portal.services.card_entry import Added, Lapsed, Renewed, Unfinished
from tests.support.cards import (
    add,
    begin,
    choose,
    expire,
    facts,
    finish,
    live,
    reference,
    rows,
    sync,
    till,
)
from tests.support.world import APRIL_11, World


@pytest.fixture
def world(shop: World) -> World:
    shop.now, shop.gateway = APRIL_11, FakePayments()
    return shop


class TestAdding:
    def test_a_first_card_becomes_the_default_here_and_at_the_processor(self, world):
        actor = world.account(card=None)
        card_id = add(world, actor)
        assert live(world, actor) == [("4242", True)]
        customer = world.customer(actor.account_id)
        assert world.gateway.defaults == {customer: reference(world, card_id)}
        me = f"person:{actor.person_id}"
        assert facts(world, actor) == [("card:added", me), ("card:preferred", me)]

    def test_the_page_says_whose_it_is_and_lives_33_minutes(self, world):
        actor = world.account(card=None)
        page = world.gateway.read_page(begin(world, actor))
        assert page.labels == {
            "environment_id": str(world.scope.environment_id),
            "account_id": str(actor.account_id),
            "person_id": str(actor.person_id),
            "purpose": "card",
        }
        asked = world.gateway._books.pages[page.reference].asked
        assert asked.expires_at == datetime(2026, 4, 11, 0, 33, tzinfo=UTC)
        assert asked.customer_ref == world.customer(actor.account_id)

    def test_a_second_card_leaves_the_default_alone(self, world):
        actor = world.account()
        add(world, actor, "mastercard")
        assert live(world, actor) == [("4242", True), ("4444", False)]

    @pytest.mark.parametrize("name", ["visa", "mastercard"])
    @pytest.mark.parametrize("why", ["expired", "none"])
    def test_a_new_card_takes_over_from_an_expired_default_or_none(self, world, why, name):
        actor = world.account()
        (old,) = rows(world, actor)
        if why == "expired":
            expire(world, old.id)
        else:
            mine = PaymentMethodRow.id == old.id
            world.change(update(PaymentMethodRow).where(mine).values(is_default=False))
        add(world, actor, name)
        assert live(world, actor)[-1][1]
        assert [default for _, default in live(world, actor)].count(True) == 1

    def test_the_month_of_an_expired_default_ends_in_the_accounts_zone(self, world):
        actor = world.account(zone="Pacific/Honolulu")
        (old,) = rows(world, actor)
        expire(world, old.id)
        world.now = datetime(2026, 4, 1, 5, tzinfo=UTC)  # 31 March there
        add(world, actor, "mastercard")
        assert live(world, actor) == [("4242", True), ("4444", False)]

    def test_the_webhook_may_come_before_the_return_and_both_again(self, world):
        actor = world.account(card=None)
        page = begin(world, actor)
        world.gateway.save_on_page(page)
        told = [finish(world, page, who) for who in (None, actor, None, actor)]
        assert {type(one) for one in told} == {Added}
        assert live(world, actor) == [("4242", True)]
        assert facts(world, actor) == [("card:added", "stripe"), ("card:preferred", "stripe")]
        with world.session() as session:
            added = session.scalars(select(EventRow).where(EventRow.name == "card:added")).all()
        assert added[-1].person_id == actor.person_id

    def test_the_return_8_webhooks_and_the_attached_event_at_once(self, world):
        actor = world.account(card=None)
        page = begin(world, actor)
        saved = world.gateway.save_on_page(page)
        steps = [lambda who=who: finish(world, page, who) for who in [actor, None] * 4]
        steps += [lambda: sync(world, saved.reference)] * 4
        with ThreadPoolExecutor(12) as pool:
            list(pool.map(lambda step: step(), steps))
        assert live(world, actor) == [("4242", True)]
        assert [name for name, _ in facts(world, actor)] == ["card:added", "card:preferred"]

    def test_two_different_cards_at_once_leave_one_default(self, world):
        actor = world.account(card=None)
        pages = [begin(world, actor) for _ in range(2)]
        for page, name in zip(pages, ("visa", "mastercard"), strict=True):
            world.gateway.save_on_page(page, name)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda page: finish(world, page), pages * 4))
        assert sorted(default for _, default in live(world, actor)) == [False, True]

    def test_an_open_page_can_be_gone_on_with_and_an_expired_one_cannot(self, world):
        actor = world.account()
        page = begin(world, actor)
        assert finish(world, page, actor) == Unfinished(f"https://checkout.test/{page}")
        world.gateway.expire_page(page)
        assert finish(world, page, actor) == Lapsed()
        assert len(rows(world, actor)) == 1

    def test_a_page_of_another_account_environment_or_purpose_is_nobodys(self, world):
        mine, theirs = world.account(), world.account()
        page = begin(world, mine)
        world.gateway.save_on_page(page, "mastercard")
        asked = world.gateway._books.pages[page].asked
        with pytest.raises(NotFound):
            finish(world, page, theirs)
        for label in ({"environment_id": "999"}, {"purpose": "payment"}, {"account_id": "999"}):
            good = dict(asked.labels)
            asked.labels.update(label)
            for who in (mine, None):
                with pytest.raises(NotFound):
                    finish(world, page, who)
            asked.labels.update(good)
        with pytest.raises(NotFound):
            finish(world, "cs_nonsense", mine)
        assert live(world, mine) == live(world, theirs) == [("4242", True)]

    def test_a_member_may_not_add_a_card(self, world):
        owner = world.account()
        member = world.member(owner.account_id, "adds@cards.test", Role.MEMBER)
        with pytest.raises(Forbidden):
            begin(world, member)

    def test_a_processor_that_is_down_opens_nothing(self, world):
        actor = world.account()
        world.gateway.fail_next("open_card_entry", Fault.OUTAGE)
        with pytest.raises(PaymentsUnavailable):
            begin(world, actor)
        assert facts(world, actor, "card_entry:") == []


class TestTheSameCardAgain:
    def test_it_takes_the_older_ones_place_as_default_too(self, world):
        actor = world.account()
        (old,) = rows(world, actor)
        world.pass_time(days=1)
        page = begin(world, actor)
        world.gateway.save_on_page(page)
        for who in (None, actor, actor):
            assert isinstance(finish(world, page, who), Renewed)
        assert live(world, actor) == [("4242", True)]
        assert world.gateway.read_card(old.stripe_payment_method_id).customer_ref is None
        names = [name for name, _ in facts(world, actor)]
        assert names[2:] == ["card:replaced", "card:added", "card:preferred"]

    def test_one_that_was_removed_before_is_new(self, world):
        actor = world.account()
        add(world, actor, "mastercard")
        choose(world, actor, card_choices.remove, rows(world, actor)[1].id)
        world.pass_time(days=1)
        page = begin(world, actor)
        world.gateway.save_on_page(page, "mastercard")
        assert isinstance(finish(world, page, actor), Added)

    def test_a_late_word_of_the_older_one_does_not_bring_it_back(self, world):
        actor = world.account()
        (old,) = rows(world, actor)
        world.gateway.fail_next("remove_card", Fault.OUTAGE)
        add(world, actor)
        assert world.gateway.read_card(old.stripe_payment_method_id).customer_ref is not None
        sync(world, old.stripe_payment_method_id)
        assert [r.detached_at is None for r in rows(world, actor)] == [False, True]
        assert world.gateway.read_card(old.stripe_payment_method_id).customer_ref is None

    def test_many_of_the_same_number_at_once_leave_one(self, world):
        actor = world.account(card=None)
        pages = [begin(world, actor) for _ in range(4)]
        for page in pages:
            world.gateway.save_on_page(page)
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda page: finish(world, page), pages * 2))
        assert live(world, actor) == [("4242", True)]

    def test_two_accounts_may_have_the_same_card(self, world):
        one, other = world.account(), world.account()
        assert live(world, one) == live(world, other) == [("4242", True)]

    def test_a_card_without_a_fingerprint_is_the_same_as_none(self, world):
        actor = world.account(card=None)
        for number in range(2):
            with till(world, actor) as mine:
                bare = SavedCard(f"pm_bare{actor.account_id}{number}", "visa", "1", 1, 2030, "")
                cards.keep(mine, actor.account_id, bare)
                mine.session.commit()
        assert live(world, actor) == [("1", True), ("1", False)]

    def test_a_card_of_another_account_is_not_kept(self, world):
        mine, theirs = world.account(), world.account()
        (row,) = rows(world, mine)
        known = SavedCard(row.stripe_payment_method_id, "visa", "4242", 1, 2030, "f")
        with till(world, theirs) as other, pytest.raises(NotFound):
            cards.keep(other, theirs.account_id, known)
