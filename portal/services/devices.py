"""Browsers that somebody has signed in with: strangers' tries do not pause them."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of
from portal.models.sign_in import DeviceRow

KEPT = timedelta(days=180)


def is_known(session: Session, scope: Scope, person_id: int, device: str, wall: WallNow) -> bool:
    """Whether the person has signed in there within 180 days; 0 is nobody."""
    found = session.scalar(
        select(DeviceRow.id).where(
            DeviceRow.environment_id == scope.environment_id,
            DeviceRow.person_id == person_id,
            DeviceRow.digest == digest_of(device),
            DeviceRow.last_used_at > wall - KEPT,
        )
    )
    return found is not None


def remember(session: Session, scope: Scope, person_id: int, device: str, wall: WallNow) -> str:
    """What the browser's cookie is to hold: what it holds, where that is this person's, or anew."""
    row = session.scalar(
        select(DeviceRow).where(
            DeviceRow.environment_id == scope.environment_id,
            DeviceRow.person_id == person_id,
            DeviceRow.digest == digest_of(device),
        )
    )
    if row is not None:
        row.last_used_at = wall
        return device
    fresh = secrets.token_urlsafe(32)
    session.add(
        DeviceRow(
            environment_id=scope.environment_id,
            person_id=person_id,
            digest=digest_of(fresh),
            created_at=wall,
            last_used_at=wall,
        )
    )
    return fresh


def forget_others(session: Session, scope: Scope, person_id: int, device: str) -> None:
    """Know this browser only."""
    session.execute(
        delete(DeviceRow).where(
            DeviceRow.environment_id == scope.environment_id,
            DeviceRow.person_id == person_id,
            DeviceRow.digest != digest_of(device),
        )
    )
