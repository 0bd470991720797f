"""The wallet: credits by feature in burn order, and what of them will expire at today's pace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.catalog import Feature
from portal.domain.forecast import RunRate, unused, used_up_at
from portal.domain.grants import Lot, burn_rank
from portal.models.usage import LotRow
from portal.queries.accounts import AccountState
from portal.queries.loads import window_at
from portal.queries.usage import lot_of
from portal.queries.usage_days import run_rates
from portal.queries.wallet import CreditSource, credit_source, is_credit, lots_left, today_of
from portal.services.capacity import NewLot, lots_at, open_windows_now

MOST_WINDOWS = 60
"""How many later quota windows are looked at."""


@dataclass(frozen=True, slots=True)
class CreditLot:
    """unused: units that will expire at today's pace; None for a lot that never expires."""

    id: int
    source: CreditSource
    granted: Decimal
    left: Decimal
    since: datetime
    expires_at: datetime | None
    unused: Decimal | None


@dataclass(frozen=True, slots=True)
class Credits:
    """One feature's credit lots with units left, in burn order.

    rate: None before a whole day of use. others_first: units of other lots, such as the plan's
    own, that burn before the last of these. runs_out_at: when all lots of the feature are used up,
    where they will be.
    """

    feature: Feature
    lots: tuple[CreditLot, ...]
    rate: RunRate | None
    others_first: Decimal
    runs_out_at: datetime | None

    @property
    def left(self) -> Decimal:
        return sum((lot.left for lot in self.lots), Decimal(0))

    @property
    def unused(self) -> Decimal:
        return sum((lot.unused or Decimal(0) for lot in self.lots), Decimal(0))


def credits_of(session: Session, scope: Scope, state: AccountState) -> tuple[Credits, ...]:
    """Every feature with credits left; opens the lots of the present windows, and commits."""
    open_windows_now(session, scope, state)
    rows = lots_left(session, scope, state)
    features = [f for f in state.catalog.features if any(_is_of(f, r) for r in rows)]
    ids = [f.id for f in features]
    rates = run_rates(session, scope, state.account.id, ids, today_of(state))
    return tuple(
        _credits(
            state,
            feature,
            [row for row in rows if row.feature_id == feature.id],
            rates.get(feature.id),
        )
        for feature in features
    )


def _is_of(feature: Feature, row: LotRow) -> bool:
    return row.feature_id == feature.id and is_credit(row)


def _credits(
    state: AccountState, feature: Feature, rows: list[LotRow], rate: RunRate | None
) -> Credits:
    """Without a plan nothing is used, and all that ends is lost."""
    burns = rate.per_day if rate and state.subscription else Fraction(0)
    ordered = sorted(rows, key=lambda row: burn_rank(lot_of(row)))
    present = [lot_of(row) for row in ordered]
    lost = unused([*present, *_later(state, feature, rows)], burns, state.now)
    mine = [row for row in ordered if is_credit(row)]
    before = ordered[: ordered.index(mine[-1])]
    return Credits(
        feature=feature,
        lots=tuple(_credit_lot(state, row, lost.get(row.id)) for row in mine),
        rate=rate,
        others_first=sum((r.remaining for r in before if not is_credit(r)), Decimal(0)),
        runs_out_at=_empty_at(present, burns, state.now),
    )


def _empty_at(present: list[Lot], per_day: Fraction, now: datetime) -> datetime | None:
    """None where something of it ends or begins before: then a date would be a guess."""
    at = used_up_at(sum((lot.remaining for lot in present), Decimal(0)), per_day, now)
    ends = [lot.expires_at for lot in present if lot.expires_at is not None]
    return at if at is not None and all(end >= at for end in ends) else None


def _credit_lot(state: AccountState, row: LotRow, lost: Decimal | None) -> CreditLot:
    return CreditLot(
        id=row.id,
        source=credit_source(state, row.instance_id, row.source_key),
        granted=row.granted,
        left=row.remaining,
        since=row.effective_at,
        expires_at=row.expires_at,
        unused=lost,
    )


def _later(state: AccountState, feature: Feature, rows: list[LotRow]) -> list[Lot]:
    """What later windows bring before the last credits end, as lots with ids below zero."""
    ends = [row.expires_at for row in rows if row.expires_at is not None and is_credit(row)]
    if not ends:
        return []
    known = {(row.source_key, row.effective_at.astimezone(UTC)) for row in rows}
    found: dict[tuple[str, datetime], NewLot] = {}
    at = window_at(state, feature, state.now).end
    for _ in range(MOST_WINDOWS):
        if at >= max(ends):
            break
        for lot in lots_at(state, at):
            key = (lot.source_key, lot.effective_at)
            if lot.feature == feature and key not in known and lot.effective_at > state.now:
                found[key] = lot
        at = window_at(state, feature, at).end
    return [_lot(-number, new, state.now) for number, new in enumerate(found.values(), start=1)]


def _lot(number: int, new: NewLot, now: datetime) -> Lot:
    return Lot(
        id=number,
        granted=new.units,
        remaining=new.units,
        effective_at=new.effective_at,
        created_at=now,
        expires_at=new.expires_at,
        priority=new.priority,
        promotional=new.promotional,
    )
