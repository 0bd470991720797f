"""One operation of the API: its key, what it takes and tells, and its place in the document."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, RootModel, ValidationError

from portal.api.auth import enter
from portal.api.problems import ApiProblem, answer_for, bad_input, unfit
from portal.api.requests import PREFIX
from portal.api.schemas.problems import FieldProblem
from portal.domain.keys import Access

bp = Blueprint("api", __name__, url_prefix=PREFIX)
answer_for(bp)
JSON = "application/json"
HALF = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(u[dD][89a-fA-F]..)|.)", re.ASCII | re.DOTALL
)
"""An escape in JSON; its group is one that stands for half a sign."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What the document says of one view.

    path: with Flask's placeholders. parameters: pattern of each one. answers: status and model.
    refuses: statuses of problems besides those that every operation has.
    """

    method: str
    path: str
    name: str
    summary: str
    access: Access
    parameters: dict[str, str]
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    answers: dict[int, type[BaseModel]]
    refuses: tuple[int, ...]


OPERATIONS: list[Operation] = []
"""Every operation that is served, in the order of the document."""


def operation(
    method: str,
    path: str,
    access: Access,
    answers: dict[int, type[BaseModel]],
    *,
    parameters: dict[str, str] | None = None,
    body: type[BaseModel] | None = None,
    query: type[BaseModel] | None = None,
    refuses: tuple[int, ...] = (),
) -> Callable[[Callable[..., Any]], Callable[..., Response]]:
    """Serve the view: it gets what the path names, and `body` and `query` once they are sound.

    It answers with a model of `answers`, or with one and its status.
    """

    def register(view: Callable[..., Any]) -> Callable[..., Response]:
        said = (view.__doc__ or view.__name__).strip()
        told = Operation(
            method, path, view.__name__, said, access, parameters or {}, body, query, answers,
            refuses,
        )  # fmt: skip
        OPERATIONS.append(told)
        served = _served(view, told)
        bp.add_url_rule(
            path, view.__name__, served, methods=[method], provide_automatic_options=False
        )
        return served

    return register


def _served(view: Callable[..., Any], told: Operation) -> Callable[..., Response]:
    @wraps(view)
    def served(**named: str) -> Response:
        enter(told.access)
        _check(told.parameters, named)
        given: dict[str, Any] = dict(named)
        if told.query is not None:
            given["query"] = _asked(told.query)
        if told.body is not None:
            given["body"] = _sent(told.body)
        return _answer(view(**given), min(told.answers))

    served.__operation__ = told  # type: ignore[attr-defined]
    return served


def _check(patterns: dict[str, str], named: dict[str, str]) -> None:
    wrong = [name for name, pattern in patterns.items() if not re.fullmatch(pattern, named[name])]
    if wrong:
        detail = "must be written like {}"
        raise unfit([FieldProblem(parameter=n, detail=detail.format(patterns[n])) for n in wrong])


def _sent(model: type[BaseModel]) -> BaseModel:
    if request.mimetype != JSON:
        raise ApiProblem(415, "not-json", "Send the body as application/json.")
    body = request.get_data()
    try:
        return _read(model, body) or model.model_validate_json(_without_halves(body))
    except ValidationError as error:
        if _is_no_json(error):
            raise ApiProblem(400, "not-json", "The body is not JSON.") from None
        raise bad_input(error, inner=issubclass(model, RootModel)) from None


def _read(model: type[BaseModel], body: bytes) -> BaseModel | None:
    """None for what is no JSON. Raises ValidationError for what does not fit."""
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        if _is_no_json(error):
            return None
        raise


def _is_no_json(error: ValidationError) -> bool:
    return error.errors()[0]["type"] == "json_invalid"


def _without_halves(body: bytes) -> bytes:
    """Lone surrogates, which a cut emoji leaves, as NUL: neither fits, but in its field alone."""
    return HALF.sub(lambda found: rb"\u0000" if found[1] else found[0], body)


def _asked(model: type[BaseModel]) -> BaseModel:
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise bad_input(error, parameters=True) from None


def _answer(told: BaseModel | tuple[BaseModel, int], usual: int) -> Response:
    model, status = told if isinstance(told, tuple) else (told, usual)
    return Response(model.model_dump_json(), status, mimetype=JSON)
