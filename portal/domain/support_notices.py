"""What owners are told by mail of staff who look, and staff of each other's wishes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class SupportStarted:
    """A support view has begun. staff, member: names, of who looks and through whose eyes.

    approved_by: the name of the second member of staff, where no owner had let them look.
    """

    kind: ClassVar[str] = "support_started"
    view_id: int
    staff: str
    member: str
    reason: str
    ticket: str
    started_at: datetime
    expires_at: datetime
    approved_by: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.view_id}"


@dataclass(frozen=True, slots=True)
class SupportAsked:
    """Staff ask to be let in. staff: the name of who asks."""

    kind: ClassVar[str] = "support_asked"
    window_id: int
    staff: str
    reason: str
    ticket: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.window_id}"


@dataclass(frozen=True, slots=True)
class ApprovalAsked:
    """One of the staff wants to look although no owner lets them: told to those who may approve.

    staff, account: names.
    """

    kind: ClassVar[str] = "approval_asked"
    approval_id: int
    staff: str
    account: str
    reason: str
    ticket: str
    expires_at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.approval_id}"


@dataclass(frozen=True, slots=True)
class ApprovalAnswered:
    """Told to who asked. staff: the name of who answered. expires_at: of what was approved."""

    kind: ClassVar[str] = "approval_answered"
    approval_id: int
    staff: str
    account_id: int
    account: str
    ticket: str
    is_approved: bool
    expires_at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.approval_id}"


@dataclass(frozen=True, slots=True)
class AccessAnswered:
    """Told to who asked the owners. account: its name. ends_at: None where they refused."""

    kind: ClassVar[str] = "access_answered"
    window_id: int
    account_id: int
    account: str
    ticket: str
    ends_at: datetime | None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.window_id}"


SupportNotice = SupportStarted | SupportAsked | ApprovalAsked | ApprovalAnswered | AccessAnswered
SUPPORT_KINDS = (SupportStarted, SupportAsked)
