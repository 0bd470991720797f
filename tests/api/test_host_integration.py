"""The document for host applications: its blocks run as they stand, one after the other."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime, timedelta

from portal.api.operations import OPERATIONS
from portal.domain.webhooks import TYPES, signature
from tests.api.conftest import new_key
from tests.architecture.sources import ROOT

TEXT = (ROOT / "docs" / "host-integration.md").read_text()


def blocks():
    return re.findall(r"^```sh\n(.*?)^```$", TEXT, re.S | re.M)


def run(script, **environment):
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def documents(text):
    """JSON documents, one right after the other."""
    while text := text.strip():
        found, end = json.JSONDecoder().raw_decode(text)
        yield found
        text = text[end:]


def test_every_line_runs_and_answers_json(module_stage):
    world, address = module_stage
    done = run("\n".join(blocks()), PORTAL=address, KEY=new_key(world, opens_sessions=True))
    assert done.returncode == 0, (done.stderr, done.stdout)
    answers = list(documents(done.stdout))
    assert answers[0]["key"] == "northwind-7"
    assert answers[0] == answers[1]
    assert answers[0]["subscription"]["current_period"]["end"] == "2026-04-30T04:00:00Z"


def test_a_line_that_fails_would_be_seen(module_stage):
    _, address = module_stage
    assert run("\n".join(blocks()), PORTAL=address, KEY="wrong").returncode != 0


def test_every_operation_is_shown():
    for told in OPERATIONS:
        path = re.escape(told.path).replace("<key>", "[^/]+").replace("<feature>", "[^/?]+")
        assert re.search(rf"\$PORTAL/api/v1{path}[?\"]", TEXT), told.path


def test_the_way_to_check_a_signature_is_right():
    (code,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.S | re.M)
    given: dict = {}
    exec(code, given)
    now, body = datetime.now(UTC), b'{"id": "msg_1"}'
    signed = signature(("whsec_new", "whsec_old"), body, now)
    for secret in ("whsec_new", "whsec_old"):
        assert given["is_ours"](body, signed, secret)
    assert not given["is_ours"](body, signed, "whsec_other")
    assert not given["is_ours"](body + b" ", signed, "whsec_new")
    old = signature(("whsec_new",), body, now - timedelta(seconds=310))
    assert not given["is_ours"](body, old, "whsec_new")
    for odd in ("", "t=", "v1=x", "t=x,v1=y", ",,"):
        assert not given["is_ours"](body, odd, "whsec_new")


def test_every_type_of_message_is_explained():
    said = TEXT.partition("## Being told")[2]
    assert {each for each in re.findall(r"`(\w+\.\w+)`", said) if "." in each} >= set(TYPES)
