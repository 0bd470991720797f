"""What was agreed to, as it is shown again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.models.accounts import PersonRow
from portal.models.consents import ConsentRow


@dataclass(frozen=True, slots=True)
class Consent:
    """person: the name of who agreed. request: beside the box that was ticked; empty without."""

    person: str
    at: datetime
    address: str
    text_version: str
    locale: str
    button: str
    button_locale: str
    statements: tuple[str, ...]
    request: str
    digest: str


def consents_to(session: Session, actor: Actor, *subjects: str) -> tuple[Consent, ...]:
    """Those of the actor's account to any of `subjects`, in order."""
    rows = session.execute(
        select(ConsentRow, PersonRow.name)
        .join(PersonRow, PersonRow.id == ConsentRow.person_id)
        .where(
            ConsentRow.environment_id == actor.environment_id,
            PersonRow.environment_id == actor.environment_id,
            ConsentRow.account_id == actor.account_id,
            ConsentRow.subject.in_(subjects),
        )
        .order_by(ConsentRow.id)
    )
    return tuple(_told(row, name) for row, name in rows)


def _told(row: ConsentRow, name: str) -> Consent:
    return Consent(
        person=name,
        at=row.agreed_at.astimezone(UTC),
        address=row.address,
        text_version=row.text_version,
        locale=row.locale,
        button=row.button,
        button_locale=row.button_locale,
        statements=tuple(row.statements),
        request=row.request,
        digest=row.digest,
    )
