"""Which mails a member chose to get."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Permission
from portal.domain.errors import NotFound
from portal.domain.events import EventName
from portal.domain.periods import WallNow
from portal.models.accounts import AccountRow, MembershipRow
from portal.queries.accounts import billing_now
from portal.services.recording import record
from portal.services.till import doer_of


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
    if choices_of(session, actor) != chosen:
        _keep(session, actor, chosen, wall)
    session.commit()


def _keep(session: Session, actor: Actor, chosen: MailChoices, wall: WallNow) -> None:
    row = _row(session, actor)
    account = session.get_one(AccountRow, (actor.environment_id, actor.account_id))
    now = billing_now(account, wall)
    row.wants_alerts, row.wants_expiries = chosen.alerts, chosen.expiries
    row.digest_since_at = (row.digest_since_at or now) if chosen.digest else None
    told, subject = EventName.MAILS_CHOSEN, f"person:{actor.person_id}"
    record(session, actor.scope, doer_of(actor), told, subject, now, **asdict(chosen))


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
