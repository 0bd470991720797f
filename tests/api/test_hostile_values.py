"""Values that no host should send: refused in words, never a failure, and alone where that can be.

No answer is ever an error of ours: `Caller` also holds each against the served document.
"""

from __future__ import annotations

import json
from itertools import count
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from portal.models.usage import UsageEventRow
from tests.api.test_accounts import ACME, GROWTH, SINCE_FEBRUARY
from tests.api.test_usage_events import event

MANY = settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SURROGATES = ["\ud800", "a\udc00b", "\udfff\ud800", "\\\ud800", "\ud83d\ude00\ud83d"]
SIGNS = [
    "", " ", "\0", "a\0b", "\x7f", "\x85", "\u2028", "\u202e", "\u0130", "\u212a", "🙂", "'", "\\",
    "%00", "%", "_", "..", "NULL", "{}", "x" * 41, "x" * 101, "x" * 201, "x" * 256, "x" * 999,
    "é" * 255, "🙂" * 100,
]  # fmt: skip
NUMBERS = [
    "-0", "0", "-1", "1e400", "NaN", "Infinity", "9" * 20, "9" * 99, "0." + "0" * 19 + "1",
    "1000000000", "1000000000.00000001", "999999999999", "0.0001", "99.9999", "٣", "+1", "1_0",
    "-1000000000", "0.00000001",
]  # fmt: skip
INSTANTS = [
    "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59.999999-23:59", "2026-04-10T24:00:00Z", "2026-04-10T23:59:60Z",
    "2026-04-10T12:00:00+24:00", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00Z",
    "1970-01-01T00:00:00Z", "2026-03-29T02:30:00+01:00", "2026-04-10t12:00:00z",
]  # fmt: skip
OTHER_KINDS: list[object] = [
    None,
    True,
    0,
    -1,
    2**63,
    10**400,
    1.5,
    1e308,
    float("inf"),
    [],
    {},
    [[]],
]
TEXTS = st.sampled_from(SIGNS) | st.sampled_from(NUMBERS + INSTANTS) | st.text(max_size=300)
VALUES = TEXTS | st.sampled_from(SURROGATES) | st.sampled_from(OTHER_KINDS)
DIMENSIONS = st.dictionaries(TEXTS, TEXTS, max_size=6) | VALUES
NAMES = st.sampled_from(["limit", "cursor", "which", "units"]) | TEXTS
_numbers = count(1)


@pytest.fixture
def known(host, world):
    """The host application, and account1."""
    world.account()
    return host


@st.composite
def but(draw, sound, **hostile):
    """`sound` with one field or two hostile."""
    names = draw(st.sets(st.sampled_from(sorted(hostile)), min_size=1, max_size=2))
    return sound | {name: draw(hostile[name]) for name in sorted(names)}


HOSTILE_EVENTS = st.sampled_from([event(), event(feature="members")]).flatmap(
    lambda sound: but(
        sound,
        account=VALUES, id=VALUES, feature=VALUES, units=VALUES, occurred_at=VALUES,
        dimensions=DIMENSIONS, reason=VALUES,
    )
)  # fmt: skip


def send(host, method, path, body, *statuses):
    """As a careless host writes it: also lone surrogates and infinities."""
    reply = host.client.open(
        f"/api/v1{path}",
        method=method,
        data=json.dumps(body),
        headers={"Authorization": f"Bearer {host.key}", "Content-Type": "application/json"},
    )
    assert reply.status_code in statuses, (reply.status_code, reply.text)
    return reply


@MANY
@given(st.lists(HOSTILE_EVENTS, min_size=1, max_size=3))
@example([event("held", feature="members", reason="x" * 201)])
@example([event("held", feature="members", reason="a\0b")])
@example([event("half", dimensions={"mood": "\ud83d"})])
@example([event("\udc4d")])
def test_good_events_beside_hostile_ones_are_counted(known, world, hostile):
    first, last = (event(f"good-{next(_numbers)}") for _ in range(2))
    before = world.rows(UsageEventRow)
    reply = send(known, "POST", "/usage-events", {"events": [first, *hostile, last]}, 200, 422)
    if reply.status_code == 200:
        verdicts = [told["verdict"] for told in reply.json["results"]]
        assert (verdicts[0], verdicts[-1]) == ("counted", "counted")
    else:
        assert world.rows(UsageEventRow) == before
        blamed = {each["pointer"].split("/")[2] for each in reply.json["errors"]}
        assert not blamed & {"0", str(len(hostile) + 1)}


@MANY
@given(
    but(
        ACME | {"subscription": GROWTH},
        name=VALUES, currency=VALUES, time_zone=VALUES, country=VALUES, customer_type=VALUES,
        owner=but({"email": "o@acme.test", "name": "O"}, email=VALUES, name=VALUES, locale=VALUES),
        tax=but({"rate": "19", "label": "VAT"}, rate=VALUES, inclusive=VALUES, label=VALUES),
        subscription=but(
            GROWTH,
            plan=VALUES, price=VALUES,
            billed_elsewhere=but(SINCE_FEBRUARY, started_at=VALUES, amount=VALUES),
        ),
    )
)  # fmt: skip
def test_accounts(host, wanted):
    key = f"acme{next(_numbers)}"
    made = send(host, "PUT", f"/accounts/{key}", wanted, 201, 422)
    if made.status_code == 201:
        send(host, "PUT", f"/accounts/{key}", wanted, 200)
    for path in ("", "/entitlements", "/add-ons"):
        host.get(f"/accounts/{key}{path}", 200 if made.status_code == 201 else 404)


@MANY
@given(
    but(
        {"account": "account1", "add_on": "messages_100k"},
        account=VALUES, add_on=VALUES, quantity=VALUES, auto_renew=VALUES, start=VALUES,
    ),
    but(
        {"account": "account1", "email": "owner@account1.test"},
        account=VALUES, email=VALUES, page=VALUES,
    ),
)  # fmt: skip
def test_quotes_and_portal_sessions(known, quotation, session):
    send(known, "POST", "/quotes", quotation, 200, 404, 409, 422)
    send(known, "POST", "/portal-sessions", session, 201, 404, 422)


@MANY
@given(TEXTS.filter(bool), TEXTS.filter(bool), st.dictionaries(NAMES, TEXTS))
def test_addresses(known, key, feature, query):
    key, feature = quote(key, safe=""), quote(feature, safe="")
    for path in (f"/accounts/{key}", f"/accounts/{key}/add-ons", f"/accounts/{key}/entitlements"):
        ask(known, path, {})
    for path in ("", "/add-ons", "/entitlements", "/entitlements/messages"):
        ask(known, f"/accounts/account1{path}", query)
    ask(known, f"/accounts/account1/entitlements/{feature}", query)
    ask(known, "/add-ons", query)


def ask(host, path, query):
    headers = {"Authorization": f"Bearer {host.key}"}
    reply = host.client.get(f"/api/v1{path}", query_string=query, headers=headers)
    assert reply.status_code in (200, 400, 404, 422, 308), (reply.status_code, reply.text)
