"""The Stripe sandbox: a separate process that speaks Stripe's HTTP API without moving money."""
