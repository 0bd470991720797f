"""Where the events of a report are counted: their windows and days, and the lots these need."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.arrears import is_closed
from portal.domain.catalog import Feature
from portal.domain.entitlements import Source
from portal.domain.grants import LotSource
from portal.domain.periods import Period
from portal.domain.usage import Counted, Late, Refused, Usage, place, refused
from portal.models.usage import LotRow
from portal.queries.accounts import AccountState
from portal.queries.by_the_clock import usage_price
from portal.queries.usage import LEVEL_WINDOW, quota_windows, unlimited_sources
from portal.services.capacity import NewLot, lots_at, open_lots

_HALF_A_DAY = 43_200


@dataclass(frozen=True, slots=True)
class Placed:
    """An event that can be counted. verdict: what is told if it is.

    counted_at: the instant whose lots it draws on, in the window that begins at window_start_at.
    draws: False for a level, and while something without a limit is in force.
    has_plan: what is left of packs is not used up without one.
    """

    event: Usage
    feature: Feature
    verdict: Counted | Late
    counted_at: datetime
    window_start_at: datetime
    day: date
    draws: bool
    has_plan: bool = True

    @property
    def is_correction(self) -> bool:
        return self.event.units < 0

    @property
    def is_late(self) -> bool:
        return isinstance(self.verdict, Late)


def place_all(
    state: AccountState, events: Sequence[Usage], oldest: timedelta | None
) -> list[Placed | Refused]:
    """What can be counted and what cannot, in the order of the report."""
    features = {f.lookup_key: f for f in state.catalog.features}
    zone, places = ZoneInfo(state.account.zone), dict[str, _Place]()
    found: list[Placed | Refused] = []
    for event in events:
        if no := refused(event, features, state.now, oldest):
            found.append(no)
            continue
        feature = features[event.feature]
        if not feature.is_consumed:
            found.append(_level(event, feature, zone))
        else:
            if event.feature not in places:
                places[event.feature] = _Place(state, feature)
            found.append(places[event.feature].use(event, zone, oldest))
    return found


def open_lots_for(
    session: Session, scope: Scope, state: AccountState, placed: Iterable[Placed]
) -> None:
    """Open the lots of every window that these draw on.

    A window lasts longer than half a day: what is in force at the first and the last instant of
    one covers all between.
    """
    instants: dict[int, list[datetime]] = {}
    for each in placed:
        if each.draws:
            half_day = int(each.counted_at.timestamp()) // _HALF_A_DAY
            instants.setdefault(half_day, []).append(each.counted_at)
    edges = {edge for found in instants.values() for edge in (min(found), max(found))}
    lots = {(lot.source_key, lot.effective_at): lot for at in edges for lot in lots_at(state, at)}
    open_lots(session, scope, state.account.id, _still_due(session, scope, state, lots.values()))


def _still_due(
    session: Session, scope: Scope, state: AccountState, lots: Iterable[NewLot]
) -> list[NewLot]:
    """Without those of windows that are over and were opened by the plan of that time."""
    found = list(lots)
    past = [lot for lot in found if lot.expires_at and lot.expires_at <= state.now]
    if not past:
        return found
    opened = session.execute(
        select(LotRow.feature_id, LotRow.effective_at).where(
            LotRow.environment_id == scope.environment_id,
            LotRow.account_id == state.account.id,
            LotRow.source == LotSource.PLAN,
            LotRow.effective_at.in_({lot.effective_at for lot in past}),
        )
    )
    known = {(feature_id, at.astimezone(UTC)) for feature_id, at in opened}
    return [
        lot
        for lot in found
        if lot not in past
        or lot.source is not LotSource.PLAN
        or (lot.feature.id, lot.effective_at) not in known
    ]


def _level(event: Usage, feature: Feature, zone: ZoneInfo) -> Placed:
    return Placed(
        event=event,
        feature=feature,
        verdict=Counted(event.event_id, None),
        counted_at=event.occurred_at,
        window_start_at=LEVEL_WINDOW,
        day=event.occurred_at.astimezone(zone).date(),
        draws=False,
    )


class _Place:
    """The windows of one consumed feature; the last one is kept, most events share it."""

    def __init__(self, state: AccountState, feature: Feature) -> None:
        self.now = state.now
        self.feature = feature
        self.anchor, self.interval = quota_windows(state, feature)
        self.has_plan = state.subscription is not None
        self.unlimited: tuple[Source, ...] = unlimited_sources(state, feature)
        self.last: Period | None = None
        self.state = state

    def is_billed(self, window: Period) -> bool:
        subscription, price = self.state.subscription, usage_price(self.state, self.feature, window)
        if subscription is None or price is None:
            return False
        anchor, until = subscription.cycle.billing_anchor, subscription.use_billed_until
        return is_closed(price, anchor, window, until)

    def window_at(self, at: datetime) -> Period:
        if self.last is None or at not in self.last:
            self.last = self.anchor.period_at(at, self.interval)
        return self.last

    def use(self, event: Usage, zone: ZoneInfo, oldest: timedelta | None) -> Placed:
        verdict = place(event, self.now, self.window_at, self.is_billed, oldest)
        at = self.now if isinstance(verdict, Late) else event.occurred_at
        window = self.window_at(at)
        return Placed(
            event=event,
            feature=self.feature,
            verdict=verdict,
            counted_at=at,
            window_start_at=window.start,
            day=at.astimezone(zone).date(),
            draws=not any(source.is_effective(at) for source in self.unlimited),
            has_plan=self.has_plan,
        )
