"""What a sign-in is made of: where it comes from, and ids that are stored as digests."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from portal.domain.sign_in_notices import Place


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from. device: what its cookie for known browsers holds; empty: none."""

    address: str
    user_agent: str
    device: str = ""

    @property
    def stored_address(self) -> str:
        """As much of it as a row holds."""
        return self.address[:45]

    def place(self, at: datetime) -> Place:
        return Place(at, self.stored_address, self.user_agent[:255])


def digest_of(secret: str) -> str:
    """How a random id is stored that opens something, and is kept nowhere itself."""
    return hashlib.sha256(secret.encode()).hexdigest()


def plain_email(email: str) -> str:
    """An e-mail address as it is compared."""
    return email.strip().lower()
