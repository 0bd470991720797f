"""The weekly digest of use, for the members who chose it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.digests import last_due
from portal.domain.forecast import RunRate, rate_since, used_up_at
from portal.domain.notices import is_told
from portal.domain.periods import WallNow
from portal.domain.use_notices import Measured, UsageDigest, WeekOfUse, digest_key
from portal.models.accounts import AccountRow, MembershipRow
from portal.models.mails import MailRow
from portal.queries.accounts import AccountState, account_state, billing_now
from portal.queries.usage import Meter, meters
from portal.queries.usage_days import daily, run_rates
from portal.services import mailing
from portal.services.alone import alone
from portal.services.capacity import open_windows


@dataclass(frozen=True, slots=True)
class _Due:
    account_id: int
    monday: date
    at: datetime


def send_digests(session: Session, scope: Scope, wall: WallNow) -> None:
    """Store the digests of this week that are due and not stored yet; commits each account.

    Safe to repeat: each member's week is stored once. Late, it is the last week's only.
    """
    for due in list(_missing(session, scope, wall)):
        with alone(session, "digest_left_out", account_id=due.account_id):
            state = account_state(session, scope, due.account_id, wall)
            open_windows(session, scope, state, state.now)
            weeks = weeks_of_use(session, scope, state, due.monday)
            if weeks:
                notice = UsageDigest(due.account_id, due.monday, due.at, weeks)
                mailing.post(session, scope, due.account_id, notice)


def weeks_of_use(
    session: Session, scope: Scope, state: AccountState, monday: date
) -> tuple[WeekOfUse, ...]:
    """Every metered feature that the account has, in the seven days before `monday`."""
    found = meters(session, scope, state)
    used = daily(session, scope, state.account.id, rate_since(monday))
    consumed = [m.feature.id for m in found if m.feature.is_consumed]
    rates = run_rates(session, scope, state.account.id, consumed, monday)
    weeks = []
    for meter in found:
        by_day = used.get(meter.feature.id, {})
        week = [units for day, units in by_day.items() if day < monday]
        weeks.append(_week(meter, week, rates.get(meter.feature.id), state.now))
    return tuple(weeks)


def _week(meter: Meter, week: list[Decimal], rate: RunRate | None, now: datetime) -> WeekOfUse:
    feature, consumed = meter.feature, meter.feature.is_consumed
    used = sum(week, Decimal(0)) if consumed else max(week, default=meter.used)
    left, per_day = meter.left or Decimal(0), rate.per_day if rate else Fraction(0)
    return WeekOfUse(
        feature=Measured(feature.id, feature.name, feature.unit_plural),
        is_level=not consumed,
        used=used,
        total=meter.used,
        allowance=meter.allowance,
        left=meter.left,
        percent=meter.percent,
        pace=rate.rounded if rate else Decimal(0),
        resets_at=meter.window.end if meter.window else None,
        runs_out_at=used_up_at(left, per_day, now),
    )


def _missing(session: Session, scope: Scope, wall: WallNow) -> Iterator[_Due]:
    """Accounts with a member whose digest of the last Monday is not stored, in two statements."""
    reading = (
        select(
            AccountRow, MembershipRow.person_id, MembershipRow.digest_since_at, MembershipRow.role
        )
        .join(
            MembershipRow,
            and_(
                MembershipRow.environment_id == AccountRow.environment_id,
                MembershipRow.account_id == AccountRow.id,
            ),
        )
        .where(
            AccountRow.environment_id == scope.environment_id,
            MembershipRow.digest_since_at.is_not(None),
        )
        .order_by(AccountRow.id)
    )
    wanted: dict[str, _Due] = {}
    kind = UsageDigest.kind
    for account, person_id, since, role in session.execute(reading):
        monday, at = last_due(billing_now(account, wall), account.zone)
        if since is not None and since.astimezone(UTC) <= at and is_told(Role(role), kind):
            key = f"{digest_key(account.id, monday)}:{person_id}"
            wanted[key] = _Due(account.id, monday, at)
    stored = select(MailRow.key).where(
        MailRow.environment_id == scope.environment_id, MailRow.key.in_(wanted)
    )
    known = set(session.scalars(stored))
    yield from dict.fromkeys(due for key, due in wanted.items() if key not in known)
