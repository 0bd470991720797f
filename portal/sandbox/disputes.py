"""Disputes: opened by the cardholder's bank, answered with evidence, won or lost."""

from __future__ import annotations

from typing import Any

from portal.sandbox import balance, events, lists, rules
from portal.sandbox.calls import Call, Deed, Route, route
from portal.sandbox.cards import Disputing
from portal.sandbox.errors import ApiError
from portal.sandbox.fields import copy_fields
from portal.sandbox.payment_methods import card_of
from portal.sandbox.store import Object, new_id

FEE = 1500  # minor units, what Stripe takes for a dispute
_DAYS_TO_ANSWER = 7
_CLOSED = ("won", "lost", "warning_closed")
_VERDICTS = {"winning_evidence": "won", "losing_evidence": "lost"}  # Stripe's test words
_NETWORK_REASONS = {"fraudulent": "10.4", "product_not_received": "13.1", "general": "0"}


def start(call: Call, charge: Object, reason: str, inquiry: bool) -> Object:
    """The bank takes the money back, or only asks. Raises ApiError 400 if it did already."""
    if charge["status"] != "succeeded" or charge["disputed"]:
        raise ApiError(f"Charge {charge['id']} cannot be disputed (again).", param="charge")
    dispute = call.store.insert(_new(call, charge, reason, inquiry))
    charge["disputed"] = True
    call.store.save(charge)
    events.emit(call, "charge.dispute.created", dispute)
    if not inquiry:
        _move(call, dispute, -dispute["amount"], FEE)
        events.emit(call, "charge.dispute.funds_withdrawn", dispute)
    return dispute


def open_for_card(call: Call, charge: str) -> None:
    """The cardholder of a card that disputes has seen the charge."""
    found = call.get("charge", charge)
    kind = card_of(call.get("payment_method", found["payment_method"])).dispute
    if kind is not None and not found["disputed"]:
        start(call, found, kind.value, kind is Disputing.INQUIRY)


def _new(call: Call, charge: Object, reason: str, inquiry: bool) -> Object:
    card = charge["payment_method_details"]["card"]
    details = {
        "brand": card["brand"],
        "network": card["network"],
        "case_type": "inquiry" if inquiry else "chargeback",
        "network_reason_code": _NETWORK_REASONS.get(reason, "0"),
    }
    return rules.blank(
        "dispute",
        id=new_id("du_1"),
        object="dispute",
        amount=charge["amount"],
        balance_transactions=[],
        charge=charge["id"],
        created=call.now,
        currency=charge["currency"],
        enhanced_eligibility_types=[],
        evidence=rules.blank("dispute.evidence", enhanced_evidence={}),
        evidence_details=_evidence_details(call),
        is_charge_refundable=inquiry,
        livemode=False,
        metadata={},
        payment_intent=charge["payment_intent"],
        payment_method_details={"type": "card", "card": details},
        reason=reason,
        status="warning_needs_response" if inquiry else "needs_response",
    )


def _evidence_details(call: Call) -> Object:
    return rules.blank(
        "dispute.evidence_details",
        due_by=call.now + _DAYS_TO_ANSWER * 86400,
        enhanced_eligibility={},
        has_evidence=False,
        past_due=False,
        submission_count=0,
        submission_method="not_submitted",
    )


def _move(call: Call, dispute: Object, amount: int, fee: int) -> None:
    entry = balance.book_dispute(call, dispute, amount, fee)
    dispute["balance_transactions"].append(entry)
    call.store.save(dispute)


def finish(call: Call, dispute: Object, status: str) -> Object:
    """Close it as `won` or `lost`; an inquiry is only closed."""
    _check_open(dispute)
    before = {**dispute}
    inquiry = dispute["status"].startswith("warning_")
    won = status == "won" and not inquiry
    dispute["status"] = "warning_closed" if inquiry else status
    dispute["is_charge_refundable"] = inquiry or won
    if won:
        _move(call, dispute, dispute["amount"], -FEE)
    previous = {"status": before["status"]}
    events.emit(call, "charge.dispute.closed", call.store.save(dispute), previous)
    if won:
        events.emit(call, "charge.dispute.funds_reinstated", dispute)
    return dispute


def _check_open(dispute: Object) -> None:
    if dispute["status"] in _CLOSED:
        raise ApiError(f"The dispute {dispute['id']} is already closed.")


def update(call: Call, dispute: str) -> Object:
    found = call.get("dispute", dispute)
    before = {**found}
    given: dict[str, Any] = call.params.get("evidence", {})
    if given:
        _check_open(found)
        _take_evidence(found, given, bool(call.params.get("submit", True)))
    copy_fields(found, call.params, ("metadata",))
    events.emit_update(call, "charge.dispute.updated", before, call.store.save(found))
    verdicts = [_VERDICTS[word] for word in given.values() if word in _VERDICTS]
    if verdicts and call.params.get("submit", True):
        finish(call, found, verdicts[0])
    return found


def _take_evidence(dispute: Object, given: dict[str, Any], submit: bool) -> None:
    evidence = {**dispute["evidence"]}
    copy_fields(evidence, given, given)
    details = {**dispute["evidence_details"], "has_evidence": True}
    if submit:
        details["submission_count"] += 1
        details["submission_method"] = "manual"
        prefix = "warning_" if dispute["status"].startswith("warning_") else ""
        dispute["status"] = f"{prefix}under_review"
    dispute.update(evidence=evidence, evidence_details=details)


def close(call: Call, dispute: str) -> Object:
    """Give in: nothing speaks against the cardholder."""
    return finish(call, call.get("dispute", dispute), "lost")


def retrieve(call: Call, dispute: str) -> Object:
    return call.get("dispute", dispute)


def list_disputes(call: Call) -> Object:
    equal = {name: call.params.get(name) for name in ("charge", "payment_intent")}
    return lists.page(call, "dispute", "/v1/disputes", **equal)


DEEDS: dict[str, Deed] = {"open_dispute": open_for_card}
_OWN = "/v1/disputes/{dispute}"
ROUTES: dict[str, Route] = {
    "GET /v1/disputes": route(list_disputes, lists.PAGING + "created charge payment_intent"),
    f"GET {_OWN}": route(retrieve),
    f"POST {_OWN}": route(update, "evidence metadata submit"),
    f"POST {_OWN}/close": route(close),
}
