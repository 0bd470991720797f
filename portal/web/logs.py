"""Logs as JSON lines: every line carries its request's id, none carries a secret."""

from __future__ import annotations

import structlog
from flask import Flask, Response, got_request_exception, request
from structlog.typing import EventDict, WrappedLogger

SECRET_WORDS = ("password", "secret", "token", "cookie", "authorization", "card_number")


def install(app: Flask) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            redact,
            structlog.processors.JSONRenderer(),
        ]
    )
    app.after_request(_note)
    app.logger.disabled = True  # it would write the address, with what it opens, and no id
    got_request_exception.connect(_note_failure, app)


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Blank every value whose name speaks of a secret."""
    for name in event:
        if any(word in name.lower() for word in SECRET_WORDS):
            event[name] = "[redacted]"
    return event


def _note_failure(_app: Flask, exception: BaseException, **_more: object) -> None:
    """What went wrong on our side, with where: the page that says so shows the same request id."""
    structlog.get_logger().error(
        "failure", method=request.method, endpoint=request.endpoint, exc_info=exception
    )


def _note(response: Response) -> Response:
    """One line for each request that was refused or failed; what went well is an event."""
    if response.status_code in (400, 403, 409, 413, 429) or response.status_code >= 500:
        structlog.get_logger().warning(
            "request", method=request.method, endpoint=request.endpoint, status=response.status_code
        )
    return response
