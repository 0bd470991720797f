"""What members are told when something ends: an add-on, a plan, a contract, unpaid purchases."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from portal.domain.money import Money
from portal.domain.renewal_notices import Renewing


@dataclass(frozen=True, slots=True)
class AddOnCancelled:
    """cancelled_at: when it was asked for; ends_at: until when it stays. bills_use: what is used
    until then is still to be billed. renewing: what is charged next if it is kept."""

    kind: ClassVar[str] = "add_on_cancelled"
    instance_id: int
    name: str
    quantity: int
    cancelled_at: datetime
    ends_at: datetime
    bills_use: bool = False
    renewing: Renewing | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.instance_id}:{self.cancelled_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class PlanCancelled:
    """cancelled_at: when it was asked for. keep_until: how long it can be taken back.

    add_ons: names of what ends with it. withdrawn: the plan that it was to become. renewing: what
    is charged next for the plan if it is kept.
    """

    kind: ClassVar[str] = "plan_cancelled"
    subscription_id: int
    plan: str
    cancelled_at: datetime
    keep_until: datetime
    ends_at: datetime
    add_ons: tuple[str, ...] = ()
    withdrawn: str | None = None
    renewing: Renewing | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subscription_id}:{self.cancelled_at.isoformat()}"


@dataclass(frozen=True, slots=True)
class PlanEnded:
    """owed: the sum of the open invoices."""

    kind: ClassVar[str] = "plan_ended"
    subscription_id: int
    plan: str
    at: datetime
    owed: Money

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subscription_id}"


@dataclass(frozen=True, slots=True)
class PurchaseLapsed:
    """A purchase not paid in its time. add_on: its lookup key, None for a change of plan."""

    kind: ClassVar[str] = "purchase_lapsed"
    purchase_id: int
    name: str
    amount: Money
    add_on: str | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.purchase_id}"


@dataclass(frozen=True, slots=True)
class ContractWithdrawn:
    """What a consumer withdrew from, and when. subject: `instance:1` or `subscription:1`.

    person: who declared it. credited: all that goes back, tax included: off_invoice need not be
    paid any more, the rest to the card and to the balance. add_ons: names of what ends with a plan;
    owed: the sum of its invoices that are open all the same. waived: what use beyond the allowance
    would have cost that is not billed yet and never will be.
    """

    kind: ClassVar[str] = "contract_withdrawn"
    subject: str
    name: str
    quantity: int
    person: str
    at: datetime
    credited: Money
    off_invoice: Money
    to_card: Money
    to_balance: Money
    add_ons: tuple[str, ...] = ()
    owed: Money | None = None
    waived: Money | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subject}"
