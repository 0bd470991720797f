"""How hosted pages are sent: their stylesheet, and headers that let nothing else in."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, make_response, render_template, send_from_directory

STATIC = Path(__file__).parents[2] / "static"
_HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src data:; base-uri 'none'; "
    "frame-ancestors 'none'; form-action 'self'"
)


def render(
    template: str, leads_to: list[str | None], status: int = 200, **context: Any
) -> Response:
    """A hosted page; `leads_to` are addresses its forms may end at, by redirection."""
    response = make_response(render_template(f"sandbox/{template}", **context), status)
    response.headers.update(_HEADERS)
    origins = sorted({_origin(url) for url in leads_to if url})
    response.headers["Content-Security-Policy"] = " ".join([_POLICY, *origins])
    return response


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def create_assets() -> Blueprint:
    assets = Blueprint("assets", __name__)

    @assets.get("/static/<folder>/<name>")
    def asset(folder: str, name: str) -> Response:
        if (folder, name) != ("css", "sandbox.css") and folder != "fonts":
            abort(404)
        return send_from_directory(STATIC / folder, name)

    return assets
