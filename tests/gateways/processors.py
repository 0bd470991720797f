"""The processors that the contract runs on, each with the switches a test needs."""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from datetime import timedelta
from typing import Any, Protocol

import pytest
import requests
import stripe

from portal.domain.payments import (
    HostedPage,
    NeedsAuthentication,
    PaymentGateway,
    SavedCard,
)
from portal.gateways.fake_payments import FakePayments, Fault
from portal.gateways.stripe_payments import StripePayments, stripe_client

CHARGES = "POST /v1/payment_intents"
REQUESTS = {
    "charge": CHARGES,
    "authenticate": "POST /v1/payment_intents/*/confirm",
    "cancel_payment": "POST /v1/payment_intents/*/cancel",
    "open_checkout": "POST /v1/checkout/sessions",
    "open_card_entry": "POST /v1/checkout/sessions",
    "close_page": "POST /v1/checkout/sessions/*/expire",
    "refund": "POST /v1/refunds",
    "remove_card": "POST /v1/payment_methods/*/detach",
}
"""What each method of the gateway asks of Stripe."""
_MODES = {Fault.ANSWER_LOST: "after_drop", Fault.ERROR_KEPT: "after_500", Fault.OUTAGE: "429"}
OPEN_FOR = timedelta(minutes=31)


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

    def amount_returned(self, payment_ref: str) -> int: ...

    def default_card(self, customer_ref: str) -> str | None: ...

    def descriptions(self, customer_ref: str) -> list[str | None]: ...

    def use_card(self, page: HostedPage, name: str) -> str | None:
        """Let the customer use a card on a page; the payment or setup the bank asks about.

        A refused card is no error here. Raises PageClosed when the page takes no cards.
        """
        ...

    def pass_challenge(self, reference: str, ok: bool = True) -> None:
        """Let the customer answer the bank."""
        ...

    def run_out(self, page: HostedPage) -> None:
        """Let the page's time pass."""
        ...

    def wait_for_dispute(self, payment_ref: str) -> None: ...

    def end_refunds(self, refund_ref: str) -> None:
        """Let the banks' days pass."""
        ...


class FaultyProcessor(Processor, Protocol):
    """A processor that can be told to fail."""

    def break_next(self, fault: Fault, method: str = "charge") -> None: ...


class PageClosed(Exception):
    """The page takes no cards any more."""


class FakeProcessor:
    def __init__(self) -> None:
        self.ahead = 0.0
        self.fake = FakePayments(wall_now=lambda: time.time() + self.ahead)
        self.gateway: PaymentGateway = self.fake
        self.hasty: PaymentGateway = self.fake

    def amounts_taken(self, customer_ref: str) -> list[tuple[int, str]]:
        taken = [c.amount for c in self.fake.taken if c.customer_ref == customer_ref]
        return [(amount.minor, amount.currency) for amount in taken]

    def amount_returned(self, payment_ref: str) -> int:
        return sum(r.amount.minor for r in self.fake.refunds if r.payment_ref == payment_ref)

    def default_card(self, customer_ref: str) -> str | None:
        return self.fake.defaults.get(customer_ref)

    def descriptions(self, customer_ref: str) -> list[str | None]:
        return [c.description for c in self.fake.taken if c.customer_ref == customer_ref]

    def use_card(self, page: HostedPage, name: str) -> str | None:
        use: Any = self.fake.pay_page if page.amount else self.fake.save_on_page
        try:
            told = use(page.reference, name)
        except ValueError as error:
            raise PageClosed from error
        return told.reference if isinstance(told, NeedsAuthentication) else None

    def pass_challenge(self, reference: str, ok: bool = True) -> None:
        self.fake.pass_challenge(reference, ok)

    def run_out(self, page: HostedPage) -> None:
        self.ahead += OPEN_FOR.total_seconds()

    def wait_for_dispute(self, payment_ref: str) -> None:
        pass  # it comes with the payment

    def end_refunds(self, refund_ref: str) -> None:
        self.fake.end_refunds()

    def break_next(self, fault: Fault, method: str = "charge") -> None:
        self.fake.fail_next(method, fault)


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

    def amount_returned(self, payment_ref: str) -> int:
        return self._charge(payment_ref).amount_refunded

    def default_card(self, customer_ref: str) -> str | None:
        settings: Any = self.client.v1.customers.retrieve(customer_ref).invoice_settings
        found: str | None = settings.default_payment_method
        return found

    def descriptions(self, customer_ref: str) -> list[str | None]:
        return [i.description for i in self._intents(customer_ref)]

    def use_card(self, page: HostedPage, name: str) -> str | None:
        asked: dict[str, Any] = {"payment_method": f"pm_card_{name}"}
        if page.amount:
            asked["expected_amount"] = page.amount.minor
        path = f"/v1/payment_pages/{page.reference}/confirm"
        with suppress(stripe.CardError):
            try:
                self.client.raw_request("post", path, **asked)
            except stripe.InvalidRequestError as error:
                raise PageClosed from error
        parts = ["payment_intent", "setup_intent"]
        session = self.client.v1.checkout.sessions.retrieve(page.reference, {"expand": parts})
        intent: Any = session.payment_intent or session.setup_intent
        return intent.id if intent.status == "requires_action" else None

    def pass_challenge(self, reference: str, ok: bool = True) -> None:
        pytest.skip("the bank's page of Stripe itself needs a browser")

    def run_out(self, page: HostedPage) -> None:
        self.client.v1.checkout.sessions.expire(page.reference)  # nobody waits for half an hour

    def wait_for_dispute(self, payment_ref: str) -> None:
        _until(lambda: self._charge(payment_ref).disputed)

    def end_refunds(self, refund_ref: str) -> None:
        began = self.client.v1.refunds.retrieve(refund_ref).status
        _until(lambda: self.client.v1.refunds.retrieve(refund_ref).status != began)

    def _charge(self, payment_ref: str) -> stripe.Charge:
        intent = self.client.v1.payment_intents.retrieve(payment_ref, {"expand": ["latest_charge"]})
        charge: Any = intent.latest_charge
        found: stripe.Charge = charge
        return found


class SandboxProcessor(StripeProcessor):
    """The sandbox, which fails on demand."""

    def __init__(self, base: str) -> None:
        super().__init__("sk_test_contract", base)

    def pass_challenge(self, reference: str, ok: bool = True) -> None:
        said = {"step": "ok" if ok else "fail"}
        url = f"{self.base}/3ds/{reference}"
        requests.post(url, data=said, timeout=5, allow_redirects=False).raise_for_status()

    def run_out(self, page: HostedPage) -> None:
        self._later(OPEN_FOR.total_seconds())

    def end_refunds(self, refund_ref: str) -> None:
        self._later(11)

    def _later(self, seconds: float) -> None:
        """Let everything happen that is due by then, and come back."""
        self._ask("clock", advance=str(seconds))
        requests.get(f"{self.base}/c/pay/cs_nothing", timeout=5)  # looks at the clock
        self._ask("clock", advance=str(-seconds))

    def _ask(self, what: str, **said: str) -> None:
        requests.post(f"{self.base}/_test/{what}", data=said, timeout=5).raise_for_status()

    def break_next(self, fault: Fault, method: str = "charge") -> None:
        self.fail(_MODES[fault], match=REQUESTS[method])

    def fail(self, mode: str, n: int = 1, seconds: float = 0.0, match: str = CHARGES) -> None:
        """Meet the next `n` requests that fit `match` with a fault of the sandbox's."""
        self._ask("faults", match=match, mode=mode, n=str(n), seconds=str(seconds))

    def faults_waiting(self) -> int:
        state = requests.get(f"{self.base}/_test/state", timeout=5).json()
        return int(state["faults_waiting"])


def _until(condition: Any, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.5)


def customer(processor: Processor) -> str:
    """A new customer's reference."""
    return processor.gateway.create_customer(
        fresh("customer"), "Northwind", "owner@northwind.test", {"account": "northwind"}
    )


def saved(processor: Processor, owner: str, name: str = "visa") -> SavedCard:
    """The test card `pm_card_<name>`, saved for `owner`."""
    return processor.gateway.save_card(owner, f"pm_card_{name}", fresh("card"))
