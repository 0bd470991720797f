"""What members are told about use: a quota that runs low, units that expire, the week."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from portal.domain.quotas import Help


class Topic(StrEnum):
    """Mails that each member may do without; all others come with the account."""

    ALERTS = "alerts"
    EXPIRIES = "expiries"
    DIGEST = "digest"


@dataclass(frozen=True, slots=True)
class Measured:
    """A feature in a notice. unit: in the plural, as the catalog names it."""

    id: int
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class QuotaReached:
    """threshold: percent that is used, at least. used, allowance: units, or levels.

    window_start_at: of the quota window; resets_at: its end, None for a level. help: the cheapest
    add-on that brings more.
    """

    kind: ClassVar[str] = "quota_reached"
    account_id: int
    feature: Measured
    threshold: int
    used: Decimal
    allowance: Decimal
    window_start_at: datetime
    resets_at: datetime | None
    help: Help | None = None

    @property
    def key(self) -> str:
        window, units = self.window_start_at.isoformat(), f"{self.allowance.normalize():f}"
        return f"{self.kind}:{self.account_id}:{self.feature.id}:{window}:{self.threshold}:{units}"


@dataclass(frozen=True, slots=True)
class LotExpiring:
    """days: before the end, one of domain.expiries.STEPS. left: units of the lot."""

    kind: ClassVar[str] = "lot_expiring"
    lot_id: int
    days: int
    feature: Measured
    left: Decimal
    expires_at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.lot_id}:{self.days}"


@dataclass(frozen=True, slots=True)
class WeekOfUse:
    """One feature in a digest. used: in the week; of a held feature its highest level.

    total: used in the window so far, or the level now. allowance and left: None = unlimited.
    pace: units a day. resets_at: None for a level. runs_out_at: at that pace, where it does.
    """

    feature: Measured
    is_level: bool
    used: Decimal
    total: Decimal
    allowance: Decimal | None
    left: Decimal | None
    percent: int | None
    pace: Decimal
    resets_at: datetime | None
    runs_out_at: datetime | None


@dataclass(frozen=True, slots=True)
class UsageDigest:
    """The seven days before `monday`. due_at: who chose it later gets the next one first."""

    kind: ClassVar[str] = "usage_digest"
    account_id: int
    monday: date
    due_at: datetime
    weeks: tuple[WeekOfUse, ...]

    @property
    def key(self) -> str:
        return digest_key(self.account_id, self.monday)


def digest_key(account_id: int, monday: date) -> str:
    return f"{UsageDigest.kind}:{account_id}:{monday}"


UseNotice = QuotaReached | LotExpiring | UsageDigest
USE_KINDS: tuple[type[UseNotice], ...] = (QuotaReached, LotExpiring, UsageDigest)
TOPICS: dict[str, Topic] = {
    QuotaReached.kind: Topic.ALERTS,
    LotExpiring.kind: Topic.EXPIRIES,
    UsageDigest.kind: Topic.DIGEST,
}
"""By kind of notice."""
