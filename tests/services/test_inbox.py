"""News from the processor: stored first, acted on once, whatever comes and in whatever order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.domain.access import Actor
from portal.domain.errors import NotFound, PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import Charge, PaymentNews
from portal.gateways.fake_payments import FakePayments, Fault
from portal.models.events import EventRow, StripeEventRow
from portal.models.invoices import InvoiceRow
from portal.models.ledger import TransferRow
from portal.services.inbox import receive, waiting
from portal.services.reconciling import Reconciled, reconcile
from portal.services.verifying import verify
from tests.support.database import clone
from tests.support.world import APRIL_11, World


@dataclass
class SilentPayments(FakePayments):
    """Answers charges, but cannot be asked about payments while `silent`."""

    silent: bool = False

    def __post_init__(self) -> None:
        super().__init__()

    def read_payment(self, reference: str) -> PaymentNews:
        if self.silent:
            raise PaymentsUnavailable("nobody answers")
        return super().read_payment(reference)


@dataclass
class News:
    """An event as the webhook gateway hands it over."""

    id: str
    type: str
    payload: dict[str, Any] = field(default_factory=dict)
    ignored: bool = False


@pytest.fixture(scope="module")
def shop(demo_template: str) -> Iterator[World]:
    """One database for the module; every test takes accounts of its own."""
    with clone(demo_template) as database:
        world = World(database.app_url, gateway=SilentPayments())
        yield world
        world.engine.dispose()


@pytest.fixture
def world(shop: World) -> Iterator[World]:
    """After every test the books agree and no event of it waits, unless it said so."""
    shop.now = APRIL_11
    shop.gateway.silent = False
    yield shop
    with shop.session() as session:
        assert verify(session, shop.scope) == []
        for event_id in waiting(session, shop.scope):
            session.delete(session.get_one(StripeEventRow, (shop.scope.environment_id, event_id)))
        session.commit()


def about(reference: str, kind: str = "payment_intent.succeeded", number: int = 1) -> News:
    thing = {"object": "payment_intent", "id": reference}
    return News(f"evt_{number}_{kind}_{reference}", kind, {"data": {"object": thing}})


def deliver(world: World, news: News) -> bool:
    with world.session() as session:
        return receive(session, world.scope, news, gateway=world.gateway, wall=world.wall)


def row(world: World, news: News) -> StripeEventRow:
    with world.session() as session:
        return session.get_one(StripeEventRow, (world.scope.environment_id, news.id))


def still_waiting(world: World) -> list[str]:
    with world.session() as session:
        return waiting(session, world.scope)


def run_reconcile(world: World, after: timedelta = timedelta(days=365 * 9)) -> Reconciled:
    """Long after: rows carry the database's own created_at."""
    with world.session() as session:
        now = type(world)(world.app_url, world.now + after).wall
        return reconcile(session, world.scope, gateway=world.gateway, wall=now)


def lost_purchase(world: World, add_on: str = "salesforce") -> tuple[Actor, Charge, str]:
    """Money was taken and the answer got lost: who, the charge, and the payment's id."""
    actor = world.account()
    world.gateway.answers.append(Fault.ANSWER_LOST)
    world.buy(actor, add_on)
    charge = world.gateway.taken[-1]
    found = world.gateway.find_payment(charge, 3600)
    assert found is not None
    return actor, charge, str(getattr(found.outcome, "reference", ""))


def issued(world: World, actor: Actor) -> int:
    with world.session() as session:
        mine = select(func.count()).select_from(InvoiceRow).filter_by(account_id=actor.account_id)
        return session.scalar(mine) or 0


def outcome(world: World, actor: Actor) -> tuple[Any, ...]:
    """All that a customer or a bookkeeper could tell two histories apart by."""
    state = world.state(actor)
    with world.session() as session:
        transfers = session.execute(
            select(TransferRow.debit, TransferRow.credit, TransferRow.amount_minor)
            .filter_by(account_id=actor.account_id)
            .order_by(TransferRow.debit, TransferRow.credit)
        ).all()
        facts = session.scalars(
            select(EventRow.name).filter_by(account_id=actor.account_id).order_by(EventRow.id)
        ).all()
    return (
        [(i.add_on.lookup_key, i.phase) for i in state.instances],
        issued(world, actor),
        list(map(tuple, transfers)),
        list(facts),
        state.balance,
    )


def test_a_payment_that_succeeded_settles_its_purchase_once(world):
    actor, _, reference = lost_purchase(world)
    news = about(reference)
    assert [deliver(world, news), deliver(world, news)] == [True, False]
    assert deliver(world, about(reference, number=2)), "another event of the same payment"
    assert issued(world, actor) == 1
    assert [i.add_on.lookup_key for i in world.state(actor).held] == ["salesforce"]
    assert row(world, news).processed_at == world.now


@pytest.mark.parametrize("kind", ["charge.refunded", "customer.deleted", "a.type.of.tomorrow"])
def test_an_unknown_type_is_kept_whole_and_done_with(world, kind):
    payload = {"data": {"object": {"object": kind.split(".")[0], "id": "x_1"}}, "extra": [1, "ü"]}
    news = News(f"evt_{kind}", kind, payload)
    assert deliver(world, news)
    stored = row(world, news)
    assert (stored.type, stored.payload, stored.failure) == (kind, payload, "")
    assert stored.processed_at == world.now


def test_an_event_of_a_connected_account_is_kept_and_never_acted_on(world):
    actor, _, reference = lost_purchase(world)
    news = replace(about(reference), ignored=True)
    deliver(world, news)
    assert row(world, news).processed_at == world.now
    assert issued(world, actor) == 0
    deliver(world, about(reference, number=2))
    assert issued(world, actor) == 1


@pytest.mark.parametrize("environment", ["", "999999"])
def test_a_payment_of_another_installation_is_none_of_ours(world, environment):
    actor, charge, _ = lost_purchase(world)
    foreign = copy_of(world, charge, environment_id=environment)
    deliver(world, about(foreign))
    assert still_waiting(world) == []
    assert issued(world, actor) == 0


BROKEN = {
    "no purchase": {"purchase_id": ""},
    "words for a purchase": {"purchase_id": "salesforce"},
    "a purchase there never was": {"purchase_id": "999999999"},
    "no account": {"account_id": ""},
    "another attempt": {"attempt": "somebody-elses-key"},
}


@pytest.mark.parametrize("labels", BROKEN.values(), ids=BROKEN)
def test_a_payment_whose_labels_do_not_fit_waits_and_says_why(world, labels):
    actor, charge, _ = lost_purchase(world)
    news = about(copy_of(world, charge, **labels))
    deliver(world, news)
    assert row(world, news).failure.startswith("NotFound: ")
    assert still_waiting(world) == [news.id]
    assert issued(world, actor) == 0


@pytest.mark.parametrize("amount", [Money(1, "usd"), Money(3333, "eur"), Money(3334, "usd")])
def test_a_payment_of_another_amount_waits_and_unlocks_nothing(world, amount):
    actor, charge, reference = lost_purchase(world)
    wrong = replace(charge, amount=replace(amount, minor=max(amount.minor, 50)))
    news = about(pay(world, wrong))
    deliver(world, news)
    assert row(world, news).failure.startswith("Conflict: ")
    assert (issued(world, actor), still_waiting(world)) == (0, [news.id])
    deliver(world, about(reference))
    assert issued(world, actor) == 1, "the right one still settles"


KINDS = ("payment_intent.succeeded", "payment_intent.payment_failed", "charge.succeeded")


def test_every_order_of_delivery_ends_in_the_same_state(world):
    ends = []
    for order in permutations(KINDS):
        actor, _, reference = lost_purchase(world, "messages_10k")
        for kind in order:
            deliver(world, about(reference, kind))
        ends.append(outcome(world, actor))
    assert all(end == ends[0] for end in ends)
    assert ends[0][1] == 1
    assert still_waiting(world) == []


def test_old_news_of_a_decline_changes_nothing_once_the_purchase_has_failed(world):
    actor = world.account(card="pm_card_chargeCustomerFail")
    world.buy(actor, "salesforce")
    before = outcome(world, actor)
    declined = world.gateway.find_payment(world.gateway.calls[-1], 3600)
    assert declined is not None
    for kind in KINDS:
        deliver(world, about(str(getattr(declined.outcome, "reference", "")), kind))
    assert outcome(world, actor) == before
    assert still_waiting(world) == []


def test_an_outage_leaves_the_event_waiting_and_reconcile_picks_it_up(world):
    actor, _, reference = lost_purchase(world)
    world.gateway.silent = True
    news = about(reference)
    deliver(world, news)
    assert row(world, news).failure == "PaymentsUnavailable: nobody answers"
    assert issued(world, actor) == 0
    assert deliver(world, news) is False, "a repeat tries again and fails again"
    world.gateway.silent = False
    assert run_reconcile(world, after=-timedelta(days=9)) == Reconciled(0, 1, 0)
    stored = row(world, news)
    assert (stored.failure, still_waiting(world)) == ("", [])
    assert issued(world, actor) == 1


def test_a_repeated_delivery_after_an_outage_settles_too(world):
    actor, _, reference = lost_purchase(world)
    world.gateway.silent = True
    news = about(reference)
    deliver(world, news)
    world.gateway.silent = False
    assert deliver(world, news) is False
    assert (issued(world, actor), still_waiting(world)) == (1, [])


def test_one_event_that_can_never_be_used_does_not_hold_up_the_others(world):
    actor, _, reference = lost_purchase(world)
    world.gateway.silent = True
    good = about(reference)
    for news in (about("pi_unknown"), good, about("pi_unknown", number=2)):
        deliver(world, news)
    world.gateway.silent = False
    assert run_reconcile(world, after=-timedelta(days=9)) == Reconciled(0, 3, 2)
    assert issued(world, actor) == 1
    assert len(still_waiting(world)) == 2


def test_news_before_the_answer_and_the_answer_after_it_settle_once(world):
    actor, charge, reference = lost_purchase(world)
    deliver(world, about(reference))
    taken = len(world.gateway.taken)
    assert run_reconcile(world).still_open == 0
    assert (issued(world, actor), len(world.gateway.taken)) == (1, taken)
    assert charge in world.gateway.taken


def copy_of(world: World, charge: Charge, **labels: str) -> str:
    """Another payment, as `charge` was but for some labels; an empty one is left out."""
    said = {name: text for name, text in (charge.labels | labels).items() if text}
    return pay(world, replace(charge, labels=said))


def pay(world: World, charge: Charge) -> str:
    world.count += 1
    paid = world.gateway.charge(replace(charge, key=f"other-{world.count}"))
    reference = str(getattr(paid, "reference", ""))
    if not reference:
        raise NotFound("payment")
    return reference
