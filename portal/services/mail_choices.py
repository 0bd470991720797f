"""Which mails a member chose to get."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.errors import NotFound
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow, MembershipRow
from portal.queries.accounts import billing_now


@dataclass(frozen=True, slots=True)
class MailChoices:
    """One member's, of one account."""

    alerts: bool
    expiries: bool
    digest: bool


def choices_of(session: Session, actor: Actor) -> MailChoices:
    row = _row(session, actor)
    return MailChoices(row.wants_alerts, row.wants_expiries, row.digest_since_at is not None)


def choose(session: Session, actor: Actor, chosen: MailChoices, wall: WallNow) -> None:
    """Keep what the member chose for themselves; commit. Raises Forbidden."""
    actor.require(Permission.BILLING_UPDATE)
    row = _row(session, actor)
    row.wants_alerts, row.wants_expiries = chosen.alerts, chosen.expiries
    if not chosen.digest:
        row.digest_since_at = None
    elif row.digest_since_at is None:
        account = session.get_one(AccountRow, (actor.environment_id, actor.account_id))
        row.digest_since_at = billing_now(account, wall)
    session.commit()


def _row(session: Session, actor: Actor) -> MembershipRow:
    """Raises NotFound for somebody who is no member any more."""
    row = session.scalars(
        select(MembershipRow).where(
            MembershipRow.environment_id == actor.environment_id,
            MembershipRow.account_id == actor.account_id,
            MembershipRow.person_id == actor.person_id,
        )
    ).one_or_none()
    if row is None:
        raise NotFound("member")
    return row
