"""Staff at their pages: a cookie of their own, which opens no page of a customer's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import ParamSpec

from flask import Response, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from portal.domain.access import Permission
from portal.domain.errors import NotFound
from portal.queries.staff import StaffMember, find_staff_member
from portal.services.recording import Doer
from portal.services.staff import staff_doer
from portal.services.staff_sign_in import ABSOLUTE_LIFE, sign_out, touch
from portal.web import cookies, htmx
from portal.web.requests import database, is_staff_page, scope, support_view, wall

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]
COOKIE = "staff"


def staff_only(view: View[P]) -> View[P]:
    """Let in staff who are signed in as such, of whatever role; nobody else."""
    return _guarded(view, Permission.STAFF)


def administrators_only(view: View[P]) -> View[P]:
    """Let in administrators of the staff; Forbidden for the others of them."""
    return _guarded(view, Permission.STAFF_ADMIN)


def staff_signed_in() -> StaffMember | None:
    """The visitor's session as staff, on staff pages only; read once per request."""
    if "scope" not in g or not is_staff_page():
        return None
    if "staff" not in g:
        g.staff = _load(held_sid())
    found: StaffMember | None = g.staff
    return found


def held_sid() -> str:
    """The id of a session as staff that the browser shows, on whatever page; it may be over."""
    return cookies.held(COOKIE)


def staff() -> StaffMember:
    """Who is signed in. Raises NotFound when nobody is: ask behind `staff_only`."""
    found = staff_signed_in()
    if found is None:
        raise NotFound("staff")
    return found


def note_proved() -> None:
    """Who is signed in has shown a second step with this request: its page asks for none."""
    g.staff = replace(staff(), proved_at=wall())


def doer() -> Doer:
    """What services record as who did it."""
    return staff_doer(staff().actor)


def enter(response: Response, sid: str) -> Response:
    """Give the browser this session's id, and end the one that it held.

    Forms that it had open count no more.
    """
    held = find_staff_member(database(), scope(), held_sid(), wall())
    if held is not None:
        sign_out(database(), held, wall())
    session.pop("csrf_token", None)
    cookies.give(response, COOKIE, sid, ABSOLUTE_LIFE)
    return response


def leave(response: Response) -> Response:
    session.pop("csrf_token", None)
    cookies.take(response, COOKIE)
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def _guarded(view: View[P], permission: Permission) -> View[P]:
    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        found = staff_signed_in()
        if found is None:
            return _send_to_sign_in()
        found.actor.require(permission)
        return view(*args, **kwargs)

    guarded.__permission__ = permission  # type: ignore[attr-defined]
    return guarded


def _load(sid: str) -> StaffMember | None:
    found = find_staff_member(database(), scope(), sid, wall()) if sid else None
    if found is not None and not htmx.refreshes() and support_view() is None:
        touch(database(), found, wall())
    return found


def _send_to_sign_in() -> ResponseReturnValue:
    if held_sid():
        flash(_("Your session as staff is over. Please sign in again."), "warning")
    here = request.full_path.rstrip("?") if request.method == "GET" else ""
    target = url_for("staff.sign_in", next=here or None)
    if htmx.wants_partial():
        return htmx.leave(target, status=401)
    return redirect(target, 303)
