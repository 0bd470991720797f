"""Who asks: one API key of this environment, in the Authorization header and nowhere else."""

from __future__ import annotations

from flask import g, request

from portal.api.problems import ApiProblem
from portal.api.requests import database, pace, scope, wall
from portal.domain.keys import Access, ApiKey, KeyState
from portal.queries.keys import find_key
from portal.services.keys import touch

CHALLENGE = 'Bearer realm="portal"'
STATES = {
    KeyState.EXPIRED: ("expired-key", "This key has expired: use the one that replaced it."),
    KeyState.REVOKED: ("revoked-key", "This key was revoked."),
}
REFUSED = {
    Access.WRITE: ("read-only-key", "This key may only read."),
    Access.PORTAL_SESSIONS: (
        "no-portal-sessions",
        "This key may not sign members in: it was made without portal-sessions.",
    ),
}


def enter(needed: Access) -> None:
    """Count the request for its key. Raises ApiProblem: 401, 403 or 429."""
    key = _key()
    if seconds := pace().wait_s(key.id, wall()):
        detail = f"More than {pace().per_minute} requests in a minute."
        headers = {"Retry-After": str(seconds)}
        raise ApiProblem(429, "too-many-requests", detail, headers=headers)
    if not key.covers(needed):
        challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{needed}"'
        raise ApiProblem(403, *REFUSED[needed], headers={"WWW-Authenticate": challenge})
    touch(database(), scope(), key, wall())
    g.api_key = key


def api_key() -> ApiKey:
    """The key behind the request."""
    found: ApiKey = g.api_key
    return found


def doer() -> str:
    """Who acts, as events name them."""
    return f"key:{api_key().prefix}"


def _key() -> ApiKey:
    scheme, _, written = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not written.strip():
        detail = "Send your API key: Authorization: Bearer portal_…"
        raise ApiProblem(401, "no-key", detail, headers={"WWW-Authenticate": CHALLENGE})
    key = find_key(database(), scope(), written.strip())
    if key is None:
        raise _refused("unknown-key", "This environment does not know the key.")
    if (state := key.state(wall())) is not KeyState.GOOD:
        raise _refused(*STATES[state])
    return key


def _refused(kind: str, detail: str) -> ApiProblem:
    headers = {"WWW-Authenticate": f'{CHALLENGE}, error="invalid_token"'}
    return ApiProblem(401, kind, detail, headers=headers)
