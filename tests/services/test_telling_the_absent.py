"""A purchase declined, or never paid: mailed where nobody can have seen it on a page."""

from __future__ import annotations

import pytest

from portal.gateways.fake_payments import Fault
from portal.services.charging import Ended, NeedsCheckout, Pending, Unpaid
from tests.services.changing import Office
from tests.services.leaving import told

BAD = "pm_card_chargeCustomerFail"


def lose_the_answer(world, till, actor) -> str:
    """Buy with a card that is declined, while the processor's answer gets lost; its reference."""
    till.gateway.fail_next("charge", Fault.ANSWER_LOST)
    assert isinstance(world.buy(actor, "messages_10k", 2), Pending)
    return list(till.gateway._books.payments)[-1]


def refused(till, reference: str) -> None:
    till.hear("payment_intent.payment_failed", "payment_intent", reference)


def test_a_decline_that_the_page_says_is_no_mail(world, till):
    actor = world.account(card=BAD)
    assert isinstance(world.buy(actor, "messages_10k"), Unpaid)
    refused(till, till.attempts(1)[0].reference)
    world.pass_time(minutes=2)
    till.reconcile()
    assert told(world, actor, "payment_declined") == []


@pytest.mark.parametrize("by_event", [True, False])
def test_one_that_comes_while_nobody_looks_is_told_once_with_the_next_step(by_event, world, till):
    actor = world.account(card=BAD)
    reference = lose_the_answer(world, till, actor)
    world.pass_time(minutes=2)
    if by_event:
        refused(till, reference)
    till.reconcile()
    refused(till, reference)
    [notice] = told(world, actor, "payment_declined")
    assert (notice["purchase_id"], notice["amount"]["minor"]) == (1, 1400)
    assert (notice["name"], notice["reason"]) == ("10,000 message pack × 2", "refused")
    assert notice["held_until"] == "2026-04-11T00:35:00Z"


def test_an_event_while_the_page_still_waits_is_no_mail(world, till):
    actor = world.account(card=BAD)
    reference = lose_the_answer(world, till, actor)
    world.pass_time(seconds=20)
    refused(till, reference)
    assert isinstance(till.finish(actor, 1), Unpaid)
    assert told(world, actor, "payment_declined") == []


def test_a_member_who_comes_back_sees_it_and_gets_no_mail(world, till):
    actor = world.account(card=BAD)
    lose_the_answer(world, till, actor)
    world.pass_time(minutes=2)
    assert isinstance(till.finish(actor, 1), Unpaid)
    assert told(world, actor, "payment_declined") == []


def test_a_purchase_that_nobody_pays_is_told_when_it_is_let_go(world, till):
    declined, typed = world.account(card=BAD), world.account(card=None)
    assert isinstance(world.buy(declined, "salesforce"), Unpaid)
    assert isinstance(world.buy(typed, "messages_10k"), NeedsCheckout)
    world.pass_time(minutes=34)
    till.reconcile()
    assert told(world, declined, "purchase_lapsed") == []
    till.gateway.expire_page(till.page(2))
    world.pass_time(minutes=40)
    till.reconcile()
    till.reconcile()
    [first], [second] = (told(world, a, "purchase_lapsed") for a in (declined, typed))
    assert (first["name"], first["add_on"]) == ("Salesforce connector", "salesforce")
    assert (second["amount"]["minor"], second["add_on"]) == (700, "messages_10k")


def test_a_change_of_plan_that_lapses_is_named_by_its_plan(world, till):
    actor = world.account(card=None)
    outcome = Office(world, till).change(actor, "business")
    assert isinstance(outcome, NeedsCheckout)
    till.gateway.expire_page(till.page(outcome.purchase_id))
    world.pass_time(minutes=80)
    till.reconcile()
    till.reconcile()
    [notice] = told(world, actor, "purchase_lapsed")
    assert (notice["name"], notice["add_on"]) == ("Business", None)


def test_what_a_member_stops_or_lets_lapse_at_the_page_is_no_mail(world, till):
    actor = world.account(card=BAD)
    world.buy(actor, "messages_10k")
    assert isinstance(till.stop(actor, 1), Ended)
    world.buy(actor, "messages_10k")
    world.pass_time(minutes=36)
    assert isinstance(till.pay(actor, 2), Ended)
    till.reconcile()
    assert told(world, actor, "purchase_lapsed") == []
