"""The language in which a person reads pages and gets mail."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from portal.domain.access import Actor
from portal.models.accounts import PersonRow


def choose_language(session: Session, actor: Actor, locale: str) -> None:
    """Keep `locale` as the member's own, in every account of theirs; commit."""
    session.execute(
        update(PersonRow)
        .where(
            PersonRow.environment_id == actor.environment_id,
            PersonRow.id == actor.person_id,
        )
        .values(locale=locale)
    )
    session.commit()
