"""What owners are told by mail of staff looking at their pages."""

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


SupportNotice = SupportStarted | SupportAsked
SUPPORT_KINDS = (SupportStarted, SupportAsked)
