"""How Stripe is reached: the client with its time limits, and what each part of the gateway has."""

from __future__ import annotations

from collections.abc import Callable

import stripe

TIMEOUT_S = (3.05, 20.0)  # to connect, to answer; the library's 80 s would hang a page for minutes
NETWORK_RETRIES = 2


def stripe_client(secret_key: str, api_base: str | None = None) -> stripe.StripeClient:
    """A client of Stripe, or of the server at `api_base` that speaks its API."""
    stripe.enable_telemetry = False  # it writes to the home folder and sends timings
    return stripe.StripeClient(
        secret_key,
        max_network_retries=NETWORK_RETRIES,
        http_client=stripe.RequestsClient(timeout=TIMEOUT_S),
        base_addresses={"api": api_base.rstrip("/")} if api_base else None,
    )


class StripeConnection:
    """Stripe's API. `wall_now`: epoch seconds, never an account's own clock."""

    def __init__(self, client: stripe.StripeClient, wall_now: Callable[[], float]) -> None:
        self._stripe = client.v1
        self._wall_now = wall_now
