"""Names of the facts that are recorded, in the past tense: `subject:verb`."""

from __future__ import annotations

from enum import StrEnum


class EventName(StrEnum):
    SESSION_STARTED = "session:started"
    SESSION_ENDED = "session:ended"
    SIGN_IN_FAILED = "session:refused"
    PURCHASE_RESERVED = "purchase:reserved"
    PURCHASE_SETTLED = "purchase:settled"
    PURCHASE_DECLINED = "purchase:declined"
    PURCHASE_ENDED = "purchase:ended"
    PAYMENT_LATE = "payment:late"
    REFUND_REQUESTED = "refund:requested"
    REFUND_ANSWERED = "refund:answered"
    INSTANCE_STARTED = "instance:started"
    INSTANCE_CANCELLED = "instance:cancelled"
    INSTANCE_KEPT = "instance:kept"
    INVOICE_ISSUED = "invoice:issued"
    CATALOG_APPLIED = "catalog:applied"
    ACCOUNT_CREATED = "account:created"
    CUSTOMER_DELETED = "customer:deleted"
    CARD_ENTRY_OPENED = "card_entry:opened"
    CARD_ADDED = "card:added"
    CARD_UPDATED = "card:updated"
    CARD_PREFERRED = "card:preferred"
    CARD_REPLACED = "card:replaced"
    CARD_REMOVED = "card:removed"
    CARD_DETACHED = "card:detached"
