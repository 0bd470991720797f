"""Whether auto-recharge buys now, and why or why not; when it looks again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from portal.domain.forecast import used_up_at
from portal.domain.money import Money
from portal.domain.recharge import pack_to_buy

DEFAULT_COOLDOWN = timedelta(minutes=10)
LOOK_AGAIN = timedelta(hours=1)
"""How long something that nobody reports the end of is taken to last."""
RENEWED_IN = timedelta(minutes=5)
"""How long a renewal that is due is taken to last."""


class Cause(StrEnum):
    """Why a decision came out as it did. Source: product.md §6; the last four are ADR 0022's."""

    BOUGHT = "bought"
    ABOVE_THRESHOLD = "above_threshold"
    IN_FLIGHT = "in_flight"
    COOLDOWN = "cooldown_until"
    CAP = "cap_reached"
    CEILING = "ceiling_reached"
    WINDOW_ENDS = "window_ends_before_runout"
    PAST_DUE = "past_due"
    DECLINED = "declined"
    PAUSED = "paused"
    PLAN_ENDING = "plan_ending"
    NOT_SOLD = "not_sold"
    NO_CARD = "no_card"
    RENEWING = "renewing"
    PRICE_CHANGED = "price_changed"


class Trigger(StrEnum):
    """What made it look."""

    DRAW = "draw"
    SAVE = "save"
    RESUME = "resume"
    SETTLE = "settle"
    CAP_RESET = "cap_reset"
    AGAIN = "again"


class PauseCause(StrEnum):
    MEMBER = "member"
    DECLINED = "declined"
    AUTHENTICATION = "authentication"
    NO_CARD = "no_card"
    PRICE_CHANGED = "price_changed"
    NOT_SOLD = "not_sold"


@dataclass(frozen=True, slots=True)
class Pack:
    """One unit of an add-on that is charged once. amount: tax included.

    until: when what it brings ends; None for never. is_charged: False where the account's balance
    pays all of it.
    """

    add_on: str
    name: str
    units: int
    amount: Money
    until: datetime | None
    is_charged: bool = True


@dataclass(frozen=True, slots=True)
class Room:
    """What may still be spent this month; None = any amount."""

    cap: Money
    ceiling: Money | None


@dataclass(frozen=True, slots=True)
class Policy:
    """What was agreed to. chosen: the pack's add-on. agreed: what one of each pack that the
    consent names may cost, by its add-on; no other is bought."""

    threshold: int
    chosen: str
    cooldown: timedelta
    tried_at: datetime | None
    agreed: Mapping[str, Money]


@dataclass(frozen=True, slots=True)
class Standing:
    """How an account stands at `now`.

    remaining: None = no limit. pace: units a day. may_buy: the plan is in force and paid for.
    is_renewing: another plan has come, and its renewal has not run.
    """

    now: datetime
    remaining: Decimal | None
    pace: Fraction
    window_end: datetime | None
    next_month: datetime
    packs: tuple[Pack, ...]
    room: Room
    may_buy: bool
    is_ending: bool
    in_flight: bool
    has_card: bool
    is_renewing: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """cause: BOUGHT: buy `pack` now. until: how long the cause holds, where that is known.

    look_at: when to look again without being asked. clears: False when even the largest pack
    leaves too little.
    """

    cause: Cause
    pack: Pack | None = None
    clears: bool = True
    until: datetime | None = None
    look_at: datetime | None = None


def larger_packs(packs: Iterable[Pack], chosen: Pack) -> tuple[Pack, ...]:
    """What may be bought instead of the chosen one where that is too little, the smallest first."""
    more = [pack for pack in packs if pack.units > chosen.units]
    return tuple(sorted(more, key=lambda pack: (pack.units, pack.amount.minor)))


def is_dearer(pack: Pack, agreed: Mapping[str, Money]) -> bool:
    """Whether it costs more than the consent says. False for what that does not name."""
    before = agreed.get(pack.add_on)
    if before is None:
        return False
    return pack.amount.currency != before.currency or pack.amount.minor > before.minor


def decide(policy: Policy, at: Standing) -> Decision:
    """What to do now. Source: product.md §6 (auto-recharge)."""
    if at.remaining is None:
        return Decision(Cause.ABOVE_THRESHOLD, look_at=at.now + timedelta(days=1))
    if at.remaining >= policy.threshold:
        return Decision(Cause.ABOVE_THRESHOLD)
    return _not_at_all(policy, at) or _which(policy, at, at.remaining)


def _not_at_all(policy: Policy, at: Standing) -> Decision | None:
    """Why nothing is bought, whatever the pack."""
    again = at.now + LOOK_AGAIN
    if at.in_flight:
        return Decision(Cause.IN_FLIGHT, look_at=again)
    if not at.may_buy:
        return Decision(Cause.PAST_DUE, look_at=again)
    if at.is_renewing:
        return Decision(Cause.RENEWING, look_at=at.now + RENEWED_IN)
    if at.is_ending:
        return Decision(Cause.PLAN_ENDING, look_at=again)
    if policy.tried_at is not None and at.now < policy.tried_at + policy.cooldown:
        ends = policy.tried_at + policy.cooldown
        return Decision(Cause.COOLDOWN, until=ends, look_at=ends)
    is_sold = any(pack.add_on == policy.chosen for pack in at.packs)
    return None if is_sold else Decision(Cause.NOT_SOLD)


def _which(policy: Policy, at: Standing, remaining: Decimal) -> Decision:
    """The pack to buy, unless it is not needed or may not be paid for."""
    pack, clears = _pack(policy, at, remaining)
    if not _is_needed(at, pack, remaining):
        ends, again = at.window_end, at.now + LOOK_AGAIN
        return Decision(Cause.WINDOW_ENDS, pack, clears, ends, again)
    if is_dearer(pack, policy.agreed):
        return Decision(Cause.PRICE_CHANGED, pack, clears)
    if pack.amount.minor > at.room.cap.minor:
        return Decision(Cause.CAP, pack, clears, at.next_month, at.next_month)
    if at.room.ceiling is not None and pack.amount.minor > at.room.ceiling.minor:
        return Decision(Cause.CEILING, pack, clears, at.next_month, at.next_month)
    if pack.is_charged and not at.has_card:
        return Decision(Cause.NO_CARD, pack, clears)
    return Decision(Cause.BOUGHT, pack, clears)


def _pack(policy: Policy, at: Standing, remaining: Decimal) -> tuple[Pack, bool]:
    """Of packs with equally many units the cheapest; the chosen one before both."""
    named = [pack for pack in at.packs if pack.add_on in policy.agreed]
    by_units = sorted(named, key=lambda p: (p.units, p.add_on != policy.chosen, p.amount.minor))
    chosen = next(p for p in by_units if p.add_on == policy.chosen)
    sizes = [p.units for p in by_units]
    choice = pack_to_buy(int(remaining), policy.threshold, chosen.units, sizes)
    if choice is None:
        raise ValueError("nothing to buy above the threshold")
    if chosen.units == choice.units:
        return chosen, choice.clears
    return next(p for p in by_units if p.units == choice.units), choice.clears


def _is_needed(at: Standing, pack: Pack, remaining: Decimal) -> bool:
    """False when the window, and the pack with it, ends before what is left is used up. Where less
    than a unit is left, it is: whoever stops there uses nothing, and has no pace."""
    if remaining < 1:
        return True
    if at.window_end is None or pack.until is None or pack.until > at.window_end:
        return True
    runs_out = used_up_at(remaining, at.pace, at.now)
    return runs_out is not None and runs_out < at.window_end
