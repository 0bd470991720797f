"""How each failure reaches the browser: plain words, a request id, a way on."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from flask import Flask, Response, g, render_template, request, url_for
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError

from portal.domain.errors import (
    Conflict,
    Damaged,
    Forbidden,
    NotFound,
    PaymentsUnavailable,
    PortalError,
    SupportViewOn,
)
from portal.models.base import db
from portal.web import htmx
from portal.web.requests import is_staff_page

log = structlog.get_logger()

STATUS: dict[type[PortalError], int] = {
    NotFound: 404,
    Forbidden: 403,
    SupportViewOn: 403,
    Conflict: 409,
    PaymentsUnavailable: 503,
    Damaged: 500,
}
TOLD_BY_HEADERS = ("Allow", "Retry-After")


@dataclass(frozen=True, slots=True)
class Problem:
    """What an error page says."""

    status: int
    title: str
    message: str
    request_id: str
    action_label: str
    action_url: str


def install(app: Flask) -> None:
    app.register_error_handler(PortalError, _portal_error)
    app.register_error_handler(CSRFError, _expired_form)
    app.register_error_handler(HTTPException, _http_error)


def _portal_error(error: PortalError) -> Response:
    db.session.rollback()
    if isinstance(error, SupportViewOn):
        return _render(403, *_support_words())
    return _render(STATUS[type(error)])


def _support_words() -> tuple[str, str]:
    return (
        gettext("Not in a support view"),
        gettext("You look through a member's eyes: nothing can be changed, paid or downloaded, and"
                " pages that do so stay closed. Nothing was changed. This try was recorded."),
    )  # fmt: skip


def _expired_form(error: CSRFError) -> Response:
    log.info("csrf_refused", reason=error.description)
    title = gettext("This page has expired")
    message = gettext("Nothing was changed or charged. Open the page again and repeat the step.")
    return _render(400, title, message)


def _http_error(error: HTTPException) -> Response:
    if isinstance(error, InternalServerError):
        db.session.rollback()
    if error.code is not None and error.code < 400 and error.response is not None:
        return error.get_response()  # type: ignore[return-value]
    response = _render(error.code or 500)
    for name, value in error.get_headers():
        if name in TOLD_BY_HEADERS:
            response.headers[name] = value
    return response


def _render(status: int, title: str = "", message: str = "") -> Response:
    said = _words(status)
    problem = Problem(
        status=status,
        title=title or said[0],
        message=message or said[1],
        request_id=g.get("request_id", ""),
        action_label=gettext("Back to staff pages")
        if is_staff_page()
        else gettext("Back to add-ons"),
        action_url=url_for("staff.home" if is_staff_page() else "addons.grid"),
    )
    partial = "errors/_error.html" if htmx.wants_partial() else "errors/error.html"
    body = render_template(partial, error=problem) if request.endpoint != "static" else ""
    return Response(body, status, mimetype="text/html")


def _whose_it_is() -> str:
    if is_staff_page():
        return gettext("It takes an administrator, or another of the staff.")
    return gettext("Your role may look at billing but not change it.")


def _words(status: int) -> tuple[str, str]:
    nothing = gettext("Nothing was changed or charged.")
    words = {
        401: (gettext("Please sign in"), gettext("You are signed out.")),
        403: (gettext("You may not do this"), _whose_it_is() + " " + nothing),
        404: (
            gettext("There is nothing here"),
            gettext("The page does not exist, or it belongs to another account."),
        ),
        405: (gettext("This page cannot do that"), nothing),
        409: (
            gettext("This has changed in the meantime"),
            nothing + " " + gettext("Open the page again to see how things stand."),
        ),
        413: (gettext("That was too much to send"), nothing),
        429: (gettext("Too many requests"), gettext("Wait a minute, then try again.")),
        503: (
            gettext("Payments are not available at the moment"),
            nothing + " " + gettext("Please try again in a few minutes."),
        ),
    }
    if status in words:
        return words[status]
    if status < 500:
        return gettext("We did not understand that"), nothing
    return (
        gettext("Something went wrong on our side"),
        gettext("We have noted it. Please try again, and give the request id if you write to us."),
    )
