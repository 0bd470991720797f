"""Buying an add-on: what is charged, what is unlocked, and that both happen once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from portal.domain.access import Role
from portal.domain.declines import DeclineReason
from portal.domain.errors import Forbidden, NotFound
from portal.domain.money import Money
from portal.domain.taxes import Tax
from portal.gateways.fake_payments import Fault
from portal.models.accounts import AccountRow
from portal.models.catalog import PriceRow
from portal.models.invoices import InvoiceLineRow, InvoiceRow
from portal.models.ledger import AccountBalanceRow, TransferRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow, QuoteRow
from portal.models.subscriptions import InstanceRow, SubscriptionRow
from portal.queries.usage import meters
from portal.services import charging
from portal.services.accepting import QuoteChanged
from portal.services.charging import Pending, Settled, Unpaid
from portal.services.inbox import receive
from portal.services.purchases import Refused
from portal.services.reconciling import reconcile
from portal.services.verifying import verify
from portal.services.waiting import stop
from tests.support.world import World

NOTHING = (PurchaseRow, QuoteRow, InstanceRow, PaymentAttemptRow, TransferRow, InvoiceRow)


def charged(world: World) -> list[int]:
    return [charge.amount.minor for charge in world.gateway.taken]


def left(world, actor, feature) -> Decimal | None:
    with world.session() as session:
        found = meters(session, world.scope, world.state(actor))
    return next(m.left for m in found if m.feature.lookup_key == feature)


def books_agree(world: World) -> bool:
    with world.session() as session:
        return verify(session, world.scope) == []


def test_a_connector_with_20_of_30_days_left_costs_33_33_now_and_50_later(world):
    actor = world.account()
    quote = world.quote(actor, "salesforce")
    assert quote.charged == Money(3333, "usd")
    assert quote.going_forward.amount == Money(5000, "usd")
    assert quote.going_forward.next_at == datetime(2026, 5, 1, tzinfo=UTC)
    outcome = world.confirm(actor, world.accept(quote))
    assert isinstance(outcome, Settled)
    assert charged(world) == [3333]
    with world.session() as session:
        line = session.scalars(select(InvoiceLineRow)).one()
        invoice = session.scalars(select(InvoiceRow)).one()
    assert (line.amount_minor, invoice.charged_minor, invoice.number) == (3333, 3333, 1)
    assert "$50.00 × 20 of 30 days (1,728,000 of 2,592,000 s) = $33.33" in line.working_text
    assert [i.add_on.lookup_key for i in world.state(actor).held] == ["salesforce"]
    assert books_agree(world)


def test_a_message_pack_raises_the_allowance_at_once(world):
    actor = world.account()
    world.buy(actor, "messages_100k")
    assert charged(world) == [4900]
    assert left(world, actor, "messages") == 100_000
    world.buy(actor, "messages_100k", quantity=2)
    assert charged(world) == [4900, 9800]
    assert left(world, actor, "messages") == 300_000


def test_the_same_acceptance_twice_buys_once(world):
    actor = world.account()
    accepted = world.accept(world.quote(actor, "salesforce"))
    first, again = world.confirm(actor, accepted), world.confirm(actor, accepted)
    assert first == again
    assert charged(world) == [3333]
    assert world.rows(InstanceRow) == world.rows(InvoiceRow) == 1


def test_12_concurrent_posts_of_one_form_buy_once(world):
    actor = world.account()
    accepted = world.accept(world.quote(actor, "salesforce"))
    with ThreadPoolExecutor(12) as pool:
        outcomes = list(pool.map(lambda _: world.confirm(actor, accepted), range(12)))
    assert {type(outcome) for outcome in outcomes} == {Settled}
    assert charged(world) == [3333]
    assert world.rows(InstanceRow) == world.rows(InvoiceRow) == world.rows(PurchaseRow) == 1


def test_two_tabs_of_a_onetime_add_on_cannot_both_win(world):
    actor = world.account()
    tabs = [world.accept(world.quote(actor, "sla_support")) for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(lambda accepted: world.confirm(actor, accepted), tabs))
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds.count(Settled) == 1
    assert kinds.count(Refused) == 5
    assert len(charged(world)) == world.rows(InstanceRow) == 1


def test_two_different_add_ons_at_one_instant_are_two_charges(world):
    actor = world.account()
    world.buy(actor, "salesforce")
    world.buy(actor, "zendesk")
    assert len(charged(world)) == world.rows(InvoiceRow) == 2
    assert books_agree(world)


def test_a_stale_acceptance_is_refused_by_the_clock(world):
    actor = world.account()
    accepted = world.accept(world.quote(actor, "salesforce"))
    world.pass_time(minutes=14, seconds=59)
    ok = world.accept(world.quote(actor, "zendesk"))
    assert isinstance(world.confirm(actor, accepted), Settled)
    world.pass_time(minutes=15)
    assert world.confirm(actor, ok) == QuoteChanged(expired=True, shown_due=ok.shown_due)
    assert world.rows(InstanceRow) == 1


def test_an_acceptance_never_outlives_its_period(world):
    world.now = datetime(2026, 4, 30, 23, 59, 30, tzinfo=UTC)
    actor = world.account()
    accepted = world.accept(world.quote(actor, "messages_100k"))
    world.pass_time(seconds=30)
    assert isinstance(world.confirm(actor, accepted), QuoteChanged)
    assert [world.rows(table) for table in NOTHING] == [0] * 6


CHANGES = {
    "price": (
        update(PriceRow)
        .where(PriceRow.lookup_key == "salesforce_monthly_usd")
        .values(amount=Decimal(60))
    ),
    "tax": update(AccountRow).values(tax_rate=Decimal(20), tax_label="VAT"),
    "anchor": update(SubscriptionRow).values(billing_anchor_at=datetime(2026, 4, 2, tzinfo=UTC)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_since_the_page_was_shown_charges_nothing(world, what):
    actor = world.account()
    accepted = world.accept(world.quote(actor, "salesforce"))
    world.change(CHANGES[what])
    assert world.confirm(actor, accepted) == QuoteChanged(False, accepted.shown_due)
    assert [world.rows(table) for table in NOTHING] == [0] * 6
    assert charged(world) == []


def test_a_tampered_request_is_not_what_was_shown(world):
    actor = world.account()
    honest = world.accept(world.quote(actor, "messages_100k"))
    dear = world.quote(actor, "messages_100k", quantity=3)
    forged = replace(honest, request=dear.request)
    assert isinstance(world.confirm(actor, forged), QuoteChanged)
    assert charged(world) == []


def test_a_member_may_not_buy(world):
    actor = world.account(role=Role.MEMBER)
    quote = world.quote(actor, "salesforce")
    with pytest.raises(Forbidden):
        world.confirm(actor, world.accept(quote))
    assert [world.rows(table) for table in NOTHING] == [0] * 6


def test_another_accounts_nonce_is_nobodys(world):
    mine, theirs = world.account(), world.account()
    accepted = world.accept(world.quote(mine, "salesforce"))
    world.confirm(mine, accepted)
    with pytest.raises(NotFound):
        world.confirm(theirs, accepted)
    assert len(charged(world)) == 1


DECLINES = {
    "pm_card_chargeCustomerFail": DeclineReason.REFUSED,
    "pm_card_radarBlock": DeclineReason.REFUSED,
}


@pytest.mark.parametrize("card", DECLINES)
def test_a_decline_unlocks_nothing_and_can_be_tried_again(world, card):
    actor = world.account(card=card)
    accepted = world.accept(world.quote(actor, "salesforce"))
    outcome = world.confirm(actor, accepted)
    assert isinstance(outcome, Unpaid)
    with world.session() as session:
        attempt = session.scalars(select(PaymentAttemptRow)).one()
    assert (attempt.status, attempt.reason) == ("declined", DECLINES[card])
    assert world.state(actor).held == ()
    assert world.rows(InvoiceRow) == world.rows(TransferRow) == 0
    assert world.confirm(actor, accepted) == outcome, "the used token explains again"
    assert len(world.gateway.calls) == 1, "and asks the bank no second time"
    assert isinstance(world.buy(actor, "salesforce"), Unpaid), "a new one does"
    assert len(world.gateway.calls) == 2
    assert books_agree(world)


def test_a_card_that_wants_authentication_unlocks_nothing(world):
    actor = world.account(card="pm_card_authenticationRequired")
    assert isinstance(world.buy(actor, "salesforce"), Unpaid)
    assert world.state(actor).held == ()


def test_a_lost_answer_is_settled_once_by_the_repeated_form(world):
    actor = world.account()
    world.gateway.answers.append(Fault.ANSWER_LOST)
    accepted = world.accept(world.quote(actor, "salesforce"))
    assert isinstance(world.confirm(actor, accepted), Pending)
    assert world.state(actor).held == ()
    assert isinstance(world.buy(actor, "sla_support"), Settled), "others are not held up"
    assert isinstance(world.confirm(actor, accepted), Settled)
    assert charged(world) == [3333, 13267]
    assert world.rows(InvoiceRow) == 2


def test_a_lost_answer_is_settled_once_by_reconcile(world):
    actor = world.account()
    world.gateway.answers.append(Fault.ERROR_KEPT)
    world.buy(actor, "salesforce")
    world.pass_time(days=3)  # the processor has forgotten the key by then
    with world.session() as session:
        done = reconcile(session, world.scope, gateway=world.gateway, wall=world.wall)
    assert done.still_open == 0
    assert len(charged(world)) == world.rows(InvoiceRow) == 1
    assert books_agree(world)


def test_killed_between_charge_and_settle_the_webhook_settles_once(world, monkeypatch):
    actor = world.account()
    accepted = world.accept(world.quote(actor, "salesforce"))

    def killed(*_args, **_kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(charging, "settle", killed)
    with pytest.raises(KeyboardInterrupt):
        world.confirm(actor, accepted)
    monkeypatch.undo()
    assert (charged(world), world.state(actor).held) == ([3333], ())
    news = event_of(world)
    for _ in range(3):
        with world.session() as session:
            receive(session, world.scope, news, gateway=world.gateway, wall=world.wall)
    assert isinstance(world.confirm(actor, accepted), Settled)
    assert charged(world) == [3333]
    assert world.rows(InvoiceRow) == 1
    assert len(world.state(actor).held) == 1


def test_20_parallel_deliveries_of_one_event_settle_once(world):
    actor = world.account()
    world.gateway.answers.append(Fault.ANSWER_LOST)
    world.buy(actor, "messages_100k")
    news = event_of(world)

    def deliver(_number: int) -> None:
        with world.session() as session:
            receive(session, world.scope, news, gateway=world.gateway, wall=world.wall)

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(deliver, range(20)))
    assert world.rows(InvoiceRow) == 1
    assert left(world, actor, "messages") == 100_000
    assert books_agree(world)


def test_a_small_amount_is_carried_and_joins_the_next_bill(world):
    world.now = datetime(2026, 4, 30, 22, tzinfo=UTC)
    actor = world.account()
    quote = world.quote(actor, "salesforce")
    assert (quote.charged.minor, quote.carried_out.minor) == (0, 14)
    assert isinstance(world.confirm(actor, world.accept(quote)), Settled)
    assert charged(world) == []
    assert len(world.state(actor).held) == 1
    assert world.state(actor).carried == Money(14, "usd")
    assert books_agree(world)
    world.buy(actor, "messages_100k")
    assert charged(world) == [4914]
    assert world.state(actor).carried == Money(0, "usd")
    assert books_agree(world)


def test_the_balance_pays_first_and_is_given_back_when_a_declined_purchase_is_stopped(world):
    actor = world.account(card="pm_card_chargeCustomerFail")
    give_balance(world, actor, 1000)
    declined = world.buy(actor, "salesforce")
    assert world.gateway.calls[0].amount.minor == 2333
    assert world.state(actor).balance == Money(0, "usd"), "held for another card"
    with world.session() as session:
        stop(
            actor, declined.purchase_id,
            session=session, gateway=world.gateway, wall=world.wall,
        )  # fmt: skip
    assert world.state(actor).balance == Money(1000, "usd")


def test_a_balance_that_covers_everything_needs_no_card(world):
    actor = world.account(card=None)
    give_balance(world, actor, 10_000)
    assert isinstance(world.buy(actor, "messages_100k"), Settled)
    assert world.state(actor).balance == Money(5100, "usd")
    assert charged(world) == []
    assert books_agree(world)


def test_tax_is_its_own_line_and_its_own_entry(world):
    actor = world.account(tax=Tax(Decimal(20), False, "VAT"))
    world.buy(actor, "messages_100k")
    assert charged(world) == [5880]
    with world.session() as session:
        entries = {
            (t.debit, t.credit): t.amount_minor for t in session.scalars(select(TransferRow))
        }
    assert entries == {
        ("receivable", "revenue"): 4900,
        ("receivable", "tax"): 980,
        ("clearing", "receivable"): 5880,
    }


def test_more_than_may_be_held_is_refused(world):
    actor = world.account()
    quote = world.quote(actor, "sla_support", quantity=2)
    assert world.confirm(actor, world.accept(quote)) == Refused(None, 1)


def test_invoice_numbers_have_no_gaps_under_concurrency(world):
    actors = [world.account() for _ in range(4)]
    accepted = [(a, world.accept(world.quote(a, "messages_10k"))) for a in actors for _ in range(3)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda pair: world.confirm(*pair), accepted))
    with world.session() as session:
        numbers = sorted(session.scalars(select(InvoiceRow.number)))
    assert numbers == list(range(1, 13))


class Delivered:
    """An event as the webhook gateway hands it over."""

    type = "payment_intent.succeeded"
    ignored = False

    def __init__(self, reference: str) -> None:
        self.id = f"evt_{reference}"
        self.payload = {"data": {"object": {"object": "payment_intent", "id": reference}}}


def event_of(world: World) -> Delivered:
    found = world.gateway.find_payment(world.gateway.taken[-1], 3600)
    assert found is not None
    return Delivered(found.outcome.reference)


def give_balance(world: World, actor, minor: int) -> None:
    with world.session() as session:
        session.add(
            AccountBalanceRow(
                environment_id=world.scope.environment_id,
                account_id=actor.account_id,
                currency="usd",
                balance_minor=minor,
                carried_minor=0,
                balance_reserved_minor=0,
                carried_reserved_minor=0,
            )
        )
        session.add(
            TransferRow(
                environment_id=world.scope.environment_id,
                account_id=actor.account_id,
                debit="revenue",
                credit="balance",
                amount_minor=minor,
                currency="usd",
                code="balance_credited",
                key="gift",
                at=world.now,
            )
        )
        session.commit()
