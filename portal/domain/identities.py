"""Who an identity provider says somebody is, and one trip of a browser to it and back."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from portal.domain.periods import WallNow


class Errand(StrEnum):
    """What a trip to the provider is for; what came of one answers no other."""

    MEMBER = "member"
    LINK = "link"
    STAFF = "staff"
    PROOF = "proof"


@dataclass(frozen=True, slots=True)
class Trip:
    """written: 256 random bits that the browser keeps. All else is made of them."""

    written: str

    @property
    def state(self) -> str:
        return self._made("state")

    @property
    def nonce(self) -> str:
        return self._made("nonce")

    @property
    def verifier(self) -> str:
        """Of PKCE (RFC 7636)."""
        return self._made("verifier")

    def is_answered_by(self, state: str) -> bool:
        return hmac.compare_digest(self.state.encode(), state.encode())

    def _made(self, what: str) -> str:
        return hmac.new(self.written.encode(), what.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What the browser brings back. issuer: empty when the provider did not name itself."""

    state: str
    code: str
    issuer: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the provider vouches for. email: empty unless it says that it has verified it.

    has_stepped: it asked for a second step, by a word that the settings count as one. proved_at:
    when they showed there who they are, which may be long ago; None where it does not say.
    """

    issuer: str
    subject: str
    email: str
    name: str
    has_stepped: bool
    proved_at: WallNow | None


class NotBelieved(Exception):
    """The provider's answer does not hold; the text says why, for the log only."""


class ProviderSilent(Exception):
    """The provider could not be asked, or said nothing of use."""


class IdentityProvider(Protocol):
    @property
    def issuer(self) -> str: ...

    @property
    def label(self) -> str:
        """What its button says."""
        ...

    def address(
        self, trip: Trip, back: str, wall: WallNow, max_age: timedelta | None = None
    ) -> str:
        """Where the browser goes. back: where it returns to. Raises ProviderSilent.

        max_age: how old a sign-in there may be; nought asks for a new one.
        """
        ...

    def identify(self, trip: Trip, answer: Answer, back: str, wall: WallNow) -> Identity:
        """Who came back. Raises NotBelieved and ProviderSilent."""
        ...
