"""The OpenAPI 3.1 document, made of the operations that are served."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Literal

from flask import Response
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from portal.api.operations import JSON, OPERATIONS, Operation, bp
from portal.api.problems import MEDIA_TYPE
from portal.api.requests import PREFIX
from portal.api.schemas.problems import Problem
from portal.domain.keys import Access

REFERENCE = "#/components/schemas/{model}"
VERSION = "1"
Mode = Literal["validation", "serialization"]
EVERYWHERE = {
    401: "No key, or none that works here.",
    422: "Something sent does not fit: errors names every field.",
    429: "Too many requests in this minute.",
    500: "A failure of ours.",
}
REFUSALS = {
    400: "The body is not JSON.",
    403: "The key lacks what this needs: write.",
    404: "There is no such thing in this environment.",
    409: "It cannot be done as things stand: reason says why.",
    413: "The body is too large.",
    415: "The body is not sent as JSON.",
    503: "The payment processor cannot be asked.",
}
WITHOUT_SESSIONS = "The key lacks what this needs: portal-sessions."
EXAMPLES = {"key": "northwind", "feature": "messages"}
NAMED = {
    "Request-Id": {"description": "What our log calls the request.", "schema": {"type": "string"}}
}
ABOUT = (
    "What a host application asks of its billing portal. Amounts and units are decimals written"
    " as text, amounts in major units; instants are RFC 3339 in UTC."
)
_NOT_A_NAME = re.compile(r"[^a-zA-Z0-9.\-_]")


@bp.get("/openapi.json", provide_automatic_options=False)
def openapi() -> Response:
    """The document; it says nothing secret, so that it needs no key."""
    return Response(_written(), mimetype=JSON)


@cache
def document() -> dict[str, Any]:
    """Everything that is served, for readers and for tests."""
    return {
        "openapi": "3.1.0",
        "info": {"title": "Billing portal", "version": VERSION, "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": _paths(),
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(),
        },
    }


@cache
def _written() -> str:
    return json.dumps(document(), ensure_ascii=False)


def _paths() -> dict[str, Any]:
    found: dict[str, dict[str, Any]] = {}
    for told in OPERATIONS:
        path = PREFIX + re.sub(r"<(\w+)>", r"{\1}", told.path)
        found.setdefault(path, {})[told.method.lower()] = _operation(told)
    return found


def _operation(told: Operation) -> dict[str, Any]:
    summary, _, description = told.summary.partition("\n\n")
    said: dict[str, Any] = {
        "operationId": told.name,
        "summary": summary,
        "parameters": _parameters(told),
        "responses": _responses(told),
        "security": [{"key": [told.access.value]}],
    }
    if description:
        said["description"] = " ".join(description.split())
    if told.body is not None:
        content = {JSON: {"schema": _ref(told.body)}}
        said["requestBody"] = {"required": True, "content": content}
    return said


def _parameters(told: Operation) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "example": EXAMPLES[name],
         "schema": {"type": "string", "pattern": pattern}}
        for name, pattern in told.parameters.items()
    ]  # fmt: skip
    if told.query is not None:
        shape = told.query.model_json_schema()
        needed = shape.get("required", [])
        found += [
            {"name": name, "in": "query", "required": name in needed, "schema": _present(schema)}
            for name, schema in shape["properties"].items()
        ]
    return found


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter of an address is there or not: it is never null."""
    kinds = [each for each in schema.get("anyOf", []) if each != {"type": "null"}]
    return kinds[0] if kinds else schema


def _responses(told: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for status, model in told.answers.items():
        content = {JSON: {"schema": _ref(model)}}
        said[str(status)] = {"description": "Done.", "content": content, "headers": NAMED}
    refused = {**EVERYWHERE, **{status: REFUSALS[status] for status in _refusals(told)}}
    if told.access is Access.PORTAL_SESSIONS:
        refused[403] = WITHOUT_SESSIONS
    for status, description in sorted(refused.items()):
        content = {MEDIA_TYPE: {"schema": _ref(Problem)}}
        said[str(status)] = {"description": description, "content": content, "headers": NAMED}
    return said


def _refusals(told: Operation) -> set[int]:
    of_body = {400, 413, 415} if told.body is not None else set()
    return {*told.refuses, *of_body, *(() if told.access is Access.READ else {403})}


def _schemas() -> dict[str, Any]:
    told: list[type[BaseModel]] = [Problem]
    modes: list[tuple[type[BaseModel], Mode]] = []
    for operation in OPERATIONS:
        told += operation.answers.values()
        if operation.body is not None:
            modes.append((operation.body, "validation"))
    modes += [(model, "serialization") for model in told]
    _, shapes = models_json_schema(modes, ref_template=REFERENCE)
    found: dict[str, Any] = shapes["$defs"]
    return found


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=_NOT_A_NAME.sub("_", model.__name__))}
