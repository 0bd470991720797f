"""What support prepares for a customer to buy: how long it stands, and how it stands now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar

LIFE = timedelta(days=14)
LONGEST_NOTE = 500


class ProposalState(StrEnum):
    """OPEN: it can be bought. PAYING: somebody has begun to. The others are the end of it."""

    OPEN = "open"
    PAYING = "paying"
    BOUGHT = "bought"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Proposed:
    """Somebody of the staff, by name, proposes an add-on. lookup_key, auto_renew: of what the
    confirm page is filled in with."""

    kind: ClassVar[str] = "proposed"
    proposal_id: int
    by: str
    add_on: str
    lookup_key: str
    quantity: int
    auto_renew: bool
    note: str
    expires_at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.proposal_id}"
