"""Every failure as a problem document (RFC 9457), with the id that our log has of the request."""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus

import structlog
from flask import Blueprint, Flask, Response, request
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from portal.api.requests import is_for_the_api, request_id
from portal.api.schemas.problems import FieldProblem, Problem
from portal.domain.errors import Conflict, Forbidden, NotFound, PaymentsUnavailable, PortalError
from portal.models.base import db

MEDIA_TYPE = "application/problem+json"
log = structlog.get_logger()
KINDS: dict[type[PortalError], tuple[int, str]] = {
    NotFound: (404, "not-found"),
    Forbidden: (403, "forbidden"),
    Conflict: (409, "conflict"),
    PaymentsUnavailable: (503, "payments-unavailable"),
}
"""The others are our own failures: 500."""
SAID: dict[int, tuple[str, str]] = {
    400: ("not-json", "The body must be one JSON object in UTF-8."),
    404: ("not-found", "There is nothing here, or not in this environment."),
    405: ("method-not-allowed", "This address does not know that method."),
    413: ("too-large", "The body is too large."),
    415: ("not-json", "Send the body as application/json."),
}
WORDS = {
    "missing": "is needed",
    "extra_forbidden": "is no field that is known here",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
    "string_pattern_mismatch": "is not written as it must be: see the OpenAPI document",
    "model_type": "must be an object",
    "model_attributes_type": "must be an object",
}


@dataclass(slots=True)
class ApiProblem(Exception):
    """Ends a request. kind: the last part of the document's type."""

    status: int
    kind: str
    detail: str
    errors: tuple[FieldProblem, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    reason: str | None = None


def install(app: Flask) -> None:
    app.before_request(_unrouted)


def answer_for(bp: Blueprint) -> None:
    """Let every failure of the blueprint's views be a problem document."""
    bp.register_error_handler(ApiProblem, _own)
    bp.register_error_handler(PortalError, _portal_error)
    bp.register_error_handler(HTTPException, _http_error)


def bad_input(
    error: ValidationError, *, parameters: bool = False, inner: bool = False
) -> ApiProblem:
    """Every field that pydantic refuses, in one answer.

    inner: the body may be of several shapes, and each place begins with the name of one.
    """
    found = []
    for each in error.errors(include_url=False, include_context=False, include_input=False):
        steps, detail = [str(step) for step in each["loc"]][inner:], _words(each)
        found.append(
            FieldProblem(parameter=steps[0], detail=detail)
            if parameters and steps
            else FieldProblem(pointer=pointer(*steps), detail=detail)
        )
    return unfit(found)


def _words(error: ErrorDetails) -> str:
    """What pydantic found, in the manner of our own refusals."""
    message = error["msg"].removeprefix("Value error, ")
    return WORDS.get(error["type"], message[:1].lower() + message[1:])


def unfit(errors: list[FieldProblem]) -> ApiProblem:
    """What was sent is understood and cannot be: nothing was changed."""
    return ApiProblem(422, "bad-input", "Nothing was changed: see errors.", tuple(errors))


def pointer(*steps: str) -> str:
    """A JSON pointer (RFC 6901) as a URI fragment, like those in RFC 9457."""
    escaped = [step.replace("~", "~0").replace("/", "~1") for step in steps]
    return "#" + "".join(f"/{step}" for step in escaped)


def _own(problem: ApiProblem) -> Response:
    db.session.rollback()
    body = Problem(
        type=f"urn:portal:problem:{problem.kind}",
        title=HTTPStatus(problem.status).phrase,
        status=problem.status,
        detail=problem.detail,
        request_id=request_id(),
        errors=list(problem.errors) or None,
        reason=problem.reason,
    )
    said = body.model_dump_json(exclude_none=True)
    return Response(said, problem.status, problem.headers, mimetype=MEDIA_TYPE)


def _portal_error(error: PortalError) -> Response:
    status, kind = KINDS.get(type(error), (500, "internal"))
    if status == 500:
        log.exception("api_failed")
        return _own(ApiProblem(500, kind, "Something went wrong on our side. It is in our log."))
    detail = f"There is no such {error}." if status == 404 else f"Not done: {error}."
    return _own(ApiProblem(status, kind, detail))


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400 and error.response is not None:
        return error.get_response()  # type: ignore[return-value]
    ours = ("internal", "Something went wrong on our side. It is in our log.")
    kind, detail = SAID.get(status, ours if status >= 500 else ("refused", error.name))
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    return _own(ApiProblem(status, kind, detail, headers=headers))


def _unrouted() -> Response | None:
    """An address or method below /api/v1 that no operation has."""
    error = request.routing_exception
    if error is None or not is_for_the_api():
        return None
    return _http_error(error)
