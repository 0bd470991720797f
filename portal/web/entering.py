"""Where a request comes from, and the cookies that a browser gets once somebody is in."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from flask import Response, request, session, url_for
from flask_login import login_user, logout_user
from wtforms import Form

from portal.domain.sign_in import Origin, digest_of
from portal.queries.members import find_member
from portal.services.devices import KEPT
from portal.services.proving import Visit
from portal.services.sessions import Entered, sign_out
from portal.services.sign_in import CodeAsked
from portal.services.throttling import Paused, Refused
from portal.web import cookies, htmx
from portal.web.pacing import seconds
from portal.web.requests import HELD, ROLE, SignedIn, database, member, scope, wall
from portal.web.sign_in_sentences import wait_words

F = TypeVar("F", bound=Form)
CHALLENGE, TARGET = "challenge", "target"
DEVICE = "device"


def origin() -> Origin:
    device = cookies.held(DEVICE)
    return Origin(request.remote_addr or "", request.user_agent.string, device)


def visit() -> Visit:
    """Of who is signed in. Raises NotFound when nobody is: ask behind `requires`."""
    who = member()
    return Visit(database(), who.actor, who.session_id, origin(), wall())


def go_on(outcome: Entered | CodeAsked, target: str) -> Response:
    """To `target`, or to the page that asks for a code first."""
    if isinstance(outcome, CodeAsked):
        let_go()
        session[CHALLENGE], session[TARGET] = outcome.challenge, target
        return htmx.go(url_for("auth.code"))
    take(outcome.sid)
    return know(htmx.go(target), outcome.device)


def take(sid: str) -> None:
    """Give the browser this session's id, and nothing of what its cookie held before."""
    let_go()
    found = find_member(database(), scope(), digest_of(sid), wall())
    if found is not None:
        login_user(SignedIn(sid, found))
        session[ROLE] = found.actor.role


def let_go() -> None:
    """End the session that the browser holds, if any, and empty its cookie."""
    held = session.get(HELD, "")
    if held:
        sign_out(database(), scope(), held, wall())
    logout_user()
    session.clear()


def know(response: Response, device: str) -> Response:
    """Let the browser be known at the next sign-in."""
    cookies.give(response, DEVICE, device, KEPT)
    return response


def not_let_in(
    form: F, outcome: Paused | Refused, wrong: str, show: Callable[[F, int], Response]
) -> Response:
    """The form anew. wrong: what a refusal says; a pause says how long it lasts."""
    if isinstance(outcome, Refused):
        form.form_errors.append(wrong)
        return show(form, 422)
    form.form_errors.append(wait_words(outcome.wait))
    return too_soon(show(form, 429), outcome.wait)


def too_soon(response: Response, wait: timedelta) -> Response:
    """Say when the next try is worth it."""
    response.headers["Retry-After"] = str(seconds(wait))
    return response
