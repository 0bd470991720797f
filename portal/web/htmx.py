"""Every HX header that the portal reads or writes."""

from __future__ import annotations

from typing import cast

from flask import Response, redirect, render_template
from htmx_flask import make_response, request
from htmx_flask.requests import HtmxAwareRequest

POLLED = frozenset({"usage.index"})
"""Pages that ask for news by themselves."""
_VARY = ("HX-Request", "HX-Boosted", "HX-History-Restore-Request")


def wants_partial() -> bool:
    """True when htmx will swap a fragment: not a boosted, restored or whole-page load."""
    asked = cast(HtmxAwareRequest, request).htmx
    return bool(asked) and not asked.boosted and not asked.history_restore_request


def refreshes() -> bool:
    """True when a page asks for news by itself: no sign that anybody is there."""
    return request.endpoint in POLLED and wants_partial() and request.args.get("refresh") == "1"


def page(name: str, partial: str, status: int = 200, **context: object) -> Response:
    """Render page `name`, or only the `partial` that it includes, from one context."""
    template = partial if wants_partial() else name
    return _varying(make_response(render_template(template, **context), status))


def partials(*names: str, status: int = 200, push_url: str = "", **context: object) -> Response:
    """The first partial for the target; the others swap themselves in by their ids."""
    first, *others = names
    html = [render_template(first, **context)]
    html += [render_template(name, **context, oob=True) for name in others]
    response = _varying(make_response("\n".join(html), status))
    if push_url:
        response.headers["HX-Push-Url"] = push_url
    return response


def go(url: str) -> Response:
    """Send the browser to `url` after a write, whoever asked."""
    if wants_partial():
        return leave(url, status=204)
    return cast(Response, redirect(url, 303))


def leave(url: str, status: int) -> Response:
    """Make htmx leave the page for `url`."""
    response = _varying(make_response("", status))
    response.headers["HX-Redirect"] = url
    return response


def _varying(response: Response) -> Response:
    response.vary.update(_VARY)
    return response
