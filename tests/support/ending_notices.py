"""Notices of what ends, is cancelled or kept, as samples."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from portal.domain.ending_notices import (
    AddOnCancelled,
    ContractWithdrawn,
    PlanCancelled,
    PlanEnded,
    PurchaseLapsed,
)
from portal.domain.keeping_notices import AddOnKept, PlanKept
from portal.domain.money import Money
from portal.domain.notices import Notice
from portal.domain.periods import BillingPeriod, Interval
from portal.domain.renewal_notices import Renewing

AT = datetime(2026, 5, 1, 3, 30, tzinfo=UTC)
"""The evening before in New York."""


def usd(minor: int) -> Money:
    return Money(minor, "usd")


PLAN_CANCELLED = PlanCancelled(
    subscription_id=2, plan="Growth", cancelled_at=AT, keep_until=AT, ends_at=AT,
    add_ons=("Extra members", "SMS pack"), withdrawn="Starter",
)  # fmt: skip
WITHDREW = ContractWithdrawn(
    subject="instance:4", name="Extra members", quantity=5, person="Ada", at=AT,
    credited=usd(4000), off_invoice=usd(1000), to_card=usd(2500), to_balance=usd(500),
)  # fmt: skip
MONTHLY, YEARLY = Interval(BillingPeriod.MONTHLY), Interval(BillingPeriod.ANNUAL)
ADD_ON_CANCELLED = AddOnCancelled(4, "Extra members", 5, cancelled_at=AT, ends_at=AT)
RENEWING = Renewing("Extra members", AT, usd(22500), MONTHLY, 4)
KEPT = AddOnKept(4, "Extra members", 5, AT, RENEWING)
PLAN_KEPT = PlanKept(2, "Growth", AT, renewing=Renewing("Growth", AT, usd(9900), MONTHLY))
ENDINGS: list[Notice] = [
    ADD_ON_CANCELLED,
    replace(ADD_ON_CANCELLED, renewing=RENEWING),
    PLAN_CANCELLED,
    replace(PLAN_CANCELLED, add_ons=(), withdrawn=None),
    replace(PLAN_CANCELLED, renewing=Renewing("Growth", AT, usd(9900), MONTHLY)),
    replace(PLAN_CANCELLED, add_ons=(), renewing=Renewing("Growth", AT, usd(9900), MONTHLY)),
    PlanEnded(2, "Growth", AT, usd(14900)),
    PlanEnded(2, "Growth", AT, usd(0)),
    PurchaseLapsed(7, "SMS pack", usd(10000), "sms_pack"),
    PurchaseLapsed(7, "Business", usd(13333)),
    WITHDREW,
    replace(WITHDREW, subject="subscription:2", person="", quantity=1, add_ons=("SMS pack",)),
    replace(WITHDREW, subject="subscription:2", owed=usd(400), waived=usd(800)),
    replace(WITHDREW, to_card=usd(0), to_balance=usd(0)),
    replace(ADD_ON_CANCELLED, bills_use=True),
    KEPT,
    replace(KEPT, renewing=None, agreed=("You asked us to.",)),
    PLAN_KEPT,
    replace(PLAN_KEPT, add_ons=("SMS pack",), agreed=("You asked us to.",)),
]
