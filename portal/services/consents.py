"""Keeping what a member agreed to, with what came of it; and checking that nobody changed it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Scope
from portal.domain.legal import Words
from portal.domain.periods import WallNow
from portal.models.consents import ConsentRow

_SAID = (
    "account_id", "person_id", "subject", "profile", "text_version", "locale", "button",
    "button_locale", "statements", "request", "address",
)  # fmt: skip


def keep_consent(
    session: Session, actor: Actor, subject: str, agreed: Words | None, wall: WallNow
) -> None:
    """Add what was agreed to; commit is the caller's. agreed: None where no page was shown.

    subject: what it is about, as events name it.
    """
    if agreed is None:
        return
    row = ConsentRow(
        environment_id=actor.environment_id,
        account_id=actor.account_id,
        person_id=actor.person_id,
        subject=subject,
        profile=agreed.profile,
        text_version=agreed.text_version,
        locale=agreed.locale,
        button=agreed.button,
        button_locale=agreed.button_locale,
        statements=list(agreed.statements),
        request=agreed.request,
        address=actor.address,
        agreed_at=wall.astimezone(UTC),
    )
    row.digest = _digest(row)
    session.add(row)


def said_to(session: Session, scope: Scope, subject: str) -> tuple[str, ...]:
    """What stood above the button that began `subject`, and beside its box; commits nothing."""
    row = session.scalar(
        select(ConsentRow)
        .where(ConsentRow.environment_id == scope.environment_id, ConsentRow.subject == subject)
        .order_by(ConsentRow.id)
        .limit(1)
    )
    if row is None:
        return ()
    return (*row.statements, row.request) if row.request else tuple(row.statements)


def said_in(agreed: Words | None) -> tuple[str, ...]:
    """The same of a button that was just pressed."""
    if agreed is None:
        return ()
    return (*agreed.statements, agreed.request) if agreed.request else agreed.statements


def verify_consents(session: Session, scope: Scope) -> Iterator[str]:
    """One sentence for each consent that is not what was kept."""
    rows = session.scalars(
        select(ConsentRow)
        .where(ConsentRow.environment_id == scope.environment_id)
        .order_by(ConsentRow.id)
        .execution_options(yield_per=1000)
    )
    for row in rows:
        if row.digest != _digest(row):
            yield f"consent {row.id} to {row.subject}: its words are not those that were agreed to"


def _digest(row: ConsentRow) -> str:
    said = {name: getattr(row, name) for name in _SAID}
    said["agreed_at"] = row.agreed_at.astimezone(UTC).isoformat()
    plain = json.dumps(said, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(plain.encode()).hexdigest()
