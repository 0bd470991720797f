"""One notice of each kind, and variants that read differently."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from portal.domain import recharge_notices as recharge
from portal.domain.access import Role
from portal.domain.capacity import MONTH
from portal.domain.catalog import BillingModel, InvoiceCadence, PriceType, Tier, TierMode
from portal.domain.credit_notes import Cause
from portal.domain.credit_notices import AddOnEnded, Credited, Noted
from portal.domain.declaration_notices import (
    DeclarationAnswered,
    DeclarationMatched,
    DeclarationReceived,
    DeclarationWaits,
)
from portal.domain.declarations import (
    Answer,
    CancellationKind,
    Declaration,
    Declared,
    Shown,
)
from portal.domain.declines import DeclineReason
from portal.domain.member_notices import MemberGone, MemberJoined, RoleChanged
from portal.domain.notices import (
    CardExpiring,
    Invoiced,
    Notice,
    PaymentDeclined,
    PaymentFailed,
    PlanChanged,
    Purchased,
    Refunded,
    Renewed,
    Restored,
    Sold,
    Suspended,
    TrialEnding,
)
from portal.domain.price_notices import PriceChanging, PriceStays, UsePriceChanging, UsePriceStays
from portal.domain.proposals import Proposed
from portal.domain.purchases import Undeliverable
from portal.domain.quotas import Help
from portal.domain.refunds import Correction
from portal.domain.renewal_notices import RenewalAhead, Renewing, StillRenewing
from portal.domain.sign_in_notices import (
    IdentitySwitched,
    Invited,
    PasswordChanged,
    PasswordForgotten,
    Place,
    RecoveryCodesMade,
    SecondFactorSwitched,
)
from portal.domain.support_notices import (
    AccessAnswered,
    ApprovalAnswered,
    ApprovalAsked,
    SupportAsked,
    SupportStarted,
)
from portal.domain.use_notices import LotExpiring, Measured, QuotaReached, UsageDigest, WeekOfUse
from tests.support.ending_notices import AT, ENDINGS, MONTHLY, YEARLY, usd
from tests.unit.samples import MESSAGES, recurring

BY_USE = replace(
    recurring("0.0008"), type=PriceType.USAGE, invoice_cadence=InvoiceCadence.ARREAR,
    feature=MESSAGES,
)  # fmt: skip
BOUGHT = Purchased(
    purchase_id=7,
    sold=(Sold("Salesforce connector", 1, usd(4900)), Sold("Extra members", 5, usd(22500))),
    charged=usd(27400),
    carried=usd(32),
    renews_at=AT,
)
BEGUN = replace(
    BOUGHT, sold=(Sold("Growth", 1, usd(9900)),), charged=usd(9900), carried=usd(0), begins=True
)
FAILED = PaymentFailed(
    invoice=Invoiced(3, 12), tries=1, amount=usd(14900), reason=DeclineReason.INSUFFICIENT_FUNDS,
    retry_at=AT, suspends_at=AT + timedelta(days=20),
)  # fmt: skip
CHANGED = PlanChanged("purchase:9", "Growth", "Business", AT, scheduled=False, charged=usd(9900))
RENEWED = Renewed(Invoiced(3, 12), BOUGHT.sold, usd(27400), usd(0), next_at=AT)
RECOVERED = replace(RENEWED, recovered=True)
RETURNED = Refunded(5, usd(4900), Undeliverable.PAID_TWICE, failed=False, at=AT)
RAISED = PriceChanging(3, 4, "Extra members", 5, usd(22500), usd(25000), MONTH, AT, reminder=False)
IN_TIERS = replace(
    BY_USE, billing_model=BillingModel.TIERED, tier_mode=TierMode.VOLUME,
    tiers=(Tier(1_000, Decimal("0.001"), Decimal(5)), Tier(None, Decimal("0.0008"))),
)  # fmt: skip
DEARER = UsePriceChanging(
    3, 4, "Messages by use", BY_USE, replace(BY_USE, amount=Decimal("0.001")), AT, reminder=False
)
CREDITED = Credited(
    note=Noted(2, 1),
    invoice_number=12,
    names=("Salesforce connector", "Extra members"),
    cause=Cause.CORRECTED,
    reason="It did not work for a week.",
    amount=usd(4000),
    off_invoice=usd(0),
    to_card=usd(3000),
    to_balance=usd(1000),
    card_brand="visa",
    card_last4="4242",
)
MESSAGES, SEATS = Measured(1, "Messages", "messages"), Measured(3, "Members", "members")
REACHED = QuotaReached(
    account_id=1, feature=MESSAGES, threshold=90, used=Decimal(180_000), allowance=Decimal(200_000),
    window_start_at=AT - timedelta(days=30), resets_at=AT,
    help=Help("messages_100k", "100,000 message pack", "messages_100k_usd", Decimal(100_000)),
)  # fmt: skip
EXPIRING = LotExpiring(8, 7, Measured(2, "SMS credits", "credits"), Decimal("400.5"), AT)
WEEK = WeekOfUse(
    feature=MESSAGES, is_level=False, used=Decimal(4_200), total=Decimal(9_000),
    allowance=Decimal(100_000), left=Decimal(91_000), percent=9, pace=Decimal(600),
    resets_at=AT, runs_out_at=AT + timedelta(days=120),
)  # fmt: skip
DIGEST = UsageDigest(
    1,
    date(2026, 4, 27),
    AT,
    (
        WEEK,
        replace(WEEK, runs_out_at=AT - timedelta(days=2)),
        replace(WEEK, runs_out_at=None),
        replace(WEEK, left=Decimal(0), percent=100),
        replace(WEEK, allowance=None, left=None, percent=None),
        replace(WEEK, feature=SEATS, is_level=True, used=Decimal(8), percent=80),
    ),
)
PAUSED = recharge.RechargePaused(
    policy_id=3, feature="Messages", pack="Message pack", amount=usd(4900),
    reason=DeclineReason.INSUFFICIENT_FUNDS, asks=False, purchase_id=7, at=AT,
)  # fmt: skip
PLACE = Place(AT, "192.0.2.7", "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0")
INVITED = Invited("00aa", "Ada", "Northwind", Role.BILLING, AT + timedelta(days=7))
ROLE = RoleChanged(5, "Ada", "Bo", "Northwind", Role.MEMBER, Role.ADMIN, AT, is_own=False)
GONE = MemberGone(5, "Ada", "Bo", "Northwind", AT, is_own=False)
FORGOTTEN = PasswordForgotten("00ff", PLACE, AT + timedelta(minutes=30))
SWITCHED = SecondFactorSwitched(5, PLACE, is_on=True)
PROPOSED = Proposed(
    6, "Ann", "100,000 message pack", "messages_100k", 2, False, "You asked us to", AT
)
APPROVAL_ASKED = ApprovalAsked(5, "Ann", "Northwind", "A figure is wrong.", "T-1", AT)
APPROVED = ApprovalAnswered(5, "Ann", 1, "Northwind", "T-1", True, AT)
LET_IN = AccessAnswered(5, 1, "Northwind", "T-1", AT)
WAITS = DeclarationWaits(7, "Growth", "Northwind")
DECLARED = DeclarationReceived(
    Declared(
        7,
        Declaration(
            CancellationKind.ORDINARY, "", "Ada", "Northwind", "Growth", None, "ada@new.test"
        ),
        Shown("cancel-2026-12", "en", "jetzt kündigen", "de"),
        AT,
    )
)
FOR_CAUSE = replace(
    DECLARED.declared,
    said=replace(
        DECLARED.declared.said, kind=CancellationKind.FOR_CAUSE,
        reason="It did not work for a week.", wanted_on=date(2026, 6, 30),
    ),
)  # fmt: skip
NOTICES: list[Notice] = [
    BOUGHT,
    replace(BOUGHT, sold=BOUGHT.sold[:1], carried=usd(0), renews_at=None, ends_at=AT),
    replace(BOUGHT, renews_at=None),
    PaymentDeclined(7, 8, "SMS pack", usd(10000), DeclineReason.EXPIRED_CARD, False, AT),
    RETURNED,
    replace(RETURNED, failed=True),
    RENEWED,
    FAILED,
    replace(FAILED, reason=None, retry_at=None, tries=4),
    Suspended(2, AT, usd(29800)),
    Restored(2, AT),
    CHANGED,
    replace(CHANGED, scheduled=True, charged=None),
    CardExpiring(6, "visa", "4242", date(2026, 5, 31), 1),
    TrialEnding(2, "Growth", AT, usd(14900)),
    RenewalAhead(2, Renewing("Growth", AT, usd(99000), YEARLY)),
    RenewalAhead(2, Renewing("Salesforce connector", AT, usd(99000), YEARLY, 4)),
    StillRenewing(2, 1, (Renewing("Growth", AT, usd(9900), MONTHLY),)),
    replace(FAILED, ends_at=AT),
    replace(RENEWED, next_at=None),
    RECOVERED,
    RAISED,
    DEARER,
    replace(DEARER, instance_id=None, name="Business", before=IN_TIERS, reminder=True),
    UsePriceStays(3, "Messages by use", IN_TIERS, AT),
    replace(RAISED, instance_id=None, name="Growth", quantity=1, reminder=True),
    PriceStays(3, "Extra members", 5, usd(22500), MONTH, AT),
    CREDITED,
    replace(CREDITED, to_card=usd(0), to_balance=usd(500), off_invoice=usd(3500), reason=""),
    replace(CREDITED, cause=Cause.AT_PROCESSOR, reason="", card_brand="", card_last4=""),
    replace(RETURNED, reason=Correction.CREDITED, failed=True, kept=True),
    AddOnEnded(4, "Extra members", 5, AT, "You asked us to.", usd(1500)),
    AddOnEnded(4, "Extra members", 1, AT, "You asked us to.", usd(0)),
    REACHED,
    replace(REACHED, threshold=100, used=REACHED.allowance, help=None),
    replace(REACHED, feature=SEATS, resets_at=None),
    EXPIRING,
    replace(EXPIRING, days=1),
    DIGEST,
    PAUSED,
    replace(PAUSED, asks=True),
    replace(PAUSED, reason=None, purchase_id=None),
    recharge.RechargeLimited(3, "Messages", "Message pack", usd(4900), usd(10000), False, AT),
    recharge.RechargeLimited(3, "Messages", "Message pack", usd(4900), usd(50000), True, AT),
    recharge.RechargeShort(7, "Messages", "Message pack", 60000),
    recharge.RechargeAgreed(
        9, "Messages", "Message pack", 10_000, usd(4900), usd(14700), ("You asked us to.",)
    ),
    *(
        recharge.RechargeChanged(3, "Messages", "Pack", usd(4900), now, AT)
        for now in (usd(5900), None)
    ),
    FORGOTTEN,
    INVITED,
    replace(INVITED, role=Role.OWNER),
    PasswordChanged(5, PLACE, by_link=True),
    PasswordChanged(5, PLACE, by_link=True, issuers=("https://acme.test",)),
    PasswordChanged(5, PLACE, by_link=False),
    SWITCHED,
    replace(SWITCHED, is_on=False),
    RecoveryCodesMade(5, PLACE),
    IdentitySwitched(5, "Continue with Acme", PLACE, is_linked=True),
    IdentitySwitched(5, "Continue with Acme", PLACE, is_linked=False),
    replace(BOUGHT, uses=(BY_USE, IN_TIERS)),
    SupportStarted(3, "Ann", "Ada", "A figure is wrong.", "T-1", AT, AT + timedelta(minutes=30)),
    SupportStarted(
        3, "Ann", "Ada", "A figure is wrong.", "T-1", AT, AT + timedelta(minutes=30), "Ben"
    ),
    SupportAsked(4, "Ann", "A figure is wrong.", "T-1"),
    APPROVAL_ASKED,
    APPROVED,
    replace(APPROVED, is_approved=False),
    LET_IN,
    replace(LET_IN, ends_at=None),
    WAITS,
    replace(WAITS, contract="Northwind", account=""),
    PROPOSED,
    replace(PROPOSED, quantity=1, note="", auto_renew=True),
    ROLE,
    replace(ROLE, is_own=True),
    GONE,
    replace(GONE, is_own=True),
    replace(GONE, by=""),
    replace(BOUGHT, agreed=("You asked us to.",)),
    replace(CHANGED, agreed=("You asked us to.",)),
    DECLARED,
    replace(DECLARED, declared=FOR_CAUSE),
    DeclarationMatched(FOR_CAUSE, "Northwind"),
    DeclarationAnswered(DECLARED.declared, Answer.CARRIED_OUT, "", "Growth", AT),
    DeclarationAnswered(FOR_CAUSE, Answer.DONE, "You asked us to."),
    DeclarationAnswered(FOR_CAUSE, Answer.NOT_OURS, "You asked us to."),
    MemberJoined(5, "Ada", "ada@new.test", "Northwind", Role.BILLING, AT),
    BEGUN,
    *ENDINGS,
]
