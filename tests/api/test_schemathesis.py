"""The served document held against the served API: what it allows, and much that it does not."""

from __future__ import annotations

import json
from urllib.request import Request, urlopen

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from portal.api.operations import OPERATIONS
from portal.api.schemas.accounts import NORTHWIND
from tests.api.conftest import new_key

MAY_NOT_FIT = ["2xx", "404", "409", "422"]
"""What no schema can say: which accounts, plans and add-ons there are, and how they stand."""
FEWEST_CASES = 500


def test_the_document_is_true(module_stage):
    world, address = module_stage
    key = new_key(world, opens_sessions=True)
    config = SchemathesisConfig.from_dict(
        {
            "seed": 1,
            "auth": {"openapi": {"key": {"bearer": key}}},
            "generation": {"max-examples": 60, "database": "none"},
            "checks": {"positive_data_acceptance": {"expected-statuses": MAY_NOT_FIT}},
        }
    )
    _make_the_account_of_the_examples(address, key)
    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json", config=config)
    seen = list(from_schema(schema).execute())
    scenarios = [event for event in seen if isinstance(event, events.ScenarioFinished)]
    assert [e.info for e in seen if isinstance(e, events.NonFatalError | events.FatalError)] == []
    assert [failure for event in scenarios for failure in _failures(event)] == []
    assert sum(len(event.recorder.cases) for event in scenarios) > FEWEST_CASES
    assert {f"{t.method} {_path(t.path)}" for t in OPERATIONS} == _went_well(scenarios)


def _make_the_account_of_the_examples(address, key):
    asked = Request(f"{address}/api/v1/accounts/northwind", json.dumps(NORTHWIND).encode())
    asked.add_header("Authorization", f"Bearer {key}")
    asked.add_header("Content-Type", "application/json")
    asked.method = "PUT"
    with urlopen(asked) as reply:
        assert reply.status == 201


def _path(path):
    return "/api/v1" + path.replace("<", "{").replace(">", "}")


def _failures(event):
    return [
        f"{event.phase}: {check.name}: {check.failure_info.failure}"
        for checks in event.recorder.checks.values()
        for check in checks
        if check.status is Status.FAILURE
    ]


def _went_well(scenarios):
    """Operations that did something at least once."""
    return {
        event.recorder.label
        for event in scenarios
        for step in event.recorder.interactions.values()
        if step.response is not None and step.response.status_code < 300
    }
