"""What is known about a request before its view runs: id, clock, scope, member, account."""

from __future__ import annotations

import secrets
from typing import cast

import structlog
from flask import Flask, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, UserMixin, current_user
from htmx_flask import Htmx
from sqlalchemy.orm import Session

from portal.domain.access import Role, Scope
from portal.domain.errors import NotFound
from portal.domain.periods import WallNow
from portal.domain.sign_in import digest_of
from portal.models.base import db
from portal.models.session import set_scope
from portal.queries.accounts import AccountState, account_state
from portal.queries.members import Member, find_member, find_scope
from portal.queries.support import SupportView
from portal.services.accounts import ensure_environment
from portal.services.sessions import renew, touch
from portal.web import htmx
from portal.web.wiring import wiring

STAFF_PREFIX = "/staff"
HELD, ROLE = "_user_id", "role"
"""What a browser's cookie holds: the session's id, as Flask-Login names it, and a role with it."""


class SignedIn(UserMixin):
    """Flask-Login's user: a member, known by the id of their session and nothing else."""

    def __init__(self, sid: str, member: Member) -> None:
        self.sid = sid
        self.member = member

    def get_id(self) -> str:
        return self.sid


def install(app: Flask) -> None:
    Htmx(app)
    manager = LoginManager()
    manager.init_app(app, add_context_processor=False)  # it would read a member on staff pages
    manager.session_protection = ""  # sessions are rows; Flask-Login only carries their id
    manager.user_loader(_load)
    manager.unauthorized_handler(send_to_sign_in)
    app.before_request(_begin)


def wall() -> WallNow:
    """One wall-clock instant for the whole request."""
    found: WallNow = g.wall
    return found


def database() -> Session:
    return db.session()


def scope() -> Scope:
    """The environment this deployment serves."""
    found: Scope = g.scope
    return found


def is_staff_page() -> bool:
    """Whether the request is for one: nothing of a member is on it."""
    return request.path == STAFF_PREFIX or request.path.startswith(f"{STAFF_PREFIX}/")


def support_view() -> SupportView | None:
    """The support view that is on, on whatever page."""
    found: SupportView | None = g.get("support_view")
    return found


def signed_in() -> SignedIn | None:
    """The visitor's session as a member, if they have one here; on staff pages nobody has.

    A support view comes before a session of the visitor's own, which then is not even read.
    """
    if is_staff_page():
        return None
    if (view := support_view()) is not None:
        return SignedIn("", view.member)
    user = cast("SignedIn | None", current_user._get_current_object())
    return user if "scope" in g and isinstance(user, SignedIn) else None


def member() -> Member:
    """Who is signed in. Raises NotFound when nobody is: ask behind `requires`."""
    user = signed_in()
    if user is None:
        raise NotFound("member")
    return user.member


def state() -> AccountState:
    """The member's account, read once per request; `forget_state` after a write."""
    if "state" not in g:
        actor = member().actor
        g.state = account_state(database(), actor.scope, actor.account_id, wall())
    found: AccountState = g.state
    return found


def forget_state() -> None:
    g.pop("state", None)


def send_to_sign_in() -> ResponseReturnValue:
    """To the sign-in page and back; a fragment is answered so that htmx leaves the page."""
    here = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = url_for("auth.sign_in", next=here or None)
    if htmx.wants_partial():
        return htmx.leave(target, status=401)
    return redirect(target, 303)


def _begin() -> None:
    """Name the scope to the database before anything is read."""
    g.wall = wiring().now()
    g.request_id = secrets.token_hex(8)
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    if request.endpoint in ("static", "health.healthz"):
        return
    g.scope = _scope_of_deployment()
    set_scope(database(), g.scope.environment_id)


def _scope_of_deployment() -> Scope:
    """The environment that the settings name; the first request ever makes it."""
    settings = wiring().settings
    key, environment = settings.tenant_key, settings.portal_environment
    found = find_scope(database(), key, environment)
    return found or ensure_environment(database(), key, settings.tenant_name, environment)


def _load(sid: str) -> SignedIn | None:
    """The member behind a cookie; None for an id that is over, or from before another.

    The cookie stays as it is: this answer may come after the one that brings the session's new id.
    """
    if "scope" not in g:
        return None
    found = find_member(database(), scope(), digest_of(sid), wall())
    if found is None:
        return None
    if not htmx.refreshes():
        touch(database(), scope(), found.session_id, found.seen_at, wall())
        sid = _renewed(sid, found.actor.role)
    return SignedIn(sid, found)


def _renewed(sid: str, role: Role) -> str:
    """Another id where the role has changed since the browser got this one."""
    if session.get(ROLE) == role:
        return sid
    fresh = renew(database(), scope(), sid)
    if fresh is not None:
        session[HELD], session[ROLE] = fresh, role
    return fresh or sid
