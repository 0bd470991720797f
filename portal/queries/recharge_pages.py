"""What the auto-recharge page shows: each feature's policy, every decision, the last 30 days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Feature
from portal.domain.money import Money
from portal.domain.recharge import default_pack, default_threshold
from portal.domain.recharge_decisions import (
    DEFAULT_COOLDOWN,
    Cause,
    Pack,
    PauseCause,
    is_dearer,
)  # fmt: skip
from portal.domain.spending import month_of
from portal.models.catalog import AddOnRow, FeatureRow
from portal.models.purchases import PurchaseRow
from portal.models.recharge import RechargeDecisionRow, RechargePolicyRow
from portal.queries.accounts import AccountState
from portal.queries.recharge import (
    agreed_amounts,
    allowance_of,
    packs_of,
    rechargeable,
)  # fmt: skip
from portal.queries.spending import Counted, counted, spent_this_year
from portal.queries.usage import meter_of

MOST_SHOWN = 100
CAP_PACKS = 3
"""The monthly maximum that is proposed, in packs."""


@dataclass(frozen=True, slots=True)
class Values:
    """pack: an add-on's lookup key."""

    threshold: int
    pack: str
    cap: Money
    cooldown: timedelta


@dataclass(frozen=True, slots=True)
class Recharging:
    """One feature. policy: what is agreed to, None for nothing; proposed: that, or defaults.

    policy_id: None for nothing. status: on, paused or off. left: units now, None for no limit.
    packs may be empty: then none is sold now. agreed: what a pack may cost, by its add-on, as the
    last consent names it.
    """

    feature: Feature
    status: str
    pause_cause: PauseCause | None
    proposed: Values | None
    packs: tuple[Pack, ...]
    left: Decimal | None
    month: Counted
    this_year: Money
    agreed: Mapping[str, Money]
    policy_id: int | None = None

    @property
    def dearer(self) -> tuple[Pack, ...]:
        """Packs that cost more by now than was agreed to."""
        return tuple(pack for pack in self.packs if is_dearer(pack, self.agreed))

    def pack(self, add_on: str) -> Pack | None:
        return next((p for p in self.packs if p.add_on == add_on), None)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as history shows it. purchase: what became of what was bought."""

    at: datetime
    feature: str
    cause: Cause
    remaining: Decimal | None
    threshold: int
    pack: str
    amount: Money | None
    until: datetime | None
    reason: str
    clears: bool
    purchase_id: int | None
    purchase: str | None


def rechargings(session: Session, scope: Scope, state: AccountState) -> tuple[Recharging, ...]:
    """Every feature that can be recharged; its lots are open already."""
    policies = _policies(session, scope, state)
    return tuple(
        _recharging(session, scope, state, feature, policies.get(feature.id))
        for feature in rechargeable(state)
    )


def decisions(session: Session, scope: Scope, state: AccountState) -> tuple[Decided, ...]:
    """The account's latest, newest first."""
    row = RechargeDecisionRow
    statement = (
        select(row, FeatureRow.name, AddOnRow.name, PurchaseRow.status)
        .join(RechargePolicyRow, RechargePolicyRow.id == row.policy_id)
        .join(FeatureRow, FeatureRow.id == RechargePolicyRow.feature_id)
        .outerjoin(AddOnRow, AddOnRow.id == row.add_on_id)
        .outerjoin(PurchaseRow, PurchaseRow.id == row.purchase_id)
        .where(
            row.environment_id == scope.environment_id,
            row.account_id == state.account.id,
            RechargePolicyRow.environment_id == scope.environment_id,
            FeatureRow.environment_id == scope.environment_id,
        )
        .order_by(row.id.desc())
        .limit(MOST_SHOWN)
    )
    return tuple(_decided(*found) for found in session.execute(statement))


def paused_by_itself(session: Session, scope: Scope, state: AccountState) -> tuple[str, ...]:
    """Names of features whose auto-recharge no member has paused: a member has to do something."""
    return tuple(
        session.scalars(
            select(FeatureRow.name)
            .join(RechargePolicyRow, RechargePolicyRow.feature_id == FeatureRow.id)
            .where(
                FeatureRow.environment_id == scope.environment_id,
                RechargePolicyRow.environment_id == scope.environment_id,
                RechargePolicyRow.account_id == state.account.id,
                RechargePolicyRow.status == "paused",
                RechargePolicyRow.pause_cause != PauseCause.MEMBER,
            )
        )
    )


def _recharging(
    session: Session, scope: Scope, state: AccountState, feature: Feature,
    row: RechargePolicyRow | None,
) -> Recharging:  # fmt: skip
    packs, account = packs_of(state, scope, feature), state.account
    zero = Money.zero(account.currency)
    month, year = Counted(zero, zero), zero
    if row is not None:
        now = month_of(state.now, account.zone)
        month = counted(session, scope.environment_id, account, row.id, now)
        year = spent_this_year(session, scope.environment_id, account, row.id, state.now)
    return Recharging(
        feature=feature,
        status=row.status if row else "off",
        pause_cause=PauseCause(row.pause_cause) if row and row.pause_cause else None,
        proposed=_agreed(row, state) if row else _default(state, feature, packs),
        packs=packs,
        left=meter_of(session, scope, state, feature).left,
        month=month,
        this_year=year,
        agreed=agreed_amounts(session, row) if row is not None else {},
        policy_id=row.id if row else None,
    )


def _agreed(row: RechargePolicyRow, state: AccountState) -> Values:
    chosen = next((a.lookup_key for a in state.catalog.add_ons if a.id == row.add_on_id), "")
    cap = Money(row.cap_minor, row.currency)
    return Values(row.threshold, chosen, cap, timedelta(seconds=row.cooldown_s))


def _default(state: AccountState, feature: Feature, packs: tuple[Pack, ...]) -> Values | None:
    if not packs:
        return None
    allowance = allowance_of(state, feature) or max(pack.units for pack in packs)
    units = default_pack(allowance, [pack.units for pack in packs])
    pack = next(p for p in packs if p.units == units)
    threshold = max(default_threshold(allowance), 1)
    return Values(threshold, pack.add_on, pack.amount.times(CAP_PACKS), DEFAULT_COOLDOWN)


def _policies(session: Session, scope: Scope, state: AccountState) -> dict[int, RechargePolicyRow]:
    row = RechargePolicyRow
    mine = select(row).where(
        row.environment_id == scope.environment_id, row.account_id == state.account.id
    )
    found = session.scalars(mine.execution_options(populate_existing=True))
    return {policy.feature_id: policy for policy in found}


def _decided(
    row: RechargeDecisionRow, feature: str, pack: str | None, purchase: str | None
) -> Decided:
    return Decided(
        at=row.at.astimezone(UTC),
        feature=feature,
        cause=Cause(row.cause),
        remaining=row.remaining,
        threshold=row.threshold,
        pack=pack or "",
        amount=None if row.amount_minor is None else Money(row.amount_minor, row.currency),
        until=row.until_at.astimezone(UTC) if row.until_at else None,
        reason=row.reason,
        clears=row.clears,
        purchase_id=row.purchase_id,
        purchase=purchase,
    )
