"""A saved card that does not pay: another card, the bank's page, the same once more, or nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.domain.declines import DeclineReason
from portal.domain.errors import Conflict, PaymentsUnavailable
from portal.domain.payments import Declined, PageStatus
from portal.domain.purchases import Failure
from portal.gateways.fake_payments import Fault
from portal.models.accounts import PaymentMethodRow
from portal.models.invoices import InvoiceRow
from portal.models.purchases import PaymentAttemptRow, PurchaseRow
from portal.queries.purchases import Step
from portal.services import accounts, waiting
from portal.services.charging import Ended, NeedsCheckout, Pending, Settled, Unpaid

CONNECTOR, ONBOARDING = "salesforce", "onboarding"
FAILS, ASKS = "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"


def save(world, actor, token: str) -> int:
    """Another card of the account's; its id."""
    with world.session() as session:
        args = (session, world.scope, actor.account_id, token, world.gateway, world.wall)
        accounts.save_card(*args)
        last = select(PaymentMethodRow.id).order_by(PaymentMethodRow.id.desc()).limit(1)
        return session.scalars(last).one()


def statuses(till, outcome) -> list[tuple[str, str]]:
    return [(a.kind, a.status) for a in till.attempts(outcome.purchase_id)]


def test_a_declined_card_keeps_the_purchase_for_another_way(world, till):
    actor = world.account(card=FAILS)
    outcome = world.buy(actor, CONNECTOR)
    assert outcome == Unpaid(outcome.purchase_id)
    shown = till.shown(actor, outcome.purchase_id)
    assert (shown.step, shown.charged.minor) == (Step.TO_PAY, 3333)
    assert shown.attempt.declined == Declined(DeclineReason.REFUSED, may_retry=True)
    assert [line.name for line in shown.lines] == ["Salesforce connector"]


def test_another_card_on_the_hosted_page_pays_for_the_same_purchase(world, till):
    actor = world.account(card=FAILS)
    declined = world.buy(actor, CONNECTOR)
    world.pass_time(minutes=10)
    outcome = till.pay(actor, declined.purchase_id, "new")
    assert isinstance(outcome, NeedsCheckout)
    till.gateway.pay_page(till.page(outcome.purchase_id))
    assert till.finish(actor, outcome.purchase_id) == Settled(declined.purchase_id)
    assert statuses(till, declined) == [("charge", "declined"), ("checkout", "succeeded")]
    assert till.taken() == [3333], "at the price that was accepted ten minutes before"
    assert till.cards(actor) == [("0341", False), ("4242", True)], "the card that works is charged"
    assert world.rows(PurchaseRow) == world.rows(InvoiceRow) == 1
    assert till.books_agree()


def test_a_new_card_for_once_does_not_take_the_defaults_place(world, till):
    actor = world.account(card="pm_card_mastercard")
    outcome = world.confirm(actor, world.accept(world.quote(actor, CONNECTOR)), "new")
    till.gateway.pay_page(till.page(outcome.purchase_id))
    till.finish(actor, outcome.purchase_id)
    assert till.cards(actor) == [("4444", True), ("4242", False)]


def test_another_saved_card_pays_for_the_same_purchase(world, till):
    actor = world.account(card="pm_card_visa")
    save(world, actor, FAILS)
    declined = world.buy(actor, CONNECTOR)
    with world.session() as session:
        good = session.scalars(select(PaymentMethodRow.id).filter_by(last4="4242")).one()
    assert till.pay(actor, declined.purchase_id, good) == Settled(declined.purchase_id)
    with world.session() as session:
        assert session.scalars(select(InvoiceRow.card_last4)).one() == "4242"
    assert till.taken() == [3333]


def test_a_card_is_chosen_on_the_confirm_page(world, till):
    actor = world.account(card="pm_card_mastercard")
    other = save(world, actor, "pm_card_visa")
    with world.session() as session:
        first = session.scalars(select(PaymentMethodRow.id).filter_by(last4="4444")).one()
    world.confirm(actor, world.accept(world.quote(actor, CONNECTOR)), first)
    world.confirm(actor, world.accept(world.quote(actor, "zendesk")), other)
    charged = [c.card_ref.partition(".")[0] for c in till.gateway.calls]
    assert charged == ["pm_card_mastercard", "pm_card_visa"]


def test_a_card_of_another_account_or_taken_away_is_refused(world, till):
    actor, stranger = world.account(), world.account()
    theirs = save(world, stranger, "pm_card_mastercard")
    accepted = world.accept(world.quote(actor, CONNECTOR))
    for card in (theirs, 999_999):
        with pytest.raises(Conflict):
            world.confirm(actor, accepted, card)
    assert world.rows(PurchaseRow) == 0
    with world.session() as session:
        mine = session.scalars(
            select(PaymentMethodRow).filter_by(account_id=actor.account_id)
        ).one()
        mine.detached_at, mine.is_default = world.now, False
        session.commit()
        gone = mine.id
    with pytest.raises(Conflict):
        world.confirm(actor, accepted, gone)
    assert isinstance(world.confirm(actor, accepted), NeedsCheckout), "no card left: the page"


def test_the_same_card_once_more_is_a_new_attempt_under_a_new_key(world, till):
    actor = world.account(card=FAILS)
    declined = world.buy(actor, CONNECTOR)
    assert till.pay(actor, declined.purchase_id) == declined
    keys = [call.key for call in till.gateway.calls]
    assert len(keys) == len(set(keys)) == 2


def test_it_is_not_tried_for_ever(world, till):
    actor = world.account(card=FAILS)
    outcome = world.buy(actor, CONNECTOR)
    for _ in range(waiting.MOST_ATTEMPTS):
        outcome = till.pay(actor, outcome.purchase_id)
    assert isinstance(outcome, Ended)
    assert len(till.gateway.calls) == waiting.MOST_ATTEMPTS


def test_after_35_minutes_the_price_is_not_kept_any_more(world, till):
    actor = world.account(card=FAILS)
    declined = world.buy(actor, CONNECTOR)
    world.pass_time(minutes=35)
    assert till.pay(actor, declined.purchase_id) == Ended(declined.purchase_id)
    assert till.shown(actor, declined.purchase_id).failure is Failure.LAPSED
    assert len(till.gateway.calls) == 1


def test_reconcile_lets_go_of_what_was_declined_once_its_time_is_over(world, till):
    actor = world.account(card=FAILS)
    declined = world.buy(actor, ONBOARDING)
    world.pass_time(minutes=34)
    till.reconcile()
    assert till.row(declined.purchase_id).status == "reserved"
    world.pass_time(minutes=1)
    till.reconcile()
    assert till.row(declined.purchase_id).failure == Failure.LAPSED
    assert till.books_agree()


def test_a_charge_the_bank_has_not_answered_is_never_called_off(world, till):
    actor = world.account()
    till.gateway.fail_next("charge", Fault.ERROR_KEPT)
    outcome = world.buy(actor, ONBOARDING)
    assert isinstance(outcome, Pending)
    for act in (till.stop, till.pay):
        assert act(actor, outcome.purchase_id) == Pending(outcome.purchase_id)
    assert world.rows(PaymentAttemptRow) == 1
    world.pass_time(days=2)
    till.reconcile()
    assert (till.taken(), till.holds(actor)) == ([49900], [ONBOARDING])


# Authentication


def authenticating(world, till):
    actor = world.account(card=ASKS)
    outcome = world.buy(actor, CONNECTOR)
    assert outcome == Unpaid(outcome.purchase_id)
    [attempt] = till.attempts(outcome.purchase_id)
    return actor, outcome, attempt


def test_a_bank_that_wants_to_see_the_customer_gets_its_page(world, till):
    actor, outcome, attempt = authenticating(world, till)
    shown = till.shown(actor, outcome.purchase_id)
    assert shown.step is Step.AT_BANK
    assert shown.attempt.page_url == f"https://bank.test/{attempt.reference}"
    assert till.finish(actor, outcome.purchase_id) == outcome, "looked at before the customer went"
    till.gateway.pass_challenge(attempt.reference)
    assert till.finish(actor, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert (till.taken(), till.holds(actor)) == ([3333], [CONNECTOR])
    assert till.books_agree()


def test_the_event_of_an_authenticated_payment_settles_it_too(world, till):
    actor, _, attempt = authenticating(world, till)
    till.hear("payment_intent.requires_action", "payment_intent", attempt.reference)
    till.gateway.pass_challenge(attempt.reference)
    till.hear("payment_intent.succeeded", "payment_intent", attempt.reference)
    assert (till.taken(), till.holds(actor)) == ([3333], [CONNECTOR])


def test_a_failed_challenge_leads_to_another_card(world, till):
    actor, outcome, attempt = authenticating(world, till)
    till.gateway.pass_challenge(attempt.reference, ok=False)
    assert till.finish(actor, outcome.purchase_id) == outcome
    declined = till.shown(actor, outcome.purchase_id).attempt.declined
    assert declined.reason is DeclineReason.AUTHENTICATION_FAILED
    paid = till.pay(actor, outcome.purchase_id, "new")
    till.gateway.pay_page(till.page(paid.purchase_id))
    assert till.finish(actor, outcome.purchase_id) == Settled(outcome.purchase_id)


def test_another_card_instead_calls_the_first_payment_off(world, till):
    actor, outcome, attempt = authenticating(world, till)
    assert isinstance(till.pay(actor, outcome.purchase_id, "new"), NeedsCheckout)
    assert statuses(till, outcome) == [("charge", "cancelled"), ("checkout", "open")]
    assert isinstance(till.gateway.pass_challenge(attempt.reference), Declined)
    assert till.taken() == []


def test_authenticated_in_another_tab_while_another_card_is_chosen_is_paid_once(world, till):
    actor, outcome, attempt = authenticating(world, till)
    till.gateway.pass_challenge(attempt.reference)
    assert till.pay(actor, outcome.purchase_id, "new") == Settled(outcome.purchase_id)
    assert till.taken() == [3333]
    assert world.rows(PaymentAttemptRow) == 1


def test_authenticated_in_another_tab_while_it_is_called_off_is_kept(world, till):
    actor, outcome, attempt = authenticating(world, till)
    till.gateway.pass_challenge(attempt.reference)
    assert till.stop(actor, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert (till.taken(), till.holds(actor)) == ([3333], [CONNECTOR])


def test_a_challenge_nobody_answers_is_called_off_when_its_time_is_over(world, till):
    _, outcome, attempt = authenticating(world, till)
    world.pass_time(minutes=36)
    till.reconcile()
    assert statuses(till, outcome) == [("charge", "cancelled")]
    assert till.row(outcome.purchase_id).failure == Failure.LAPSED
    assert isinstance(till.gateway.pass_challenge(attempt.reference), Declined)


def test_a_bank_page_that_does_not_open_can_be_asked_for_again(world, till):
    actor = world.account(card=ASKS)
    till.gateway.fail_next("authenticate", Fault.OUTAGE)
    outcome = world.buy(actor, CONNECTOR)
    assert till.shown(actor, outcome.purchase_id).step is Step.AT_BANK
    assert till.shown(actor, outcome.purchase_id).attempt.page_url is None
    till.finish(actor, outcome.purchase_id)
    assert till.shown(actor, outcome.purchase_id).attempt.page_url


def test_a_payment_that_cannot_be_called_off_stays_the_only_one(world, till):
    actor, outcome, _ = authenticating(world, till)
    till.gateway.fail_next("cancel_payment", Fault.OUTAGE)
    assert till.pay(actor, outcome.purchase_id, "new") == outcome
    assert world.rows(PaymentAttemptRow) == 1


def test_a_checkout_that_cannot_be_closed_stays_the_only_one(world, till):
    actor = world.account()
    outcome = world.confirm(actor, world.accept(world.quote(actor, CONNECTOR)), "new")
    page = till.page(outcome.purchase_id)
    till.gateway.fail_next("close_page", Fault.OUTAGE)
    with pytest.raises(PaymentsUnavailable):
        till.pay(actor, outcome.purchase_id)
    assert till.gateway.read_page(page).status is PageStatus.OPEN
    assert world.rows(PaymentAttemptRow) == 1
    till.gateway.pay_page(page)
    assert till.pay(actor, outcome.purchase_id) == Settled(outcome.purchase_id)
    assert till.taken() == [3333]


def test_paying_many_times_at_once_charges_once(world, till):
    actor = world.account(card="pm_card_visa")
    save(world, actor, FAILS)
    declined = world.buy(actor, CONNECTOR)
    with world.session() as session:
        good = session.scalars(select(PaymentMethodRow.id).filter_by(last4="4242")).one()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: till.pay(actor, declined.purchase_id, good), range(8)))
    assert till.finish(actor, declined.purchase_id) == Settled(declined.purchase_id)
    assert till.taken() == [3333]
    assert till.refunds() == []
    assert till.books_agree()


def test_an_instant_of_a_held_purchase_is_compared_with_the_real_now(world, till):
    """A test clock far ahead neither keeps a price for months nor lets go of it at once."""
    actor = world.account(card=FAILS)
    declined = world.buy(actor, CONNECTOR)
    assert till.row(declined.purchase_id).held_until == world.now + timedelta(minutes=35)
