"""To whom a mail goes: of a notice, who is to know, where, and in which language."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.notices import Notice, is_told
from portal.domain.use_notices import TOPICS, Topic, UsageDigest
from portal.models.accounts import MembershipRow, PersonRow
from portal.models.staff import StaffRow


def members_told(
    session: Session, scope: Scope, account_id: int, notice: Notice
) -> list[dict[str, Any]]:
    """A mail's key, address and language for each member who may act on it and wants such mails."""
    statement = (
        select(PersonRow, MembershipRow)
        .join(MembershipRow, MembershipRow.person_id == PersonRow.id)
        .where(
            PersonRow.environment_id == scope.environment_id,
            MembershipRow.environment_id == scope.environment_id,
            MembershipRow.account_id == account_id,
        )
        .order_by(
            PersonRow.id
        )  # two transactions with the same keys wait, and never for each other
    )
    return [
        addressed(person, notice)
        for person, member in session.execute(statement)
        if is_told(Role(member.role), notice.kind) and _wants(member, notice)
    ]


def addressed(person: PersonRow, notice: Notice) -> dict[str, Any]:
    """The same for one person."""
    key = f"{notice.key}:{person.id}"
    return {"key": key, "recipient": person.email, "locale": person.locale}


def addressed_staff(staff: StaffRow, notice: Notice) -> dict[str, Any]:
    """The same for one of the staff, of whom no language is known."""
    return {"key": f"{notice.key}:{staff.id}", "recipient": staff.email, "locale": ""}


def _wants(member: MembershipRow, notice: Notice) -> bool:
    """Whether a member chose to get such mails; most kinds leave no choice."""
    since = member.digest_since_at
    if isinstance(notice, UsageDigest):
        return since is not None and since <= notice.due_at
    match TOPICS.get(notice.kind):
        case Topic.ALERTS:
            return member.wants_alerts
        case Topic.EXPIRIES:
            return member.wants_expiries
        case _:
            return True
