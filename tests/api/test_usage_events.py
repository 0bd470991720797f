"""Reports of use over HTTP: each event once, each with its verdict, a bad one alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from portal.domain.usage import MOST_EVENTS
from portal.models.usage import UsageEventRow


def event(number=1, **changes):
    usual = {
        "account": "account1", "id": f"e{number}", "feature": "messages", "units": "10",
        "occurred_at": "2026-04-10T12:00:00Z",
    }  # fmt: skip
    return usual | changes


def report(host, *events, status=200):
    return host.post("/usage-events", {"events": list(events)}, status).json


def used(host, account="account1", feature="messages"):
    return host.get(f"/accounts/{account}/entitlements/{feature}").json["used"]


def test_a_single_event_is_counted_in_its_window(host, world):
    world.account()
    told = report(host, event(dimensions={"channel": "chat"}))
    assert (told["counted"], told["refused"]) == (1, 0)
    assert told["results"] == [
        {"account": "account1", "id": "e1", "verdict": "counted", "reason": None, "detail": None,
         "window": {"start": "2026-04-01T00:00:00Z", "end": "2026-05-01T00:00:00Z"}}
    ]  # fmt: skip
    assert used(host) == "10"


def test_an_event_by_itself_needs_no_list(host, world):
    world.account()
    told = host.post("/usage-events", event(), 200).json
    assert [(r["id"], r["verdict"]) for r in told["results"]] == [("e1", "counted")]
    assert host.post("/usage-events", event(), 200).json["duplicate"] == 1
    refused = host.post("/usage-events", event(2, feature="telepathy"), 200).json
    assert refused["results"][0]["reason"] == "unknown_feature"
    assert used(host) == "10"


def test_the_same_report_ten_times_counts_once(host, world):
    world.account()
    events = [event(n) for n in range(20)]
    assert report(host, *events)["counted"] == 20
    for _ in range(9):
        assert report(host, *events)["duplicate"] == 20
    assert used(host) == "200"
    assert world.rows(UsageEventRow) == 20


def test_one_bad_event_of_a_thousand_is_named_and_takes_nothing_from_the_others(host, world):
    world.account()
    events = [event(n) for n in range(MOST_EVENTS)]
    events[617] = event(617, feature="telepathy")
    told = report(host, *events)
    assert (told["counted"], told["refused"]) == (999, 1)
    bad = told["results"][617]
    assert (bad["id"], bad["verdict"], bad["reason"]) == ("e617", "refused", "unknown_feature")
    assert used(host) == "9990"
    assert report(host, event(617))["counted"] == 1, "mended, it counts"


def test_several_accounts_in_one_report_and_the_answers_in_its_order(host, world):
    world.account()
    world.account()
    told = report(
        host,
        event(1, account="account2", units="5"),
        event(2, account="nobody"),
        event(1, units="7"),
        event(3, account="account2", units="6"),
    )
    assert [(r["account"], r["id"], r["verdict"]) for r in told["results"]] == [
        ("account2", "e1", "counted"), ("nobody", "e2", "refused"), ("account1", "e1", "counted"),
        ("account2", "e3", "counted"),
    ]  # fmt: skip
    assert told["results"][1]["reason"] == "unknown_account"
    assert (used(host), used(host, "account2")) == ("7", "11")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [({"units": "1e3"}, "units"), ({"units": ""}, "units"), ({"units": "1_0"}, "units"),
     ({"units": "NaN"}, "units"), ({"units": "0"}, "units"), ({"units": "٣"}, "units"),
     ({"units": "99999999999999999999"}, "units"), ({"units": "-1"}, "reason"),
     ({"occurred_at": "yesterday"}, "time"), ({"occurred_at": "2026-02-30T00:00:00Z"}, "time"),
     ({"occurred_at": "2026-04-10T12:00:00"}, "time"),
     ({"occurred_at": "2026-04-11T00:05:01Z"}, "future"),
     ({"occurred_at": "0001-01-01T00:00:00+23:59"}, "too_old"),
     ({"feature": "salesforce_connector"}, "not_metered"), ({"feature": "\x00"}, "unknown_feature"),
     ({"id": ""}, "event_id"), ({"id": "a\x00"}, "event_id"), ({"id": "x" * 256}, "event_id"),
     ({"account": "\x00"}, "unknown_account"), ({"dimensions": {"a": ""}}, "dimensions"),
     ({"dimensions": {str(n): "x" for n in range(6)}}, "dimensions")],
)  # fmt: skip
def test_what_cannot_be_counted_says_why(changes, reason, host, world):
    world.account()
    changes = dict(changes)
    if changes.get("feature") == "salesforce_connector":
        plain = [f.lookup_key for f in world.catalog().features if f.type == "boolean"]
        changes["feature"] = plain[0]
    told = report(host, event(**changes), event(2))
    bad, good = told["results"]
    assert (bad["verdict"], bad["reason"]) == ("refused", reason)
    assert bad["detail"]
    assert good["verdict"] == "counted"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "#/events"), ({"events": []}, "#/events"), ({"events": [{}] * 1001}, "#/events"),
     ({"events": [event(units=12)]}, "#/events/0/units"),
     ({"events": [event(), event(2, mood="x")]}, "#/events/1/mood"),
     ({"events": [event(dimensions={"a": 1})]}, "#/events/0/dimensions/a"),
     ({"events": [{"id": "x"}]}, "#/events/0/account"), ({"events": {}}, "#/events"),
     (event(units=12), "#/units"), (event(mood="x"), "#/mood"), ({"id": "x"}, "#/account"),
     (event(dimensions={"a": 1}), "#/dimensions/a"), (event(events=[]), "#/events"),
     ([event()], "#")],
)  # fmt: skip
def test_a_report_that_cannot_be_read_is_refused_whole(body, pointer, host, world):
    world.account()
    answer = host.post("/usage-events", body, 422)
    assert answer.json["errors"][0]["pointer"] == pointer
    assert world.rows(UsageEventRow) == 0


def test_corrections_and_levels(host, world):
    world.account()
    report(host, event(1, units="100"), event(2, units="-40", reason="sent twice"))
    assert used(host) == "60"
    report(host, event(3, feature="members", units="9"))
    assert used(host, feature="members") == "9"


def test_many_at_once_count_each_once(host, app, world):
    world.account()
    headers = {"Authorization": f"Bearer {host.key}"}

    def send(n):
        events = {"events": [event(n * 10 + each) for each in range(20)]}
        return app.test_client().post("/api/v1/usage-events", json=events, headers=headers)

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(send, range(20)))
    assert {reply.status_code for reply in replies} == {200}
    assert sum(reply.json["counted"] for reply in replies) == 210
    assert Decimal(used(host)) == 2100
