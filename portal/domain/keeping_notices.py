"""What members are told when something that was cancelled is kept after all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from portal.domain.renewal_notices import Renewing


@dataclass(frozen=True, slots=True)
class AddOnKept:
    """kept_at: really. renewing: what is charged next; None where it ends with the plan. agreed:
    the statements that were shown, word for word."""

    kind: ClassVar[str] = "add_on_kept"
    instance_id: int
    name: str
    quantity: int
    kept_at: datetime
    renewing: Renewing | None = None
    agreed: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.instance_id}:{self.kept_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class PlanKept:
    """The same of the plan. add_ons: names of what goes on with it."""

    kind: ClassVar[str] = "plan_kept"
    subscription_id: int
    plan: str
    kept_at: datetime
    add_ons: tuple[str, ...] = ()
    renewing: Renewing | None = None
    agreed: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subscription_id}:{self.kept_at.isoformat()}"
