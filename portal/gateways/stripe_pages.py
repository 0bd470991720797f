"""Stripe's hosted pages: opened to be paid or to save a card, read, and closed."""

from __future__ import annotations

import stripe
from stripe.params.checkout import SessionCreateParams

from portal.domain.errors import PaymentsUnavailable
from portal.domain.money import Money
from portal.domain.payments import CardEntry, Checkout, HostedPage, PageStatus, Paid
from portal.gateways.stripe_answers import id_of, kept, labels_of, refusals, text, unavailable
from portal.gateways.stripe_connection import StripeConnection

CARD = ["payment_intent.payment_method", "setup_intent.payment_method"]
"""What to expand to see the card."""


class StripePages(StripeConnection):
    """Stripe's Checkout Sessions."""

    def open_checkout(self, checkout: Checkout) -> HostedPage:
        """Source: reference/stripe.md §4.2."""
        return self._open(_paying(checkout), checkout.key)

    def open_card_entry(self, entry: CardEntry) -> HostedPage:
        """Source: reference/stripe.md §4.1."""
        return self._open(_saving(entry), entry.key)

    def read_page(self, reference: str) -> HostedPage:
        with refusals():
            return _page(self._stripe.checkout.sessions.retrieve(reference, {"expand": CARD}))

    def close_page(self, reference: str) -> HostedPage:
        """Source: reference/stripe.md §4.9. No key of ours, as with `cancel_payment`."""
        try:
            with refusals():
                session = self._stripe.checkout.sessions.expire(reference, {"expand": CARD})
        except PaymentsUnavailable as error:
            if not isinstance(error.__cause__, stripe.InvalidRequestError):
                raise
            return self.read_page(reference)
        return _page(session)

    def _open(self, wanted: SessionCreateParams, key: str) -> HostedPage:
        try:
            return _page(self._stripe.checkout.sessions.create(wanted, {"idempotency_key": key}))
        except stripe.StripeError as error:
            raise unavailable(error) from error


def _paying(checkout: Checkout) -> SessionCreateParams:
    return {
        **_either(checkout),
        "mode": "payment",
        "line_items": [
            {
                "quantity": 1,
                "price_data": {
                    "currency": checkout.amount.currency,
                    "unit_amount": checkout.amount.minor,
                    "product_data": {"name": checkout.description},
                },
            }
        ],
        "payment_intent_data": {
            "setup_future_usage": "off_session",
            "description": checkout.description,
            "metadata": checkout.labels,  # Stripe does not copy those of the session
        },
    }


def _saving(entry: CardEntry) -> SessionCreateParams:
    return {
        **_either(entry),
        "mode": "setup",
        "setup_intent_data": {"metadata": entry.labels},
    }


def _either(asked: Checkout | CardEntry) -> SessionCreateParams:
    """What both kinds of page are asked for with."""
    wanted: SessionCreateParams = {
        "customer": asked.customer_ref,
        "allowed_payment_method_types": ["card"],
        "metadata": asked.labels,
        "expires_at": int(asked.expires_at.timestamp()),
        "success_url": asked.return_url,
        "cancel_url": asked.back_url,
    }
    if "account_id" in asked.labels:
        wanted["client_reference_id"] = asked.labels["account_id"]
    return wanted


def _page(session: stripe.checkout.Session) -> HostedPage:
    status = _status(session.status)
    intent = session.payment_intent or session.setup_intent
    paid = id_of(session.payment_intent) if session.payment_status == "paid" else None
    complete = status is PageStatus.COMPLETE
    return HostedPage(
        reference=session.id,
        status=status,
        url=text(session, "url") if status is PageStatus.OPEN else None,
        paid=Paid(paid) if paid else None,
        card=kept(getattr(intent, "payment_method", None)) if complete else None,
        amount=_amount(session),
        customer_ref=id_of(session.customer) or "",
        labels=labels_of(session),
    )


def _status(said: str | None) -> PageStatus:
    """A word we do not know counts as open: something may still be paid there."""
    return PageStatus(said) if said in set(PageStatus) else PageStatus.OPEN


def _amount(session: stripe.checkout.Session) -> Money | None:
    if session.amount_total is None or session.currency is None:
        return None
    return Money(session.amount_total, session.currency)
