"""What members are told about auto-recharge by mail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from portal.domain.declines import DeclineReason
from portal.domain.money import Money


@dataclass(frozen=True, slots=True)
class RechargeAgreed:
    """It was turned on, or agreed to anew with other values. amount: of one pack then, cap: of a
    month, tax included. agreed: the statements that were shown, word for word."""

    kind: ClassVar[str] = "recharge_agreed"
    consent_id: int
    feature: str
    pack: str
    threshold: int
    amount: Money
    cap: Money
    agreed: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.consent_id}"


@dataclass(frozen=True, slots=True)
class RechargePaused:
    """The charge of a pack was refused at `at`. reason: None without a card. asks: the bank wants
    to see the customer. purchase_id: what can still be paid another way.
    """

    kind: ClassVar[str] = "recharge_paused"
    policy_id: int
    feature: str
    pack: str
    amount: Money
    reason: DeclineReason | None
    asks: bool
    purchase_id: int | None
    at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.policy_id}:{self.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class RechargeLimited:
    """A pack was not bought, since its amount would pass `limit`. ceiling: of the whole account,
    else the auto-recharge's own. until: when the next month begins."""

    kind: ClassVar[str] = "recharge_limited"
    policy_id: int
    feature: str
    pack: str
    amount: Money
    limit: Money
    ceiling: bool
    until: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.policy_id}:{self.ceiling}:{self.until.isoformat()}"


@dataclass(frozen=True, slots=True)
class RechargeShort:
    """Even the largest pack leaves less than the threshold."""

    kind: ClassVar[str] = "recharge_short"
    purchase_id: int
    feature: str
    pack: str
    threshold: int

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.purchase_id}"


@dataclass(frozen=True, slots=True)
class RechargeChanged:
    """A pack was not bought at `at`, since it is not what was agreed to. agreed: the most that one
    may cost. amount: what it costs now, tax included; None where it is not sold any more.
    """

    kind: ClassVar[str] = "recharge_changed"
    policy_id: int
    feature: str
    pack: str
    agreed: Money | None
    amount: Money | None
    at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.policy_id}:{self.at.isoformat()}"


RechargeNotice = RechargeAgreed | RechargePaused | RechargeLimited | RechargeShort | RechargeChanged
RECHARGE_KINDS = (RechargeAgreed, RechargePaused, RechargeLimited, RechargeShort, RechargeChanged)
