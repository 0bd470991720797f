"""What a person is told by mail about their own sign-in."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from portal.domain.access import Role


@dataclass(frozen=True, slots=True)
class Place:
    """When and where something was done. user_agent: what the browser calls itself."""

    at: datetime
    address: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class PasswordForgotten:
    """A new password was asked for. nonce: what the link is made of, with the portal's secret."""

    kind: ClassVar[str] = "password_forgotten"
    nonce: str
    place: Place
    expires_at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.nonce}"


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """by_link: by a link that was mailed, else by who knew the old one.

    issuers: identity providers that sign the person in as well, as those name themselves.
    """

    kind: ClassVar[str] = "password_changed"
    person_id: int
    place: Place
    by_link: bool
    issuers: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.person_id}:{self.place.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class SecondFactorSwitched:
    """Codes of an authenticator are asked for from now on, or no more."""

    kind: ClassVar[str] = "second_factor_switched"
    person_id: int
    place: Place
    is_on: bool

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.person_id}:{self.is_on}:{self.place.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class RecoveryCodesMade:
    """New ones; those before are worth nothing any more."""

    kind: ClassVar[str] = "recovery_codes_made"
    person_id: int
    place: Place

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.person_id}:{self.place.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class IdentitySwitched:
    """An identity provider lets the person in from now on, or no more. label: of its button."""

    kind: ClassVar[str] = "identity_switched"
    person_id: int
    label: str
    place: Place
    is_linked: bool

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.person_id}:{self.is_linked}:{self.place.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody is asked to become a member. nonce: as of a forgotten password. inviter, account:
    their names."""

    kind: ClassVar[str] = "invited"
    nonce: str
    inviter: str
    account: str
    role: Role
    expires_at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.nonce}"


SignInNotice = (
    PasswordForgotten | PasswordChanged | SecondFactorSwitched | RecoveryCodesMade
    | IdentitySwitched | Invited
)  # fmt: skip
SIGN_IN_KINDS = (
    PasswordForgotten, PasswordChanged, SecondFactorSwitched, RecoveryCodesMade,
    IdentitySwitched, Invited,
)  # fmt: skip
NOT_KEPT = frozenset({PasswordForgotten.kind, Invited.kind})
"""Letters whose words open something: the outbox forgets them once they are sent."""


def reset_secret(master: str, nonce: str) -> str:
    """What stands in a link that sets a new password: made of the portal's own secret."""
    return _secret(master, f"reset-{nonce}")


def invitation_secret(master: str, nonce: str) -> str:
    """The same for a link that makes somebody a member."""
    return _secret(master, f"invitation-{nonce}")


def _secret(master: str, what: str) -> str:
    return hmac.new(master.encode(), what.encode(), hashlib.sha256).hexdigest()
