"""What a person and an account's owners are told by mail when members change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from portal.domain.access import Role


@dataclass(frozen=True, slots=True)
class RoleChanged:
    """name, by, account: names of who it is about, of who did it, and of the account.

    is_own: the reader is who it is about.
    """

    kind: ClassVar[str] = "role_changed"
    membership_id: int
    name: str
    by: str
    account: str
    before: Role
    after: Role
    at: datetime
    is_own: bool

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.membership_id}:{self.before}:{self.after}:{self.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class MemberGone:
    """Somebody was removed by an owner; by: empty where they left by themselves."""

    kind: ClassVar[str] = "member_gone"
    membership_id: int
    name: str
    by: str
    account: str
    at: datetime
    is_own: bool

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.membership_id}:{self.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class MemberJoined:
    """An invitation was accepted. email: of who joined."""

    kind: ClassVar[str] = "member_joined"
    membership_id: int
    name: str
    email: str
    account: str
    role: Role
    at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.membership_id}:{self.at.isoformat()}"


MemberNotice = RoleChanged | MemberGone | MemberJoined
MEMBER_KINDS = (RoleChanged, MemberGone, MemberJoined)
