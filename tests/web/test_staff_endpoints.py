"""Endpoints on their staff pages: added, paused, removed, and given new secrets."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.domain.webhooks import TYPES, secret_of
from portal.models.events import EventRow
from portal.models.webhooks import WebhookEndpointRow
from tests.web.guarding import MASTER
from tests.web.staffing import MESSAGES, AtDesk

ENDPOINTS = f"{MESSAGES}/endpoints"
NEW = f"{ENDPOINTS}/new"
URL = "https://host.test/hook"


def told(desk: AtDesk) -> list[tuple[str, str, dict]]:
    with desk.world.session() as session:
        mine = EventRow.name.in_(("webhook:added", "webhook:changed")), EventRow.actor != "cli"
        rows = session.scalars(select(EventRow).where(*mine).order_by(EventRow.id))
        return [(row.name, row.actor, row.detail) for row in rows]


def endpoints(desk: AtDesk) -> list[WebhookEndpointRow]:
    with desk.world.session() as session:
        return list(session.scalars(select(WebhookEndpointRow).order_by(WebhookEndpointRow.id)))


def secret(desk: AtDesk, endpoint: int, generation: int) -> str:
    return secret_of(MASTER, desk.world.scope.environment_id, endpoint, generation)


def test_without_an_endpoint_it_leads_to_the_page_that_adds_one(desk):
    page = desk.visitor.get(MESSAGES)
    assert "Nobody is told of events" in page.text
    assert NEW in [a.get("href") for a in page.all("a")]


def test_one_is_added_and_its_secret_shown_once(desk):
    form = desk.visitor.get(NEW)
    offered = form.all("input", name="types")
    assert [box.get("value") for box in offered] == list(TYPES)
    assert not [box for box in offered if box.get("checked") is not None], "nothing is chosen"
    shown = desk.send(NEW, NEW, 200, url=f" {URL} ")
    assert secret(desk, 1, 1) in shown.html
    page = desk.visitor.get(MESSAGES)
    assert secret(desk, 1, 1) not in page.html
    assert "told of everything" in page.text
    assert told(desk) == [("webhook:added", "staff:1", {"url": URL})]
    desk.world.buy(desk.world.account(), "salesforce")
    assert len(desk.visitor.get(MESSAGES).all("tr")) > 2


def test_it_is_told_of_what_was_chosen(desk):
    desk.send(NEW, NEW, 200, url=URL, types=["purchase.settled", "invoice.paid"])
    (row,) = endpoints(desk)
    assert row.types == ["invoice.paid", "purchase.settled"]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Say where the host application listens"),
        ("host.test/hook", "Enter a whole address"),
        ("ftp://host.test", "Enter a whole address"),
        ("https://", "Enter a whole address"),
        ("https://ann:word@host.test", "Enter a whole address"),
        ("https://host.test:99999", "Enter a whole address"),
        ("https://[::1", "Enter a whole address"),
        ("https://host.test/a b", "Enter a whole address"),
        ("http://host.test", "begins with https://"),
        ("https://host.test/" + "x" * 2000, "longer than 2000"),
    ],
)
def test_an_address_that_cannot_be_told_is_refused_and_kept_in_the_form(desk, typed, said):
    reply = desk.send(NEW, NEW, 422, url=typed, types=["invoice.paid"])
    assert said in reply.text
    assert reply.all("input", name="url")[0].get("value", "") == typed
    chosen = [box for box in reply.all("input", name="types") if box.get("checked") is not None]
    assert [box.get("value") for box in chosen] == ["invoice.paid"]
    assert endpoints(desk) == []


def test_a_type_that_there_is_not_is_refused(desk):
    desk.send(NEW, NEW, 422, url=URL, types=["purchase.settled", "moon.rose"])
    assert endpoints(desk) == []


def test_paused_messages_wait_and_go_when_it_is_resumed(desk, office):
    desk.send(MESSAGES, f"{ENDPOINTS}/1/pause", 303)
    assert "Paused" in desk.visitor.get(MESSAGES).text
    office.deliver()
    assert office.host.types() == ["invoice.issued"]
    desk.send(MESSAGES, f"{ENDPOINTS}/1/resume", 303)
    assert "Paused" not in desk.visitor.get(MESSAGES).text
    office.deliver()
    assert office.host.types() == ["invoice.issued", "purchase.settled"]
    assert told(desk) == [
        ("webhook:changed", "staff:1", {"paused": True}),
        ("webhook:changed", "staff:1", {"paused": False}),
    ]


def test_a_removed_one_is_told_no_more(desk, office):
    url = f"{ENDPOINTS}/1/remove"
    assert "This cannot be undone" in desk.visitor.get(url).text
    desk.send(url, url, 303)
    assert f"{URL} is told of nothing more" in desk.visitor.get(MESSAGES).text
    office.deliver()
    assert office.host.types() == ["invoice.issued"]
    assert told(desk) == [("webhook:changed", "staff:1", {"removed": True})]
    for act in ("pause", "resume", "remove"):
        desk.send(MESSAGES, f"{ENDPOINTS}/1/{act}", 404)
    desk.visitor.get(url, 404)


def test_a_new_secret_is_shown_once_and_both_sign_for_a_while(desk, office):
    url = f"{ENDPOINTS}/1/secret"
    assert "from 0 to 168" in desk.send(url, url, 422, hours="-1").text
    shown = desk.send(url, url, 200, hours="24")
    assert secret(desk, 1, 2) in shown.html
    page = desk.visitor.get(MESSAGES)
    assert secret(desk, 1, 2) not in page.html
    assert "Two secrets sign until 12 Apr 2026" in page.text
    assert "Two secrets sign already" in desk.visitor.get(url).text
    token = page.hidden("csrf_token")
    desk.visitor.post(url, {"csrf_token": token, "hours": "24"}, 409)
    assert told(desk) == [("webhook:changed", "staff:1", {"generation": 2})]
    office.deliver()
    sent = {parcel.endpoint_id: parcel.generations for parcel, _ in office.host.got}
    assert sent == {1: (2, 1), 2: (1,)}
