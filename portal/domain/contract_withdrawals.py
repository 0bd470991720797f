"""A consumer's right to withdraw from a contract: how long it lasts, and what goes back then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from portal.domain.credit_notes import credit_in
from portal.domain.credits import StoredLine, credit_lines, given_back
from portal.domain.lines import QuoteLine
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.proration import credit_for
from portal.domain.supply import Supply

_DAY = timedelta(days=1)
_TO_MONDAY = {6: 2 * _DAY, 7: _DAY}
"""By the day of the week, Saturday 6: how long a time that ends there goes on."""


@dataclass(frozen=True, slots=True)
class Contract:
    """agreed_at: when it was agreed to last. asked: the consumer wanted it to start before the time
    to withdraw is over. ends_at: the first instant at which there is no withdrawing any more."""

    agreed_at: datetime
    asked: bool
    ends_at: datetime

    @property
    def last_at(self) -> datetime:
        """The last second of it, which is in its last day."""
        return self.ends_at - timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Once:
    """What is left of something that is charged once. units: the share of its units, None where it
    brings none. span: when it is in force, None without an end."""

    units: Fraction | None = None
    span: Period | None = None

    def share(self, at: datetime) -> Fraction:
        """Units say it best; then time; what neither measures was not used."""
        if self.units is not None:
            return self.units
        return self.span.fraction_left(at) if self.span else Fraction(1)


@dataclass(frozen=True, slots=True)
class Part:
    """One charged line, the share of it that has not been supplied, and what is given back.

    once: of what is charged once. whole: all goes back, whatever was supplied. ahead: of a period,
    the share of its time. supply: of a period that runs, what of its units is used.
    """

    line: StoredLine
    share: Fraction
    given: tuple[QuoteLine, ...]
    once: Once | None = None
    whole: bool = False
    ahead: Fraction | None = None
    supply: Supply | None = None

    @property
    def goes_by_units(self) -> bool:
        """Whether more of its units has been supplied than of its time."""
        return self.ahead is not None and self.share < self.ahead

    @property
    def credited(self) -> Money:
        """All that goes back of it, with its tax."""
        return credit_in(self.given, self.line.billed.currency).total


def withdrawal_end(agreed_at: datetime, days: int, zone: str) -> datetime:
    """The end of the last day, in the account's zone.

    The day of the contract does not count, and a time that would end on a Saturday or a Sunday
    ends on the Monday. Source: Directive 2011/83/EU art. 9; Regulation 1182/71 art. 3.
    """
    last = agreed_at.astimezone(ZoneInfo(zone)).date() + days * _DAY
    last += _TO_MONDAY.get(last.isoweekday(), timedelta(0))
    return datetime.combine(last + _DAY, time(), ZoneInfo(zone)).astimezone(UTC)


def part_of(
    line: StoredLine, contract: Contract, once: Once, at: datetime, supply: Supply | None = None
) -> Part:
    """What withdrawing at `at` gives back of a line; once: for a line that has no period.

    All, where nobody asked to start; else what was not supplied: of a pack by units, of a period by
    time or by `supply`, whichever has the larger share supplied. Never more than is kept.
    Source: Directive 2011/83/EU art. 13, 14(3) and (4); ADR 0029.
    """
    period = line.period
    if not contract.asked and (period is None or period.end > contract.agreed_at):
        return Part(line, Fraction(1), _back(line, Fraction(1)), whole=True)
    if period is not None:
        return _part_of_period(line, period, at, supply if at in period else None)
    share = once.share(at)
    return Part(line, share, _back(line, share), once)


def _part_of_period(line: StoredLine, period: Period, at: datetime, supply: Supply | None) -> Part:
    ahead = period.fraction_left(at)
    if supply is None or supply.left >= ahead:
        return Part(line, ahead, credit_lines(line, at), ahead=ahead, supply=supply)
    return Part(line, supply.left, _back(line, supply.left), ahead=ahead, supply=supply)


def _back(line: StoredLine, share: Fraction) -> tuple[QuoteLine, ...]:
    """None of a line whose rest a change of plan has credited."""
    if line.closed_at is not None:
        return ()
    billed = line.billed
    return given_back(line, credit_for(billed.scaled(share), billed, line.credited, line.refunded))
