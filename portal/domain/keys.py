"""API keys of the host application: how one is written, and what it may do."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

PREFIX_BYTES, SECRET_BYTES = 6, 32
LONGEST_OVERLAP = timedelta(days=7)
_WRITTEN = re.compile(
    r"portal_(?:production|staging|development)_([0-9a-f]{12})_[A-Za-z0-9_-]{43}", re.ASCII
)


class Access(StrEnum):
    """What an operation needs. To write is to read too; to sign members in is neither."""

    READ = "read"
    WRITE = "write"
    PORTAL_SESSIONS = "portal-sessions"


LEVELS = (Access.READ, Access.WRITE)
"""Of these a key has one."""


class KeyState(StrEnum):
    GOOD = "good"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """prefix: the part that is no secret, by which people name it. access: read, or write.

    opens_sessions: whether it signs members in besides.
    """

    id: int
    prefix: str
    name: str
    access: Access
    opens_sessions: bool
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None

    def covers(self, needed: Access) -> bool:
        if needed is Access.PORTAL_SESSIONS:
            return self.opens_sessions
        return needed in (Access.READ, self.access)

    def state(self, at: datetime) -> KeyState:
        if self.revoked_at is not None and self.revoked_at <= at:
            return KeyState.REVOKED
        if self.expires_at is not None and self.expires_at <= at:
            return KeyState.EXPIRED
        return KeyState.GOOD


def write_key(environment: str, prefix: str, secret: str) -> str:
    """The whole key, which is shown once. It names its environment, for whoever finds it."""
    return f"portal_{environment}_{prefix}_{secret}"


def prefix_of(written: str) -> str | None:
    """None for what is not written like a key."""
    found = _WRITTEN.fullmatch(written)
    return found[1] if found else None


def digest_of_key(written: str) -> str:
    """How a key is stored: it has 256 random bits, so that a fast hash is enough."""
    return hashlib.sha256(written.encode()).hexdigest()
