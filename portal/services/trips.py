"""A browser's trip to an identity provider: begun once, answered once, by the same browser."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.identities import Answer, Errand, Trip
from portal.domain.periods import WallNow
from portal.domain.sign_in import Origin, digest_of
from portal.domain.throttle import TRIP, network_of
from portal.models.identities import TripRow
from portal.services.throttling import Paused, admit, watched

LIFE = timedelta(minutes=10)


def begin(
    session: Session,
    scope: Scope,
    errand: Errand,
    origin: Origin,
    wall: WallNow,
    person_id: int | None = None,
) -> Trip | Paused:
    """A trip, of which the browser keeps what is written; commit. person_id: who links."""
    admitted = admit(session, scope, [watched(TRIP, network_of(origin.address))], wall)
    if isinstance(admitted, Paused):
        return admitted
    trip = Trip(secrets.token_urlsafe(32))
    session.add(
        TripRow(
            environment_id=scope.environment_id,
            errand=errand,
            person_id=person_id,
            digest=digest_of(trip.written),
            created_at=wall,
            expires_at=wall + LIFE,
        )
    )
    session.commit()
    return trip


def end(
    session: Session,
    scope: Scope,
    errand: Errand,
    trip: Trip,
    answer: Answer,
    wall: WallNow,
    person_id: int | None = None,
) -> bool:
    """Spend the trip, whatever comes of it; commit. False when the answer is not this trip's."""
    row = session.scalar(
        select(TripRow)
        .where(
            TripRow.environment_id == scope.environment_id,
            TripRow.digest == digest_of(trip.written),
            TripRow.errand == errand,
            TripRow.person_id.is_not_distinct_from(person_id),
            TripRow.used_at.is_(None),
            TripRow.expires_at > wall,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None or not trip.is_answered_by(answer.state):
        session.rollback()
        return False
    row.used_at = wall
    session.commit()
    return True
