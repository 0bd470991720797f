"""Tables: columns, constraints, keys; no rules. Importing this package loads them all."""

from portal.models import (
    accounts,
    alerts,
    catalog,
    credit_notes,
    events,
    invoices,
    keys,
    ledger,
    mails,
    price_changes,
    purchases,
    subscriptions,
    tenants,
    usage,
    webhooks,
)

__all__ = [
    "accounts",
    "alerts",
    "catalog",
    "credit_notes",
    "events",
    "invoices",
    "keys",
    "ledger",
    "mails",
    "price_changes",
    "purchases",
    "subscriptions",
    "tenants",
    "usage",
    "webhooks",
]
