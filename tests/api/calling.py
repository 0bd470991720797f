"""A host application that holds every reply against the served document."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from flask.testing import FlaskClient
from jsonschema_rs import Draft202012Validator

from portal.api.openapi import document

PREFIX = "/api/v1"


@dataclass
class Answer:
    status: int
    headers: Any
    json: Any


@dataclass
class Caller:
    """key: None sends none."""

    client: FlaskClient
    key: str | None
    headers: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, status: int = 200, **query: object) -> Answer:
        return self.call("GET", path, status, query_string=query)

    def put(self, path: str, body: object, status: int) -> Answer:
        return self.call("PUT", path, status, json=body)

    def post(self, path: str, body: object, status: int) -> Answer:
        return self.call("POST", path, status, json=body)

    def call(self, method: str, path: str, status: int, **sent: Any) -> Answer:
        headers = dict(self.headers)
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        reply = self.client.open(PREFIX + path, method=method, headers=headers, **sent)
        said = json.loads(reply.data) if reply.data else None
        assert reply.status_code == status, (reply.status_code, said)
        assert "Set-Cookie" not in reply.headers
        assert re.fullmatch("[0-9a-f]{16}", reply.headers["Request-Id"])
        check(method, path, reply, said)
        return Answer(status, reply.headers, said)


def check(method: str, path: str, reply: Any, said: Any) -> None:
    """The reply is one that the document has for the operation; else a problem all the same."""
    kind = "application/problem+json" if reply.status_code >= 400 else "application/json"
    assert reply.mimetype == kind
    shape: dict[str, Any] = {"$ref": "#/components/schemas/Problem"}
    told = _operation(method, path)
    if told is not None:
        answers = told["responses"]
        assert str(reply.status_code) in answers, (method, path, reply.status_code)
        shape = answers[str(reply.status_code)]["content"][kind]["schema"]
    else:
        assert reply.status_code in (404, 405)
    whole = {**shape, "components": document()["components"]}
    Draft202012Validator(whole).validate(said)


def _operation(method: str, path: str) -> Any:
    for pattern, methods in document()["paths"].items():
        shape = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(pattern))
        if re.fullmatch(shape, PREFIX + path.partition("?")[0]):
            return methods.get(method.lower())
    return None
