"""Which hosts are served, CSRF on every form, and the headers of every reply."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Blueprint, Flask, Response, request
from flask_wtf.csrf import CSRFProtect
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import BadRequest, SecurityError

from portal.web.wiring import wiring

csrf = CSRFProtect()
OF_MACHINES = frozenset({"api", "webhooks"})
"""Blueprints that read no cookie and no form."""

POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self' {checkout}",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
    )
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}


def install(app: Flask) -> None:
    app.before_request(_refuse_other_hosts)
    app.before_request(_refuse_nul)
    app.before_request(_drop_files)
    csrf.init_app(app)
    app.after_request(_protect)


def ask_no_token_of(blueprint: Blueprint) -> None:
    """For views that read no cookie: nobody's browser can be made to ask in their name."""
    csrf.exempt(blueprint)


def _refuse_other_hosts() -> Response | None:
    """In plain words: no address of ours can be built for a host that is not ours."""
    if isinstance(request.routing_exception, SecurityError):
        return Response("This host is not served here.\n", 400, mimetype="text/plain")
    return None


def _refuse_nul() -> None:
    """No browser sends that character, and PostgreSQL keeps none. Raises BadRequest.

    The host's JSON is read, and answered, apart.
    """
    if request.blueprint not in OF_MACHINES:
        sent = (request.path, *_texts(request.args), *_texts(request.form))
        if any("\0" in each for each in sent):
            raise BadRequest


def _drop_files() -> None:
    """No page takes one; sent in place of a text it would be what no form expects."""
    if request.blueprint not in OF_MACHINES and request.files:
        request.close()
        request.files = ImmutableMultiDict()


def _texts(given: MultiDict[str, str]) -> Iterator[str]:
    for name, value in given.items(multi=True):
        yield name
        yield value


def _protect(response: Response) -> Response:
    checkout = wiring().settings.checkout_origin  # where the answer to a paying form leads
    response.headers.setdefault("Content-Security-Policy", POLICY.format(checkout=checkout))
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if wiring().settings.is_https:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "private, no-store"
    return response
