"""The page of activity: who did what, when and from where; filters, pages, CSV; others' never."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from sqlalchemy import update

from portal.domain.access import Actor, Role
from portal.domain.events import EventName
from portal.models.accounts import AccountRow, PersonRow
from portal.models.catalog import AddOnRow
from portal.services.recording import Doer, record
from tests.web.reading import HTMX, Reply, Visitor

BASE = "/settings/billing"
ACTIVITY, FILE = f"{BASE}/activity", f"{BASE}/activity/events.csv"
HOSTILE = '=HYPERLINK("http://x")'
Tell = Callable[..., None]


@pytest.fixture
def actor(world, visit):
    actor = world.account()
    visit.sign_in("owner@account1.test")
    return actor


@pytest.fixture
def tell(world, actor) -> Tell:
    """Record an event of the account."""

    def tell(event: EventName, at: datetime | None = None, **given: object) -> None:
        doer = Doer("test", actor.account_id, **given)  # type: ignore[arg-type]
        with world.session() as session:
            record(session, world.scope, doer, event, "mail:1", at or world.now, recipient="a@b.c")
            session.commit()

    return tell


def rows(page: Reply) -> list[str]:
    return [page.words(row) for row in page.all("tr")][1:]


def table(visit: Visitor, query: str = "") -> list[list[str]]:
    reply = visit.client.get(f"{FILE}{query}")
    assert reply.headers["Content-Disposition"] == 'attachment; filename="activity.csv"'
    return list(csv.reader(StringIO(reply.get_data().decode("utf-8-sig"))))


def test_a_purchase_is_told_with_who_and_from_where_and_where_to_look(actor, world, visit):
    world.buy(actor, "salesforce")
    page = visit.get(ACTIVITY)
    said = rows(page)
    assert said[0].startswith("11 Apr 2026, 00:00 UTC Salesforce connector for $33.33")
    assert "Somebody owner@account1.test" in said[0]
    assert any(row.endswith("Signed in Somebody owner@account1.test 127.0.0.1") for row in said)
    links = {page.words(a).strip(): a.get("href") for a in page.all("a")}
    assert links["See the invoice"] == f"{BASE}/invoices/1"
    assert links["See the purchase"].startswith(f"{BASE}/purchases/")
    assert links["See active add-ons"].startswith(f"{BASE}/add-ons/active#instance-")
    assert links["Activity"] == ACTIVITY
    for url in (links["See the invoice"], links["See the purchase"]):
        visit.get(url)


def test_times_are_the_accounts_own(actor, world, visit):
    zone = update(AccountRow).where(AccountRow.id == actor.account_id)
    world.change(zone.values(zone="Asia/Tokyo"))
    page = visit.get(ACTIVITY)
    assert "Times are in Asia/Tokyo" in page.text
    assert rows(page)[0].startswith("11 Apr 2026, 09:00")
    assert table(visit)[1][0] == "2026-04-11T09:00:00+09:00"


def test_another_account_another_environment_and_the_tenant_are_never_shown(actor, world, visit):
    stranger = world.account()
    world.buy(stranger, "zendesk")
    with world.session() as session:
        record(session, world.scope, Doer("cli"), EventName.MAIL_FAILED, "mail:1", world.now,
               recipient="tenant@secret.test")  # fmt: skip
        record(session, world.scope, Doer("cli", actor.account_id), EventName.KEY_CREATED,
               "key:123", world.now, name="secret key")  # fmt: skip
        session.commit()
    page = visit.get(ACTIVITY)
    for other in ("Zendesk", "owner@account2.test", "secret", "account2"):
        assert other not in page.text
        assert other not in str(table(visit))
    options = [page.words(o) for o in page.all("option")]
    assert "Somebody (owner@account1.test)" in options
    theirs = visit.get(f"{ACTIVITY}?person={stranger.person_id}")
    assert len(rows(theirs)) == len(rows(page)), "a stranger is nobody to look for"


def test_an_event_that_names_another_accounts_invoice_does_not_tell_of_it(actor, world, visit):
    stranger = world.account()
    world.buy(stranger, "zendesk")
    with world.session() as session:
        doer = Doer("test", actor.account_id)
        for subject in ("invoice:1", "purchase:1", "instance:1"):
            kind = {"invoice": EventName.INVOICE_PAID, "purchase": EventName.PURCHASE_ENDED,
                    "instance": EventName.INSTANCE_ENDED}[subject.partition(":")[0]]  # fmt: skip
            record(session, world.scope, doer, kind, subject, world.now)
        session.commit()
    page = visit.get(ACTIVITY)
    assert "Zendesk" not in page.text
    assert "/invoices/1" not in page.text


def test_a_reader_may_look_and_a_stranger_may_not(actor, world, app, visit):
    world.member(actor.account_id, "reader@x.test", Role.MEMBER)
    reader = Visitor(app.test_client())
    reader.sign_in("reader@x.test")
    assert "Signed in" in reader.get(ACTIVITY).text
    assert Visitor(app.test_client()).client.get(FILE).status_code == 303


def test_the_kinds_and_the_persons_filter(actor, world, visit):
    world.buy(actor, "salesforce")
    everything = rows(visit.get(ACTIVITY))
    kinds = ("money", "add_ons", "plan", "cards", "sign_in", "use", "mail", "api")
    by_kind = {kind: rows(visit.get(f"{ACTIVITY}?kind={kind}")) for kind in kinds}
    assert sorted(row for found in by_kind.values() for row in found) == sorted(everything)
    assert [row.split(" UTC ")[1].split(" See")[0] for row in by_kind["add_ons"]] == [
        "Salesforce connector started"
    ]
    assert all("Signed in" in row for row in by_kind["sign_in"])
    assert by_kind["sign_in"]
    mine = rows(visit.get(f"{ACTIVITY}?person={actor.person_id}"))
    nobodys = rows(visit.get(f"{ACTIVITY}?person=0"))
    assert sorted(mine + nobodys) == sorted(everything)
    assert mine
    assert all("owner@account1.test" in row for row in mine)
    assert len(table(visit, "?kind=sign_in")) == 1 + len(by_kind["sign_in"])


def test_days_are_the_accounts_and_both_are_included(actor, world, visit, tell):
    zone = update(AccountRow).where(AccountRow.id == actor.account_id)
    world.change(zone.values(zone="America/New_York"))
    midnight = datetime(2026, 4, 2, 4, tzinfo=UTC)
    for at in (midnight - timedelta(seconds=1), midnight, midnight + timedelta(hours=23.5)):
        tell(EventName.MAIL_FAILED, at)
    days = [row[0][:10] for row in table(visit, "?since=2026-04-02&until=2026-04-02")[1:]]
    assert days == ["2026-04-02"] * 2
    assert len(table(visit, "?until=2026-04-01")) == 2
    assert len(table(visit, "?since=2026-04-01&until=2026-04-02")) == 4


@pytest.mark.parametrize(
    "odd",
    ["kind=none", "person=x", "person=-1", f"person={'9' * 40}", "since=soon", "until=9999-12-31",
     "since=0001-01-01", "page=0", "page=99999999999999999999", "page=x"],
)  # fmt: skip
def test_what_nobody_can_ask_counts_as_not_asked(actor, visit, odd):
    assert len(rows(visit.get(f"{ACTIVITY}?{odd}"))) == len(rows(visit.get(ACTIVITY)))
    assert len(table(visit, f"?{odd}")) == len(table(visit))


def test_nothing_found_and_the_way_back(actor, visit):
    page = visit.get(f"{ACTIVITY}?since=2031-01-01")
    assert "Nothing matches" in page.text
    assert [a.get("href") for a in page.all("a") if page.words(a) == "Clear filters"] == [ACTIVITY]
    assert table(visit, "?since=2031-01-01")[1:] == []


def test_htmx_gets_the_list_alone_and_its_file_has_the_same_filters(actor, world, visit):
    world.buy(actor, "salesforce")
    page = visit.get(f"{ACTIVITY}?kind=money&since=2026-04-01", **HTMX)
    assert [e.get("id") for e in page.all("section")] == ["activity-list"]
    assert page.all("h1") == []
    [link] = [a for a in page.all("a") if page.words(a) == "Download CSV"]
    assert link.get("href") == f"{FILE}?kind=money&since=2026-04-01"
    assert len(table(visit, "?kind=money&since=2026-04-01")) == 1 + len(rows(page)) > 2


def test_pages_lead_to_each_other_and_keep_the_filters(actor, world, visit, tell):
    for minute in range(51):
        tell(EventName.MAIL_FAILED, world.now + timedelta(minutes=minute))
    page = visit.get(f"{ACTIVITY}?kind=mail")
    assert "Page 1 of 2" in page.text
    assert "51 entries" in page.text
    links = {page.words(a): a.get("href") for a in page.all("a")}
    assert "Newer" not in links
    assert rows(page)[0].startswith("11 Apr 2026, 00:50"), "the newest first"
    older = visit.get(links["Older"])
    assert len(rows(older)) == 1
    links = {older.words(a): a.get("href") for a in older.all("a")}
    assert "Older" not in links
    assert links["Newer"] == f"{ACTIVITY}?page=1&kind=mail"
    assert len(table(visit, "?kind=mail")) == 52


def test_no_cell_of_the_file_is_a_formula_and_no_page_runs_a_script(actor, world, visit):
    script = "<script>alert(1)</script>"
    world.change(
        update(AddOnRow).where(AddOnRow.lookup_key == "salesforce").values(name=HOSTILE),
        update(PersonRow).where(PersonRow.id == actor.person_id).values(name=f"@{script}"),
    )
    world.buy(actor, "salesforce")
    cells = [cell for row in table(visit) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]
    assert f"'@{script}" in cells
    assert script not in visit.client.get(ACTIVITY).get_data(as_text=True)


def test_who_looked_through_whose_eyes_is_told(actor, world, visit, tell):
    seen = world.member(actor.account_id, "seen@x.test", Role.MEMBER)
    tell(EventName.SESSION_STARTED, behalf_of=seen.person_id, address="203.0.113.9")
    said = rows(visit.get(f"{ACTIVITY}?person=0&kind=sign_in"))[0]
    assert said.endswith("Automatic through the eyes of seen@x.test 203.0.113.9")
    assert table(visit, "?person=0&kind=sign_in")[1][3] == "seen@x.test"


def test_a_failed_sign_in_and_chosen_mails_are_found_there(actor, world, app, visit):
    thief = Visitor(app.test_client())
    token = thief.get("/sign-in").hidden("csrf_token")
    wrong = {"csrf_token": token, "email": "owner@account1.test", "password": "guess"}
    thief.post("/sign-in", wrong, 422)
    choices = f"{BASE}/notifications"
    for _ in range(2):
        chosen = {"csrf_token": visit.get(choices).hidden("csrf_token"), "digest": "y"}
        visit.post(choices, chosen, 303)
    failed = rows(visit.get(f"{ACTIVITY}?kind=sign_in&person=0"))
    assert [row.split(" UTC ")[1] for row in failed] == [
        "A sign-in as Somebody failed Somebody not signed in 127.0.0.1"
    ]
    told = rows(visit.get(f"{ACTIVITY}?kind=mail"))
    assert len(told) == 1, "what changes nothing is no event"
    assert "The mails to get were chosen" in told[0]
    assert told[0].endswith("127.0.0.1")


def test_no_secret_is_on_the_page_or_in_the_file(actor: Actor, world, visit):
    world.buy(actor, "messages_100k")
    said = visit.get(ACTIVITY).text + str(table(visit))
    for secret in ("pm_card", "pi_", "cus_", "sk_test", "password_hash", "$argon2"):
        assert secret not in said


def test_a_time_names_its_zone_in_short(world, visit):
    world.account(zone="Europe/Berlin")
    visit.sign_in("owner@account1.test")
    page = visit.get("/settings/billing/activity")
    assert "11 Apr 2026, 02:00 CEST" in page.text
    assert "Central European" not in page.text
