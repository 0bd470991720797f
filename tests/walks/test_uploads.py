"""Files are taken nowhere: sent as one, nothing is there for any page, and the API refuses it."""

from __future__ import annotations

import io
import re

from werkzeug.routing import Rule

from tests.walks.stage import Stage
from tests.walks.test_access import ASKS_A_PROVIDER
from tests.walks.test_tokens import written

FIELDS = ("file", "name", "email", "note", "reason", "password", "quantity")
KEYS = ("write key", "sessions key")
CONTENT, FILE = b"<svg onload=alert('canaryfile')>", "canaryfile.svg"


def files() -> dict[str, tuple[io.BytesIO, str]]:
    return {field: (io.BytesIO(CONTENT), FILE) for field in FIELDS}


def came_of(stage: Stage, who: str, rule: Rule, **sent: object) -> tuple[object, ...]:
    """Answer and written tables of one form."""
    kind = {"content_type": "multipart/form-data"}
    with stage.undone():
        before = written(stage)
        reply = stage.send(who, "POST", stage.own_address(rule), data=sent, **kind)
        after = written(stage)
    assert reply.status_code < 500 or ASKS_A_PROVIDER in rule.rule, rule.rule
    assert "canaryfile" not in f"{reply.headers}{reply.data!r}", rule.rule
    wrote = {table for table, rows in after.items() if rows > before.get(table, 0)}
    leads = re.sub(r"cs_\w+", "", reply.location or "")
    return reply.status_code, leads, wrote


def test_a_form_with_files_is_the_form_without_them(stage):
    taking = [rule for rule in stage.rules() if "POST" in (rule.methods or set())]
    for rule in taking:
        for who in ("owner", "staff", "nobody"):
            plain = came_of(stage, who, rule, typed="a")
            assert came_of(stage, who, rule, typed="a", **files()) == plain, (rule.rule, who)
    assert len(taking) > 60


def test_the_api_takes_no_form(stage):
    taking = [rule for rule in stage.rules(api=True) if {"POST", "PUT"} & (rule.methods or set())]
    for rule in taking:
        (method,) = {"POST", "PUT"} & (rule.methods or set())
        path = stage.own_address(rule)
        replies = [stage.ask(key, method, path, data=files()) for key in KEYS]
        answers = {reply.status_code for reply in replies}
        assert answers <= {400, 403, 415}, (path, answers)
        assert answers != {403}, path
        assert not [reply for reply in replies if "canaryfile" in reply.text]
    assert len(taking) >= 4
