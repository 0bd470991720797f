"""The payment seam: what the portal asks of a processor and what it may answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from portal.domain.declines import DeclineReason
from portal.domain.errors import PortalError
from portal.domain.money import Money


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A card the processor keeps for a customer; never its number."""

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
    """The bank wants to see the customer; nothing was taken."""

    reference: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """No clear answer came: money may or may not have moved. Ask again with the same key."""

    detail: str


ChargeOutcome = Paid | Declined | NeedsAuthentication | Unknown


class CardRefused(PortalError):
    """The bank refused to let a card be saved; `declined` says why."""

    def __init__(self, declined: Declined) -> None:
        super().__init__(f"the card was refused: {declined.reason}")
        self.declined = declined


@dataclass(frozen=True, slots=True)
class PaymentNews:
    """What a payment of ours stands at, as the processor says now.

    labels: those the charge was made with.
    """

    outcome: ChargeOutcome
    amount: Money
    labels: dict[str, str]


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

    def charge(self, charge: Charge) -> ChargeOutcome:
        """Take the amount from the saved card; never raises for what a processor may answer.

        Raises PaymentsUnavailable when it refused the request itself (our key, an amount below
        its minimum, a used key with other parameters): this request took nothing.
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
