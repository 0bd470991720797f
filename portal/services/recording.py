"""Facts about what was done, added to the transaction that does it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.events import EventName
from portal.models.events import EventRow
from portal.services.announcing import announce
from portal.services.sealing import seal_at_commit


@dataclass(frozen=True, slots=True)
class Doer:
    """Who or what acts: a person of an account, or a named part of the portal.

    behalf_of: the person through whose eyes somebody else acts. address: of the person's session.
    """

    name: str
    account_id: int | None = None
    person_id: int | None = None
    behalf_of: int | None = None
    address: str = ""


CLI = Doer("cli")
"""Whoever may use the commands."""


def record(
    session: Session,
    scope: Scope,
    doer: Doer,
    event: EventName,
    subject: str,
    at: datetime,
    **detail: Any,
) -> None:
    """Append one event, and tell the host of it where it wants to know. subject: `kind:id`."""
    row = EventRow(
        environment_id=scope.environment_id,
        account_id=doer.account_id,
        person_id=doer.person_id,
        behalf_of_id=doer.behalf_of,
        actor=doer.name,
        address=doer.address,
        name=event,
        subject=subject,
        detail=detail,
        at=at,
    )
    session.add(row)
    seal_at_commit(session, row)
    announce(session, scope, doer.account_id, event, subject, detail, at)
