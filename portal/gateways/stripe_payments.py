"""Stripe as the portal's payment gateway; nothing of Stripe's library leaves these modules."""

from __future__ import annotations

import time
from collections.abc import Callable

import stripe

from portal.gateways.stripe_cards import StripeCards
from portal.gateways.stripe_charges import StripeCharges
from portal.gateways.stripe_connection import NETWORK_RETRIES, stripe_client
from portal.gateways.stripe_pages import StripePages
from portal.gateways.stripe_refunds import StripeRefunds

__all__ = ["NETWORK_RETRIES", "StripePayments", "stripe_client"]


class StripePayments(StripeCards, StripeCharges, StripePages, StripeRefunds):
    """PaymentGateway over Stripe. `wall_now`: epoch seconds, never an account's own clock."""

    def __init__(
        self, client: stripe.StripeClient, wall_now: Callable[[], float] = time.time
    ) -> None:
        super().__init__(client, wall_now)
