"""Things to ask of a processor, each with a new key and label."""

from __future__ import annotations

from datetime import UTC, datetime

from portal.domain.money import Money
from portal.domain.payments import CardEntry, Charge, Checkout
from portal.domain.refunds import Refund
from tests.gateways.processors import OPEN_FOR, fresh


def a_checkout(owner: str, minor: int = 4900, currency: str = "usd") -> Checkout:
    """A page to be paid, with a new key and label."""
    attempt = fresh("attempt")
    return Checkout(
        key=attempt,
        customer_ref=owner,
        amount=Money(minor, currency),
        description="Advanced analytics, 1 Nov to 1 Dec 2026",
        labels={"attempt_id": attempt, "account_id": "7"},
        return_url="http://127.0.0.1/return?session_id={CHECKOUT_SESSION_ID}",
        back_url="http://127.0.0.1/add-ons",
        expires_at=datetime.now(UTC) + OPEN_FOR,
    )


def an_entry(owner: str) -> CardEntry:
    """A page that saves a card, with a new key and label."""
    entry = fresh("entry")
    return CardEntry(
        key=entry,
        customer_ref=owner,
        labels={"entry_id": entry, "account_id": "7"},
        return_url="http://127.0.0.1/return?session_id={CHECKOUT_SESSION_ID}",
        back_url="http://127.0.0.1/payment-methods",
        expires_at=datetime.now(UTC) + OPEN_FOR,
    )


def like(checkout: Checkout) -> Charge:
    """A charge with the labels of a Checkout, to look its payment up by."""
    return Charge(
        key="",
        customer_ref=checkout.customer_ref,
        card_ref="",
        amount=checkout.amount,
        description=checkout.description,
        labels=checkout.labels,
    )


def a_refund(payment_ref: str, minor: int = 4900) -> Refund:
    """With a new key and label."""
    key = fresh("refund")
    return Refund(key, payment_ref, Money(minor, "usd"), {"refund_id": key})
