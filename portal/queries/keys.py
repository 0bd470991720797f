"""The API keys of an environment."""

from __future__ import annotations

import hmac

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from portal.domain.access import Scope
from portal.domain.keys import Access, ApiKey, digest_of_key, prefix_of
from portal.models.keys import ApiKeyRow

_NOBODYS = digest_of_key("")


def find_key(session: Session, scope: Scope, written: str) -> ApiKey | None:
    """The key that `written` is, in whatever state; None for one that was never given out.

    Compared in constant time, a prefix that is not there with a digest that nothing has.
    """
    row = session.scalar(_keys(scope).where(ApiKeyRow.prefix == (prefix_of(written) or "")))
    right = hmac.compare_digest(row.digest if row else _NOBODYS, digest_of_key(written))
    return key_of(row) if row is not None and right else None


def all_keys(session: Session, scope: Scope) -> tuple[ApiKey, ...]:
    """Oldest first, those that no longer work too."""
    return tuple(key_of(row) for row in session.scalars(_keys(scope).order_by(ApiKeyRow.id)))


def key_of(row: ApiKeyRow) -> ApiKey:
    return ApiKey(
        id=row.id,
        prefix=row.prefix,
        name=row.name,
        access=Access(row.access),
        opens_sessions=row.opens_sessions,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


def _keys(scope: Scope) -> Select[ApiKeyRow]:
    return select(ApiKeyRow).where(ApiKeyRow.environment_id == scope.environment_id)
