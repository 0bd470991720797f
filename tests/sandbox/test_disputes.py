"""Disputes: cards that open one, evidence, the verdict, and the switch that opens one by hand."""

from __future__ import annotations

import urllib.error

import pytest
import stripe

from tests.sandbox.conftest import charge_params


def disputed(api, customer, name="createDispute"):
    card = api.payment_methods.attach(f"pm_card_{name}", {"customer": customer.id})
    intent = api.payment_intents.create(charge_params(customer, card.id))
    assert intent.status == "succeeded"
    (dispute,) = api.disputes.list({"payment_intent": intent.id}).data
    return dispute


def dispute_events(api):
    names = ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
    kinds = [f"charge.dispute.{name}" for name in names]
    return [e.type.split(".")[2] for e in reversed(api.events.list({"types": kinds}).data)]


@pytest.mark.parametrize(
    ("name", "reason", "status", "held"),
    [
        ("createDispute", "fraudulent", "needs_response", True),
        ("createDisputeProductNotReceived", "product_not_received", "needs_response", True),
        ("createDisputeInquiry", "general", "warning_needs_response", False),
    ],
)
def test_a_card_that_disputes(api, customer, name, reason, status, held):
    dispute = disputed(api, customer, name)
    assert (dispute.reason, dispute.status, dispute.amount) == (reason, status, 1500)
    assert dispute.is_charge_refundable is not held
    assert dispute.evidence_details.due_by > dispute.created
    assert api.charges.retrieve(dispute.charge).disputed is True
    assert dispute_events(api) == (["created", "funds_withdrawn"] if held else ["created"])
    moved = [entry.net for entry in dispute.balance_transactions]
    assert moved == ([-3000] if held else [])
    if held:
        with pytest.raises(stripe.InvalidRequestError) as caught:
            api.refunds.create({"charge": dispute.charge})
        assert caught.value.code == "charge_disputed"
    else:
        assert api.refunds.create({"charge": dispute.charge}).status == "succeeded"


@pytest.mark.parametrize(
    ("words", "status", "events", "net"),
    [
        ("winning_evidence", "won", ["updated", "closed", "funds_reinstated"], 0),
        ("losing_evidence", "lost", ["updated", "closed"], -3000),
    ],
)
def test_evidence_decides(api, customer, words, status, events, net):
    dispute = disputed(api, customer)
    done = api.disputes.update(dispute.id, {"evidence": {"uncategorized_text": words}})
    assert (done.status, done.evidence_details.submission_count) == (status, 1)
    assert dispute_events(api) == ["created", "funds_withdrawn", *events]
    assert sum(entry.net for entry in done.balance_transactions) == net
    with pytest.raises(stripe.InvalidRequestError, match="already closed"):
        api.disputes.close(dispute.id)


def test_evidence_can_be_staged_before_it_is_sent(api, customer):
    dispute = disputed(api, customer)
    staged = api.disputes.update(
        dispute.id, {"evidence": {"product_description": "Seats"}, "submit": False}
    )
    assert (staged.status, staged.evidence_details.has_evidence) == ("needs_response", True)
    sent = api.disputes.update(dispute.id, {"evidence": {"customer_name": "Ada"}})
    assert (sent.status, sent.evidence.product_description) == ("under_review", "Seats")
    assert sent.evidence_details.submission_count == 1


def test_giving_in(api, customer):
    assert api.disputes.close(disputed(api, customer).id).status == "lost"
    assert dispute_events(api)[-1] == "closed"


def test_an_inquiry_ends_without_money(api, customer):
    dispute = disputed(api, customer, "createDisputeInquiry")
    closed = api.disputes.update(
        dispute.id, {"evidence": {"uncategorized_text": "winning_evidence"}}
    )
    assert (closed.status, closed.balance_transactions) == ("warning_closed", [])


def test_metadata_and_retrieval(api, customer):
    dispute = disputed(api, customer)
    api.disputes.update(dispute.id, {"metadata": {"order_id": "7"}})
    found = api.disputes.retrieve(dispute.id, {"expand": ["charge", "payment_intent"]})
    assert found.metadata.to_dict() == {"order_id": "7"}
    assert (found.charge.disputed, found.payment_intent.status) == (True, "succeeded")
    assert dispute_events(api)[-1] == "updated"


def test_by_hand(running, api, customer, saved_card):
    intent = api.payment_intents.create(charge_params(customer, saved_card.id))
    made = running.control("disputes/open", payment_intent=intent.id, reason="duplicate")
    assert api.disputes.retrieve(made["id"]).reason == "duplicate"
    closed = running.control("disputes/close", dispute=made["id"], status="won")
    assert closed["status"] == "won"
    assert dispute_events(api)[-1] == "funds_reinstated"


@pytest.mark.parametrize(
    ("path", "given", "status"),
    [
        ("open", {"payment_intent": "{disputed}"}, 400),
        ("open", {"payment_intent": "{unpaid}"}, 404),
        ("open", {"payment_intent": "pi_none"}, 404),
        ("open", {"charge": "ch_none"}, 404),
        ("open", {}, 404),
        ("close", {"dispute": "du_none", "status": "won"}, 404),
        ("close", {"dispute": "{dispute}", "status": "maybe"}, 400),
    ],
)
def test_by_hand_refused(running, api, customer, path, given, status):
    dispute = disputed(api, customer)
    unpaid = api.payment_intents.create({"amount": 500, "currency": "usd"})
    names = {
        "{dispute}": dispute.id,
        "{disputed}": dispute.payment_intent,
        "{unpaid}": unpaid.id,
    }
    with pytest.raises(urllib.error.HTTPError) as caught:
        running.control(f"disputes/{path}", **{k: names.get(v, v) for k, v in given.items()})
    caught.value.close()
    assert caught.value.code == status
    assert [d.status for d in api.disputes.list({}).data] == ["needs_response"]


def test_an_inquiry_by_hand_moves_no_money(running, api, customer, saved_card):
    intent = api.payment_intents.create(charge_params(customer, saved_card.id))
    made = running.control("disputes/open", charge=intent.latest_charge, inquiry=True)
    assert made["status"] == "warning_needs_response"
    assert running.control("disputes/close", dispute=made["id"])["status"] == "warning_closed"
    assert api.disputes.retrieve(made["id"]).balance_transactions == []
