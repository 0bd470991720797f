"""What the processor says of cards and customers, and the account's one customer there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import text, update

from portal.domain.access import Actor
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.payments import CardNews, SavedCard
from portal.gateways.fake_payments import FakePayments, Fault
from portal.models.accounts import AccountRow, PaymentMethodRow
from portal.models.events import EventRow
from portal.services import accounts, cards
from portal.services.card_entry import TakenAway
from tests.support.cards import add, begin, facts, finish, live, rows, sync, till
from tests.support.world import APRIL_11, World


@pytest.fixture
def world(shop: World) -> World:
    shop.now, shop.gateway = APRIL_11, FakePayments()
    return shop


class TestNewsFromTheProcessor:
    def test_a_card_attached_in_the_dashboard_is_kept(self, world):
        actor = world.account()
        customer = world.customer(actor.account_id)
        saved = world.gateway.save_card(customer, "pm_card_mastercard", f"dash-{customer}")
        sync(world, saved.reference)
        assert live(world, actor) == [("4242", True), ("4444", False)]
        assert facts(world, actor)[-1] == ("card:added", "stripe")

    def test_new_dates_are_followed(self, world, monkeypatch):
        actor = world.account()
        (row,) = rows(world, actor)
        told(world, monkeypatch, row, exp_month=7, exp_year=2031)
        for _ in range(2):
            sync(world, row.stripe_payment_method_id)
        (row,) = rows(world, actor)
        assert (row.exp_month, row.exp_year, row.is_default) == (7, 2031, True)
        assert [name for name, _ in facts(world, actor)].count("card:updated") == 1

    def test_a_new_number_that_was_saved_already_joins_the_two(self, world, monkeypatch):
        actor = world.account()
        add(world, actor, "mastercard")
        visa, mastercard = rows(world, actor)
        number = mastercard.fingerprint
        told(world, monkeypatch, visa, last4="4444", brand="mastercard", fingerprint=number)
        sync(world, visa.stripe_payment_method_id)
        assert [(r.last4, r.is_default) for r in rows(world, actor) if not r.detached_at] == [
            ("4444", True)
        ]
        assert rows(world, actor)[0].detached_at is not None

    def test_one_detached_there_is_gone_here_and_nothing_takes_its_place(self, world):
        actor = world.account()
        add(world, actor, "mastercard")
        first = rows(world, actor)[0].stripe_payment_method_id
        world.gateway.remove_card(first)
        for _ in range(2):
            sync(world, first)
        assert live(world, actor) == [("4444", False)]
        assert facts(world, actor)[-1] == ("card:detached", "stripe")

    def test_every_order_of_the_events_of_a_card_that_went_again_ends_the_same(self, world):
        actor = world.account()
        page = begin(world, actor)
        saved = world.gateway.save_on_page(page, "mastercard")
        world.gateway.remove_card(saved.reference)
        attached = detached = saved.reference
        steps = {
            "completed": lambda: finish(world, page),
            "attached": lambda: sync(world, attached),
            "detached": lambda: sync(world, detached),
        }
        for order in permutations(steps):
            for step in order:
                steps[step]()
            assert live(world, actor) == [("4242", True)], order
        assert finish(world, page, actor) == TakenAway()

    def test_what_is_gone_between_the_page_and_the_reading_is_not_kept(self, world, monkeypatch):
        actor = world.account()
        page = begin(world, actor)
        world.gateway.save_on_page(page, "mastercard")
        read = world.gateway.read_card

        def too_late(card_ref: str) -> CardNews:
            world.gateway.remove_card(card_ref)
            return read(card_ref)

        monkeypatch.setattr(world.gateway, "read_card", too_late)
        assert finish(world, page, actor) == TakenAway()
        assert live(world, actor) == [("4242", True)]

    def test_unknown_customers_and_cards_are_ignored(self, world):
        world.account()
        stranger = world.gateway.save_card("cus_stranger", "pm_card_visa", "stranger")
        before = world.rows(PaymentMethodRow), world.rows(EventRow)
        for card_ref in (stranger.reference, "pm_nobody"):
            sync(world, card_ref)
        with till(world) as theirs:
            cards.forget_customer(theirs, "cus_stranger")
        assert (world.rows(PaymentMethodRow), world.rows(EventRow)) == before

    def test_an_outage_is_for_the_inbox_to_repeat(self, world):
        actor = world.account()
        (row,) = rows(world, actor)
        world.gateway.fail_next("read_card", Fault.OUTAGE)
        with pytest.raises(PaymentsUnavailable):
            sync(world, row.stripe_payment_method_id)
        assert live(world, actor) == [("4242", True)]


class TestTheCustomer:
    def test_a_deleted_one_takes_its_cards_along_and_the_next_is_another(self, world):
        actor = world.account()
        seen = [world.customer(actor.account_id)]
        for _ in range(2):
            for _ in range(2):
                with till(world) as theirs:
                    cards.forget_customer(theirs, seen[-1])
            assert live(world, actor) == []
            assert world.customer(actor.account_id) == ""
            add(world, actor)
            seen.append(world.customer(actor.account_id))
        assert len(set(seen)) == 3
        assert facts(world, actor, "customer:") == [("customer:deleted", "stripe")] * 2

    def test_6_words_of_it_at_once_are_recorded_once(self, world):
        actor = world.account()
        customer = world.customer(actor.account_id)

        def forget(_: int) -> None:
            with till(world) as theirs:
                cards.forget_customer(theirs, customer)

        with ThreadPoolExecutor(6) as pool, world.session() as holder:
            holder.get(
                AccountRow, (world.scope.environment_id, actor.account_id), with_for_update=True
            )
            words = [pool.submit(forget, number) for number in range(6)]
            while waiting(world) < len(words):
                pass
            holder.commit()
            for word in words:
                word.result()
        assert facts(world, actor, "customer:") == [("customer:deleted", "stripe")]

    def test_a_page_of_a_deleted_one_saves_nothing(self, world):
        actor = world.account()
        page = begin(world, actor)
        saved = world.gateway.save_on_page(page, "mastercard")
        with till(world) as theirs:
            cards.forget_customer(theirs, world.customer(actor.account_id))
        for who in (actor, None):
            with pytest.raises(NotFound):
                finish(world, page, who)
        sync(world, saved.reference)
        assert live(world, actor) == []

    def test_8_at_once_end_with_one(self, world):
        actor = fresh(world)
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda _: ensure(world, actor, "one@cards.test"), range(8)))
        assert set(told) == {world.customer(actor.account_id)}
        assert len(customers(world)) == 1

    def test_two_members_at_once_end_with_the_one_that_was_stored(self, world):
        actor = fresh(world)
        mails = ["one@cards.test", "two@cards.test"] * 4
        with ThreadPoolExecutor(8) as pool:
            told = list(pool.map(lambda mail: ensure(world, actor, mail), mails))
        assert set(told) == {world.customer(actor.account_id)}

    def test_another_member_can_go_on_where_an_answer_was_lost(self, world):
        actor = fresh(world)
        world.gateway.fail_next("create_customer", Fault.ANSWER_LOST)
        with pytest.raises(PaymentsUnavailable):
            ensure(world, actor, "one@cards.test")
        assert ensure(world, actor, "two@cards.test") == world.customer(actor.account_id)


def waiting(world: World) -> int:
    """How many sessions wait for a lock."""
    with world.session() as session:
        asked = "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        return session.scalar(text(f"{asked} and datname = current_database()"))


def fresh(world: World) -> Actor:
    """An account that has no customer at the processor."""
    actor = world.account(card=None)
    mine = AccountRow.id == actor.account_id
    world.change(update(AccountRow).where(mine).values(stripe_customer_id=None))
    world.gateway = FakePayments()
    return actor


def ensure(world: World, actor: Actor, mail: str) -> str:
    with world.session() as session:
        return accounts.ensure_customer(session, world.scope, actor.account_id, mail, world.gateway)


def customers(world: World) -> list[str]:
    """Keys under which customers were made."""
    kept = world.gateway._books.kept
    return [key for key, (request, _) in kept.items() if request[0] == "customer"]


def told(world: World, monkeypatch, row: PaymentMethodRow, **changes: Any) -> None:
    """Let the processor say something else of a card."""
    names = ("brand", "last4", "exp_month", "exp_year", "fingerprint")
    known = {name: getattr(row, name) for name in names} | changes
    card = SavedCard(row.stripe_payment_method_id, **known)
    owner = world.customer(row.account_id)
    monkeypatch.setattr(world.gateway, "read_card", lambda _: CardNews(card, owner))
