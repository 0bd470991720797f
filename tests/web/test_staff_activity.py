"""Staff read what was done in their environment, and that they did is in it too."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.domain.activity import tenants_own
from portal.domain.events import EventName
from portal.domain.keys import Access
from portal.models.events import EventRow
from portal.queries.activity import LONGEST_PAGE
from portal.queries.activity_subjects import NOTHING
from portal.services import keys
from portal.services.accounts import ensure_environment
from portal.services.auditing import verify
from portal.services.recording import Doer, record
from portal.web.tenant_sentences import tenant_words
from tests.web.looking import Looking
from tests.web.reading import HTMX
from tests.web.test_activity_sentences import act

ACTIVITY = "/staff/activity"


@pytest.fixture
def busy(desk):
    """Ann at her desk; two accounts, one of which bought something; a key of the host."""
    world = desk.world
    world.buy(world.account(), "salesforce")
    world.account()
    with world.session() as session:
        keys.create(session, world.scope, "chat", Access.WRITE, world.wall)
    return desk


def told(world, *names: EventName) -> list[EventRow]:
    with world.session() as session:
        mine = select(EventRow).where(EventRow.name.in_(names)).order_by(EventRow.id)
        return list(session.scalars(mine))


def listed(page) -> list[str]:
    """The names of the events that a page lists."""
    return [page.words(each) for each in page.all("small") if ":" in page.words(each)]


def fill(world, count: int) -> None:
    with world.session() as session:
        for number in range(count):
            at = world.now + timedelta(seconds=number // 3)
            record(session, world.scope, Doer("cli"), EventName.CATALOG_APPLIED, "catalog:1", at)
        session.commit()


def test_it_lists_all_accounts_and_the_tenants_own(busy):
    page = busy.visitor.get(ACTIVITY)
    for sentence in (
        "Salesforce connector for $33.33: the purchase went through",
        "The API key chat (",
        "Both steps of the staff sign-in were set up",
        "Read the activity of all accounts",
        "Account1",
        "The catalog was applied",
        "Command line",
        "Ann, staff",
    ):
        assert sentence in page.text, sentence
    assert len(listed(page)) == busy.world.rows(EventRow)


def test_addresses_are_masked_in_page_and_file(busy):
    for url in (ACTIVITY, f"{ACTIVITY}/events.csv"):
        said = busy.visitor.client.get(url).text
        assert "o…@account1.test" in said
        assert "owner@account1.test" not in said


def test_reading_it_is_recorded_once_for_each_page_with_what_was_asked(busy):
    busy.visitor.get(f"{ACTIVITY}?kind=money&account=Account1&since=2026-04-01")
    busy.visitor.get(ACTIVITY, **HTMX)
    busy.visitor.client.get(f"{ACTIVITY}/events.csv?doer=cli")
    read, again, file = told(
        busy.world, EventName.STAFF_ACTIVITY_READ, EventName.STAFF_ACTIVITY_EXPORTED
    )
    assert read.detail == {
        "staff": "Ann",
        "asked": {"account": "Account1", "kind": "money", "since": "2026-04-01"},
    }
    assert (read.actor, read.subject, read.account_id) == ("staff:1", "staff:1", None)
    assert again.detail["asked"] == {}
    assert (file.name, file.detail["asked"]) == ("staff:activity_exported", {"doer": "cli"})
    with busy.world.session() as session:
        assert verify(session, busy.world.scope, {}) == []


@pytest.mark.parametrize(
    ("asked", "only"),
    [
        ("kind=money", {"purchase", "invoice"}),
        ("kind=own", {"catalog", "key", "staff"}),
        ("doer=cli", {"key", "staff"}),
        ("doer=staff:1&kind=own", {"staff"}),
        ("doer=person", {"purchase", "invoice", "instance"}),
        ("account=Account2", set()),
        ("account=account1&kind=add_ons", {"instance"}),
        ("account=Account", set()),
        ("account=%20Account1%20&kind=add_ons", {"instance"}),
    ],
)
def test_filters(busy, asked, only):
    page = busy.visitor.get(f"{ACTIVITY}?{asked}")
    kinds = {name.partition(":")[0] for name in listed(page)}
    assert kinds >= only
    if not asked.startswith("doer=person"):
        assert kinds - {"customer", "card", "account", "subscription"} <= only


def test_filters_that_nobody_offers_count_as_not_asked(busy):
    everything = len(listed(busy.visitor.get(ACTIVITY)))
    odd = "kind=bad&doer=bad&since=1&until=x&before=bad_bad"
    assert len(listed(busy.visitor.get(f"{ACTIVITY}?{odd}"))) == everything + 1
    at = "2026-04-11T00:00:00"
    for before in ("2026-04-11_1", f"{at}_1", f"{at}Z_0", f"{at}Z_{2**63}", "x_1", "_", "1_1"):
        page = busy.visitor.get(f"{ACTIVITY}?before={before}")
        assert len(listed(page)) > everything, before


def test_what_was_asked_is_recorded_to_200_signs(busy):
    busy.visitor.get(f"{ACTIVITY}?account={'x' * 300}")
    [read] = told(busy.world, EventName.STAFF_ACTIVITY_READ)
    assert read.detail["asked"] == {"account": "x" * 200}


def test_days_bound_it_30_where_none_is_chosen_and_92_at_most(busy):
    world = busy.world
    start = world.now
    with world.session() as session:
        for days in (29, 31, 91, 93):
            at = start - timedelta(days=days)
            name = EventName.WEBHOOK_ADDED
            record(session, world.scope, Doer("cli"), name, f"webhook:{days}", at)
        session.commit()

    def seen(asked: str = "") -> set[int]:
        text = busy.visitor.get(f"{ACTIVITY}?kind=own{asked}").text
        return {days for days in (29, 31, 91, 93) if f"Endpoint {days} was added" in text}

    assert seen() == {29}
    assert seen(f"&since={(start - timedelta(days=31)).date()}") == {29, 31}
    assert seen("&since=2001-01-01") == {29, 31, 91}
    assert seen(f"&since=2001-01-01&until={(start - timedelta(days=31)).date()}") == {31, 91, 93}
    assert seen(f"&until={(start - timedelta(days=92)).date()}") == {93}


def test_pages_follow_each_other_without_a_gap_and_none_twice(busy):
    fill(busy.world, 2 * LONGEST_PAGE + 7)
    page = busy.visitor.get(f"{ACTIVITY}?doer=cli&kind=own")
    pages = [listed(page)]
    with busy.world.session() as session:
        fresh = busy.world.now + timedelta(days=1)
        name = EventName.CATALOG_APPLIED
        record(session, busy.world.scope, Doer("cli"), name, "catalog:1", fresh)
        session.commit()
    while older := [a for a in page.all("a") if page.words(a) == "Older"]:
        page = busy.visitor.get(older[0].get("href"))
        pages.append(listed(page))
        assert any(page.words(a) == "Newest" for a in page.all("a"))
    assert [len(each) for each in pages[:2]] == [LONGEST_PAGE, LONGEST_PAGE]
    cli = [row for row in told(busy.world, *tenants_own()) if row.actor == "cli"]
    assert sum(map(len, pages)) == len(cli) - 1


def test_the_file_has_what_the_filters_let_through(busy):
    reply = busy.visitor.client.get(f"{ACTIVITY}/events.csv?kind=money&account=Account1")
    head, *rows = csv.reader(io.StringIO(reply.data.decode("utf-8-sig")))
    assert head[:4] == ["When", "Account", "Who", "E-mail"]
    assert {row[1] for row in rows} == {"Account1"}
    assert {row[7].partition(":")[0] for row in rows} == {"purchase", "invoice"}
    for _ in range(70):
        last = busy.visitor.client.get(f"{ACTIVITY}/events.csv")
    assert last.status_code == 429


def test_another_environments_events_are_not_there(busy):
    with busy.world.session() as session:
        other = ensure_environment(session, "rival", "Rival", "staging")
    with busy.world.session() as session:
        before = len(listed(busy.visitor.get(ACTIVITY)))
        assert other.environment_id != busy.world.scope.environment_id
    there = type(busy.world)(str(busy.world.engine.url.render_as_string(hide_password=False)))
    there.scope = other
    with there.session() as session:
        at, name = there.now, EventName.CATALOG_APPLIED
        record(session, other, Doer("cli"), name, "catalog:2", at)
        session.commit()
    there.engine.dispose()
    assert len(listed(busy.visitor.get(ACTIVITY))) == before + 1, "the reading itself"


def test_members_see_neither_the_page_nor_that_staff_read(busy, app):
    busy.visitor.get(ACTIVITY)
    owner = type(busy.visitor)(app.test_client())
    owner.get(ACTIVITY, 303)
    owner.sign_in("owner@account1.test")
    owner.get(ACTIVITY, 303)
    assert "Read the activity" not in owner.get("/settings/billing/activity").text


def test_in_a_support_view_it_stays_closed(busy):
    look = Looking(busy, busy.world.account())
    look.start()
    look.get(ACTIVITY, 403)
    look.get(f"{ACTIVITY}/events.csv", 403)
    assert told(busy.world, EventName.STAFF_ACTIVITY_READ) == []


def test_every_event_of_the_tenants_own_has_a_sentence_of_its_own(app):
    with app.test_request_context("/staff/activity"):
        said = {tenant_words(act(event, about=NOTHING)) for event in tenants_own()}
        assert tenant_words(act(EventName.INVOICE_PAID)) == "Invoice 000012 was paid"
    assert len(said) == len(tenants_own())
