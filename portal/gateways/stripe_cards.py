"""Customers and their cards at Stripe."""

from __future__ import annotations

import stripe

from portal.domain.errors import NotFound
from portal.domain.payments import CardNews, SavedCard
from portal.gateways.stripe_answers import card_in, id_of, refusals, saved, translated
from portal.gateways.stripe_connection import StripeConnection


class StripeCards(StripeConnection):
    """Stripe's customers and payment methods."""

    def create_customer(self, key: str, name: str, email: str, labels: dict[str, str]) -> str:
        with refusals():
            customer = self._stripe.customers.create(
                {"name": name, "email": email, "metadata": labels}, {"idempotency_key": key}
            )
        return customer.id

    def save_card(self, customer_ref: str, card_token: str, key: str) -> SavedCard:
        with refusals():
            method = self._stripe.payment_methods.attach(
                card_token, {"customer": customer_ref}, {"idempotency_key": key}
            )
            self._stripe.customers.update(
                customer_ref,
                {"invoice_settings": {"default_payment_method": method.id}},
                {"idempotency_key": f"{key}:default"},
            )
        return saved(method)

    def read_card(self, reference: str) -> CardNews:
        with refusals():
            method = self._stripe.payment_methods.retrieve(reference)
        if card_in(method) is None:
            raise NotFound(f"{method.id} is a {method.type}, not a card")
        return CardNews(saved(method), id_of(method.customer))

    def make_default(self, customer_ref: str, card_ref: str) -> None:
        """No key of ours: the same card may become the default again after another."""
        with refusals():
            self._stripe.customers.update(
                customer_ref, {"invoice_settings": {"default_payment_method": card_ref}}
            )

    def remove_card(self, reference: str) -> None:
        """Source: reference/stripe.md §4.11. No key of ours, as with `cancel_payment`."""
        try:
            self._stripe.payment_methods.detach(reference)
        except stripe.InvalidRequestError as error:
            if not self._is_gone(reference):
                raise translated(error) from error
        except stripe.StripeError as error:
            raise translated(error) from error

    def _is_gone(self, reference: str) -> bool:
        try:
            return self.read_card(reference).customer_ref is None
        except NotFound:
            return True
