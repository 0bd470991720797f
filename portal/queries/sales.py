"""Which subscription a sale belongs to."""

from __future__ import annotations

from sqlalchemy import BigInteger, ColumnElement, func

from portal.models.purchases import QuoteRow

BEGINS = "subscription_id"
"""The word of a quote's promise for the subscription that begins once it is paid."""


def begins(quote: QuoteRow) -> bool:
    """Whether a subscription begins with it."""
    return BEGINS in quote.promise


def sold_to() -> ColumnElement[int]:
    """The subscription that a quote, once settled, is of: that which it begins, or was made on."""
    begins = QuoteRow.promise[BEGINS].astext.cast(BigInteger)
    return func.coalesce(begins, QuoteRow.subscription_id)
