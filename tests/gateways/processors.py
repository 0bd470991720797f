"""The processors that the contract runs on, each with the switches a test needs."""

from __future__ import annotations

import time
import uuid
from typing import Protocol

import requests
import stripe

from portal.domain.payments import PaymentGateway, SavedCard
from portal.gateways.fake_payments import FakePayments, Fault
from portal.gateways.stripe_payments import StripePayments, stripe_client

CHARGES = "POST /v1/payment_intents"
_MODES = {Fault.ANSWER_LOST: "after_drop", Fault.ERROR_KEPT: "after_500", Fault.OUTAGE: "429"}


def fresh(what: str) -> str:
    """A key or label that no other run has used."""
    return f"{what}-{uuid.uuid4().hex[:16]}"


class Processor(Protocol):
    """One processor. `ahead`: seconds that the gateway's clock runs before the real one."""

    gateway: PaymentGateway
    hasty: PaymentGateway  # does not repeat a request on its own
    ahead: float

    def amounts_taken(self, customer_ref: str) -> list[tuple[int, str]]:
        """What was taken from this customer, as the processor's own books say."""
        ...

    def remove_card(self, card_ref: str) -> None: ...

    def descriptions(self, customer_ref: str) -> list[str | None]: ...


class FaultyProcessor(Processor, Protocol):
    """A processor that can be told to fail."""

    def break_next(self, fault: Fault) -> None: ...


class FakeProcessor:
    def __init__(self) -> None:
        self.ahead = 0.0
        self.fake = FakePayments(wall_now=lambda: time.time() + self.ahead)
        self.gateway: PaymentGateway = self.fake
        self.hasty: PaymentGateway = self.fake

    def amounts_taken(self, customer_ref: str) -> list[tuple[int, str]]:
        taken = [c.amount for c in self.fake.taken if c.customer_ref == customer_ref]
        return [(amount.minor, amount.currency) for amount in taken]

    def remove_card(self, card_ref: str) -> None:
        self.fake.remove_card(card_ref)

    def descriptions(self, customer_ref: str) -> list[str | None]:
        return [c.description for c in self.fake.taken if c.customer_ref == customer_ref]

    def break_next(self, fault: Fault) -> None:
        self.fake.answers.append(fault)


class StripeProcessor:
    """Stripe's API at `base`, or Stripe itself in test mode."""

    def __init__(self, key: str, base: str | None = None) -> None:
        self.ahead = 0.0
        self.base = base
        self.client = stripe_client(key, base)
        once = stripe.StripeClient(
            key,
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=20),
            base_addresses={"api": base} if base else None,
        )
        self.gateway: PaymentGateway = StripePayments(self.client, self._now)
        self.hasty: PaymentGateway = StripePayments(once, self._now)

    def _now(self) -> float:
        return time.time() + self.ahead

    def _intents(self, customer_ref: str) -> list[stripe.PaymentIntent]:
        page = self.client.v1.payment_intents.list({"customer": customer_ref, "limit": 100})
        return [i for i in page.auto_paging_iter() if i.status == "succeeded"]

    def amounts_taken(self, customer_ref: str) -> list[tuple[int, str]]:
        return [(i.amount_received, i.currency) for i in self._intents(customer_ref)]

    def remove_card(self, card_ref: str) -> None:
        self.client.v1.payment_methods.detach(card_ref)

    def descriptions(self, customer_ref: str) -> list[str | None]:
        return [i.description for i in self._intents(customer_ref)]


class SandboxProcessor(StripeProcessor):
    """The sandbox, which fails on demand."""

    def __init__(self, base: str) -> None:
        super().__init__("sk_test_contract", base)

    def break_next(self, fault: Fault) -> None:
        self.fail(_MODES[fault])

    def fail(self, mode: str, n: int = 1, seconds: float = 0.0, match: str = CHARGES) -> None:
        """Meet the next `n` requests that fit `match` with a fault of the sandbox's."""
        said = {"match": match, "mode": mode, "n": str(n), "seconds": str(seconds)}
        requests.post(f"{self.base}/_test/faults", data=said, timeout=5).raise_for_status()

    def faults_waiting(self) -> int:
        state = requests.get(f"{self.base}/_test/state", timeout=5).json()
        return int(state["faults_waiting"])


def customer(processor: Processor) -> str:
    """A new customer's reference."""
    return processor.gateway.create_customer(
        fresh("customer"), "Northwind", "owner@northwind.test", {"account": "northwind"}
    )


def saved(processor: Processor, owner: str, name: str = "visa") -> SavedCard:
    """The test card `pm_card_<name>`, saved for `owner`."""
    return processor.gateway.save_card(owner, f"pm_card_{name}", fresh("card"))
