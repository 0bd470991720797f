"""Nothing is written without a token of the form, and nothing by an address that is only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from tests.walks.stage import METHODS, Stage

SIGNED_ITSELF = "webhooks.stripe"
"""Its body is signed; the API has keys. Nobody else writes without a token."""
OVER_ALREADY = "support.end"
"""Where no support view is on, it only leads away: a second tab that ends it too."""
SETTLES_WHAT_CAME_BACK = {"purchases.returned", "invoices.returned", "payment_methods.come_back"}
"""Where the processor's page leads back to: the same as its message does, as often as one likes."""
COUNTED = text(
    "select relname, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_xact_user_tables"
    " where n_tup_ins + n_tup_upd + n_tup_del > 0"
)
RECORDED = {"events", "event_seals", "event_chains"}
READING_IS_TOLD = {"staff_activity.index", "staff_activity.whole"}
"""Staff who read what others did are recorded themselves."""
HARMLESS = {
    *("counters", "lots", "transfers"),  # a quota window that begins by the clock
    "try_counts",  # how often
    *("invoice_documents", "receipt_documents", "credit_note_documents"),  # papers that lack
}


@contextmanager
def asking_for_tokens(stage: Stage) -> Iterator[None]:
    stage.app.config["WTF_CSRF_ENABLED"] = True
    try:
        yield
    finally:
        stage.app.config["WTF_CSRF_ENABLED"] = False


def test_no_write_passes_without_a_token(stage):
    cells, passed = 0, []
    before = list(stage.world.gateway.calls)
    with asking_for_tokens(stage):
        for rule in stage.rules():
            path = stage.own_address(rule)
            for method in (rule.methods or set()) & set(METHODS) - {"GET"}:
                for who in ("owner", "staff", "nobody"):
                    reply = stage.ask(who, method, path, data={"csrf_token": "made-up"})
                    cells += 1
                    if (reply.status_code, "This page has expired" in reply.text) != (400, True):
                        passed.append((rule.endpoint, reply.status_code))
    assert {endpoint for endpoint, _ in passed} == {SIGNED_ITSELF, OVER_ALREADY}
    assert cells > 150
    assert stage.world.gateway.calls == before


def test_what_is_read_writes_nothing(stage):
    wrote: dict[str, set[str]] = {}
    for rule in stage.rules():
        if "GET" not in (rule.methods or set()) or rule.endpoint in SETTLES_WHAT_CAME_BACK:
            continue
        who = "staff" if rule.rule.startswith("/staff") else "owner"
        with stage.undone():
            before = written(stage)
            stage.send(who, "GET", stage.own_address(rule))
            after = written(stage)
        tables = {name for name, count in after.items() if count > before.get(name, 0)}
        told = RECORDED if rule.endpoint in READING_IS_TOLD else set()
        if tables - HARMLESS - told:
            wrote[rule.endpoint] = tables
    assert wrote == {}


def written(stage: Stage) -> dict[str, int]:
    """Rows that this transaction has written so far, undone ones too, by table."""
    return dict(stage.connection.execute(COUNTED).all())


def test_a_write_would_be_seen(stage):
    with stage.undone():
        before = written(stage)
        stage.send("owner", "POST", "/sign-out")
        assert written(stage).get("sessions", 0) > before.get("sessions", 0)
