"""The payment seam: what the portal asks of a processor and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from portal.domain.declines import DeclineReason
from portal.domain.errors import PortalError
from portal.domain.money import Money
from portal.domain.refunds import Refund, Refunded, RefundNews


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card the processor keeps for a customer; never its number.

    fingerprint: equal for the same number, however often it was saved.
    """

    reference: str
    brand: str
    last4: str
    exp_month: int
    exp_year: int
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Charge:
    """A charge of the saved card while the customer is not there to authenticate.

    key: the payment attempt's idempotency key; the processor acts at most once for it.
    labels: ids that come back with every event about this charge.
    """

    key: str
    customer_ref: str
    card_ref: str
    amount: Money
    description: str
    labels: dict[str, str]


@dataclass(frozen=True, slots=True)
class Checkout:
    """A page of the processor's where the customer pays one amount with a card typed there.

    The card is saved for later charges. return_url: where the page leads after it was paid;
    back_url: where its way back leads. expires_at: 30 minutes to 24 hours from now, by the
    processor's clock. Source: reference/stripe.md §4.2.
    """

    key: str
    customer_ref: str
    amount: Money
    description: str
    labels: dict[str, str]
    return_url: str
    back_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class CardEntry:
    """A page of the processor's where the customer saves a card and pays nothing.

    return_url may hold `{CHECKOUT_SESSION_ID}`, which the processor fills with the page's
    reference. Source: reference/stripe.md §4.1.
    """

    key: str
    customer_ref: str
    labels: dict[str, str]
    return_url: str
    back_url: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Paid:
    """reference: the processor's id of the payment."""

    reference: str


@dataclass(frozen=True, slots=True)
class Declined:
    """The card was refused and nothing was taken.

    reason: what to tell the customer. may_retry: False when the same card must not be tried
    again for this payment.
    """

    reason: DeclineReason
    may_retry: bool
    reference: str | None = None
    code: str | None = None
    decline_code: str | None = None
    advice_code: str | None = None


@dataclass(frozen=True, slots=True)
class NeedsAuthentication:
    """The bank wants to see the customer; nothing was taken.

    url: where the bank asks, once `authenticate` has opened it.
    """

    reference: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """No clear answer came: money may or may not have moved. Ask again with the same key."""

    detail: str


ChargeOutcome = Paid | Declined | NeedsAuthentication | Unknown


class PageStatus(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class HostedPage:
    """What a Checkout or a CardEntry stands at, as the processor says now.

    url: only while it is open. paid: the payment that completed it. card: the card that was
    saved by completing it. amount: None when it only saves a card. labels: those it was made with.
    """

    reference: str
    status: PageStatus
    url: str | None
    paid: Paid | None
    card: SavedCard | None
    amount: Money | None
    customer_ref: str
    labels: dict[str, str]


RefundOutcome = Refunded | Unknown


class CardRefused(PortalError):
    """The bank refused to let a card be saved; `declined` says why."""

    def __init__(self, declined: Declined) -> None:
        super().__init__(f"the card was refused: {declined.reason}")
        self.declined = declined


@dataclass(frozen=True, slots=True)
class PaymentNews:
    """What a payment of ours stands at, as the processor says now.

    labels: those the charge was made with. card: the one that paid, where it is kept.
    """

    outcome: ChargeOutcome
    amount: Money
    labels: dict[str, str]
    card: SavedCard | None = None


@dataclass(frozen=True, slots=True)
class CardNews:
    """A card as the processor has it now. customer_ref: None once it was taken away."""

    card: SavedCard
    customer_ref: str | None


class PaymentGateway(Protocol):
    """Every method may raise PaymentsUnavailable."""

    def create_customer(self, key: str, name: str, email: str, labels: dict[str, str]) -> str:
        """Create the customer once per `key`; return the processor's id."""
        ...

    def save_card(self, customer_ref: str, card_token: str, key: str) -> SavedCard:
        """Attach a tokenised card (a test token in demos) and make it the default.

        Raises CardRefused when the bank does not let it be saved.
        """
        ...

    def read_card(self, reference: str) -> CardNews:
        """The present state of one card. Raises NotFound when the processor has none such."""
        ...

    def make_default(self, customer_ref: str, card_ref: str) -> None:
        """Let the processor's own pages show the default that the portal has. Repeatable."""
        ...

    def remove_card(self, reference: str) -> None:
        """Take the card away for good; one that is gone already is no error."""
        ...

    def charge(self, charge: Charge) -> ChargeOutcome:
        """Take the amount from the saved card; never raises for what a processor may answer.

        Raises PaymentsUnavailable when it refused the request itself (our key, an amount below
        its minimum, a used key with other parameters): this request took nothing.
        """
        ...

    def authenticate(
        self, reference: str, card_ref: str, return_url: str, key: str
    ) -> ChargeOutcome:
        """Try a payment that needs authentication again, with the customer there.

        NeedsAuthentication with the bank's url, which leads to `return_url` afterwards; or what
        the payment came to without one. Source: reference/stripe.md §4.4.
        """
        ...

    def cancel_payment(self, reference: str) -> ChargeOutcome:
        """Call off a payment that has taken nothing; Paid when it was too late for that.

        Any other answer means that it can take nothing any more, except Unknown.
        """
        ...

    def find_payment(self, charge: Charge, since_s: int) -> PaymentNews | None:
        """Look a charge up by its labels among those of the last `since_s` seconds.

        Of several with these labels, one that took money. Raises ValueError without labels.
        """
        ...

    def read_payment(self, reference: str) -> PaymentNews:
        """The present state of one payment. Raises NotFound when the processor has none such."""
        ...

    def open_checkout(self, checkout: Checkout) -> HostedPage:
        """Open the page once per `key`; asked again, the page as it was first answered.

        Raises PaymentsUnavailable when there was no clear answer too: nobody has the url then,
        so that nothing can be paid there.
        """
        ...

    def open_card_entry(self, entry: CardEntry) -> HostedPage:
        """As `open_checkout`, for a card alone."""
        ...

    def read_page(self, reference: str) -> HostedPage:
        """The present state of one page. Raises NotFound when the processor has none such."""
        ...

    def close_page(self, reference: str) -> HostedPage:
        """Expire an open page, and say what it stands at then: it may have been paid just now."""
        ...

    def refund(self, refund: Refund) -> RefundOutcome:
        """Give a payment's money back; never raises for what a processor may answer."""
        ...

    def read_refund(self, reference: str) -> RefundNews:
        """The present state of one refund. Raises NotFound when the processor has none such."""
        ...

    def refunds_of(self, payment_ref: str) -> tuple[RefundNews, ...]:
        """Every refund of a payment, whoever asked for it, oldest first."""
        ...
