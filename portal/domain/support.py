"""What staff are shown of a customer, and what is masked."""

from __future__ import annotations


def masked_email(email: str) -> str:
    """The first letter and the domain: o…@northwind.test."""
    name, at, domain = email.rpartition("@")
    return f"{name[:1]}…{at}{domain}"
