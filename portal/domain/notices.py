"""What members and staff are told by mail: figures and dates, never words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar

from portal.domain.access import GRANTS, Permission, Role
from portal.domain.catalog import Price
from portal.domain.credit_notices import AddOnEnded, Credited
from portal.domain.declaration_notices import (
    DECLARATION_KINDS,
    DeclarationNotice,
    DeclarationWaits,
)
from portal.domain.declines import DeclineReason
from portal.domain.ending_notices import (
    AddOnCancelled,
    ContractWithdrawn,
    PlanCancelled,
    PlanEnded,
    PurchaseLapsed,
)
from portal.domain.keeping_notices import AddOnKept, PlanKept
from portal.domain.member_notices import MEMBER_KINDS, MemberNotice
from portal.domain.money import Money
from portal.domain.price_notices import PRICE_KINDS, PriceNotice
from portal.domain.proposals import Proposed
from portal.domain.recharge_notices import RECHARGE_KINDS, RechargeNotice
from portal.domain.refunds import RefundReason
from portal.domain.renewal_notices import RENEWAL_KINDS, RenewalNotice
from portal.domain.sign_in_notices import SIGN_IN_KINDS, SignInNotice
from portal.domain.support_notices import (
    SUPPORT_KINDS,
    AccessAnswered,
    ApprovalAnswered,
    ApprovalAsked,
    SupportNotice,
)
from portal.domain.use_notices import USE_KINDS, UseNotice


@dataclass(frozen=True, slots=True)
class Invoiced:
    """The invoice that a notice speaks of; its PDF goes along where it has been made."""

    id: int
    number: int


@dataclass(frozen=True, slots=True)
class Sold:
    """One line of what was sold: a name of the catalog's, and its amount before tax. beyond: it is
    use that the allowance did not cover."""

    name: str
    quantity: int
    amount: Money
    beyond: bool = False


@dataclass(frozen=True, slots=True)
class Purchased:
    """charged: taken now; carried: left for the next invoice. renews_at: None for what is charged
    once, which lasts until ends_at; None there: it never expires. starts_at: of what was bought
    for later. invoice: None where its first period is billed then, or nothing had to be paid.
    uses: what it charges for use, in arrear. agreed: the statements that were shown, word for word.
    begins: a plan, where there was none any more.
    """

    kind: ClassVar[str] = "purchased"
    purchase_id: int
    sold: tuple[Sold, ...]
    charged: Money
    carried: Money
    invoice: Invoiced | None = None
    renews_at: datetime | None = None
    ends_at: datetime | None = None
    starts_at: datetime | None = None
    uses: tuple[Price, ...] = ()
    agreed: tuple[str, ...] = ()
    begins: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.purchase_id}"


@dataclass(frozen=True, slots=True)
class PaymentDeclined:
    """A purchase that the bank refused. held_until: how long it can be paid another way."""

    kind: ClassVar[str] = "payment_declined"
    purchase_id: int
    attempt_id: int
    name: str
    amount: Money
    reason: DeclineReason
    may_retry: bool
    held_until: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.attempt_id}"


@dataclass(frozen=True, slots=True)
class Refunded:
    """Money that went back; failed: the bank would not take it. kept: it is on the balance then."""

    kind: ClassVar[str] = "refunded"
    refund_id: int
    amount: Money
    reason: RefundReason
    failed: bool
    at: datetime
    kept: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.refund_id}:{'failed' if self.failed else 'succeeded'}"


@dataclass(frozen=True, slots=True)
class Renewed:
    """A renewal that is paid or carried. next_at: of the next, if any. recovered: paid late."""

    kind: ClassVar[str] = "renewed"
    invoice: Invoiced
    sold: tuple[Sold, ...]
    charged: Money
    carried: Money
    next_at: datetime | None
    recovered: bool = False

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.invoice.id}"


@dataclass(frozen=True, slots=True)
class PaymentFailed:
    """The charge of a renewal. tries: those that failed so far. reason: None without a card.

    retry_at: None when it is not tried again. suspends_at: when service stops unpaid. ends_at:
    when it stops before that, with a plan that is cancelled.
    """

    kind: ClassVar[str] = "payment_failed"
    invoice: Invoiced
    tries: int
    amount: Money
    reason: DeclineReason | None
    retry_at: datetime | None
    suspends_at: datetime
    ends_at: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.invoice.id}:{self.tries}"


@dataclass(frozen=True, slots=True)
class Suspended:
    """Service stopped at `at`; owed: the sum of the open invoices."""

    kind: ClassVar[str] = "suspended"
    subscription_id: int
    at: datetime
    owed: Money

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subscription_id}:{self.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class Restored:
    """All open invoices are paid, and service is back since `at`."""

    kind: ClassVar[str] = "restored"
    subscription_id: int
    at: datetime

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subscription_id}:{self.at.isoformat()}"


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """reference: of what changed it, `purchase:1` or `plan_change:1`. before, after: plans.

    scheduled: agreed for effective_at; else in force since then. charged: None when nothing was.
    agreed: as of what is bought.
    """

    kind: ClassVar[str] = "plan_changed"
    reference: str
    before: str
    after: str
    effective_at: datetime
    scheduled: bool
    charged: Money | None = None
    invoice: Invoiced | None = None
    agreed: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.reference}:{'scheduled' if self.scheduled else 'done'}"


@dataclass(frozen=True, slots=True)
class CardExpiring:
    """The default card, while something renews. reminder: 1, 2 … of the same end."""

    kind: ClassVar[str] = "card_expiring"
    card_id: int
    brand: str
    last4: str
    last_day: date
    reminder: int

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.card_id}:{self.last_day}:{self.reminder}"


@dataclass(frozen=True, slots=True)
class TrialEnding:
    """amount: of the first charge, tax included, at ends_at."""

    kind: ClassVar[str] = "trial_ending"
    subscription_id: int
    plan: str
    ends_at: datetime
    amount: Money

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.subscription_id}:{self.ends_at.isoformat()}"


Notice = (
    Purchased | PaymentDeclined | Refunded | AddOnCancelled | Renewed | PaymentFailed | Suspended
    | Restored | PlanChanged | CardExpiring | TrialEnding | PriceNotice | RenewalNotice
    | PlanCancelled | PlanEnded | PurchaseLapsed | ContractWithdrawn | Credited | AddOnEnded
    | Proposed | UseNotice | RechargeNotice | SignInNotice | SupportNotice | MemberNotice
    | DeclarationNotice | AddOnKept | PlanKept
)  # fmt: skip
STAFF_KINDS = (ApprovalAsked, ApprovalAnswered, AccessAnswered, DeclarationWaits)
"""For staff, and no member."""
KINDS: dict[str, type[Notice]] = {
    kind.kind: kind
    for kind in (
        Purchased, PaymentDeclined, Refunded, AddOnCancelled, Renewed, PaymentFailed, Suspended,
        Restored, PlanChanged, CardExpiring, TrialEnding, *PRICE_KINDS, *RENEWAL_KINDS,
        PlanCancelled, PlanEnded, PurchaseLapsed, ContractWithdrawn, Credited, AddOnEnded,
        Proposed, *USE_KINDS, *RECHARGE_KINDS, *SIGN_IN_KINDS, *SUPPORT_KINDS, *STAFF_KINDS,
        *MEMBER_KINDS, *DECLARATION_KINDS, AddOnKept, PlanKept,
    )
}  # fmt: skip
TOLD: dict[str, Permission] = (
    dict.fromkeys(KINDS, Permission.BILLING_UPDATE)
    | dict.fromkeys(
        (Suspended.kind, Restored.kind, PlanEnded.kind, ContractWithdrawn.kind),
        Permission.BILLING_READ,
    )
    | dict.fromkeys((each.kind for each in SIGN_IN_KINDS), Permission.SELF_UPDATE)
    | dict.fromkeys(
        (each.kind for each in (*SUPPORT_KINDS, *MEMBER_KINDS, *DECLARATION_KINDS)),
        Permission.MEMBERS_UPDATE,
    )
    | dict.fromkeys((each.kind for each in STAFF_KINDS), Permission.STAFF)
)
"""Who gets what: those who can act on it, and everybody when the service itself stops, or a part of
it at once; of a sign-in only the person whose own it is, whatever their role; of staff who look,
the owners; of members, owners and whom it is about; of what was declared for their account, the
owners; of what is for staff, no member."""


def is_told(role: Role, kind: str) -> bool:
    return TOLD[kind] in GRANTS[role]
