"""Messages on their staff page: what arrived, what did not and why, and sending it once more."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from portal.domain.webhooks import Answer
from portal.models.events import EventRow
from portal.models.webhooks import WebhookMessageRow
from portal.services import webhooks
from tests.services.hearing import Office
from tests.web.staffing import MESSAGES, AtDesk


def fail(office: Office) -> None:
    """Every message is given up."""
    office.host.answer = Answer(500, "<b>oh no</b>")
    office.deliver()
    with office.world.session() as session:
        session.execute(
            update(WebhookMessageRow).values(status="failed", next_try_at=None, tries=10)
        )
        session.commit()


def told(desk: AtDesk) -> list[tuple[str, str, dict]]:
    with desk.world.session() as session:
        mine = select(EventRow).where(EventRow.name == "webhook:replayed")
        rows = session.scalars(mine.order_by(EventRow.id))
        return [(row.name, row.actor, row.detail) for row in rows]


def test_each_message_says_how_it_stands(desk, office):
    page = desk.visitor.get(MESSAGES)
    assert page.text.count("not tried yet") == 2
    assert page.text.count("at once") == 2
    office.host.answer = Answer(503, "busy")
    office.deliver()
    page = desk.visitor.get(MESSAGES)
    assert page.text.count("503 busy") == 2
    assert "00:01" in page.text, "the next try"
    desk.world.now += timedelta(minutes=1)
    office.host.answer = Answer(200, "thanks")
    office.deliver()
    page = desk.visitor.get(MESSAGES)
    assert page.text.count("200 thanks") == 2
    assert len(page.all("tr")) == 3


def test_what_a_host_answers_is_text_and_nothing_else(desk, office):
    fail(office)
    page = desk.visitor.get(MESSAGES)
    assert "500 <b>oh no</b>" in page.text
    assert not page.all("b")


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("status=failed", 1), ("status=queued", 1), ("status=delivered", 0), ("status=x", 2),
        ("to=1", 1), ("to=1&status=queued", 0), ("to=9", 2), ("to=x&before=x", 2),
        ("before=2", 1), ("before=0", 2), (f"before={2**70}", 2),
    ],
)  # fmt: skip
def test_a_filter_shows_what_is_asked_for(desk, office, asked, shown):
    with desk.world.session() as session:
        first = update(WebhookMessageRow).where(WebhookMessageRow.endpoint_id == 1)
        session.execute(first.values(status="failed"))
        session.commit()
    page = desk.visitor.get(f"{MESSAGES}?{asked}")
    assert len(page.all("tr")) == (shown + 1 if shown else 0)
    assert ("There is no such message" in page.text) is not shown


def test_older_ones_are_a_page_on(desk, office):
    with desk.world.session() as session:
        (row,) = session.scalars(
            select(WebhookMessageRow).where(WebhookMessageRow.endpoint_id == 1)
        )
        copied = {c.name: getattr(row, c.name) for c in row.__table__.columns if c.name != "id"}
        for number in range(49):
            session.add(WebhookMessageRow(**(copied | {"message_key": f"msg_{number}"})))
        session.commit()
    page = desk.visitor.get(MESSAGES)
    assert len(page.all("tr")) == 51
    (older,) = [a.get("href") for a in page.all("a") if page.words(a) == "Older"]
    rest = desk.visitor.get(older)
    assert len(rest.all("tr")) == 2
    assert "Newest" in rest.text


def test_one_is_replayed_and_one_on_its_way_is_not(desk, office):
    fail(office)
    page = f"{MESSAGES}?status=failed"
    reply = desk.send(page, f"{MESSAGES}/1/replay", 303, next=page)
    assert reply.headers["Location"] == page
    assert [(r.status, r.tries) for r in office.rows()] == [("queued", 0), ("failed", 10)]
    desk.send(MESSAGES, f"{MESSAGES}/1/replay", 409)
    office.host.answer = Answer(200, "")
    assert office.deliver().messages == 1
    desk.send(MESSAGES, f"{MESSAGES}/1/replay", 303, next="//evil.test")
    assert told(desk) == [("webhook:replayed", "staff:1", {"messages": 1})] * 2
    desk.send(MESSAGES, f"{MESSAGES}/99/replay", 404)


def test_all_that_failed_at_one_endpoint_go_again(desk, office):
    fail(office)
    url = f"{MESSAGES}/endpoints/1/replay"
    assert desk.send(MESSAGES, url, 303).headers["Location"] == f"{MESSAGES}?to=1"
    assert "1 message is sent once more" in desk.visitor.get(MESSAGES).text
    assert {r.endpoint_id: r.status for r in office.rows()} == {1: "queued", 2: "failed"}
    desk.send(MESSAGES, url, 303)
    assert told(desk) == [("webhook:replayed", "staff:1", {"messages": 1})]


def test_a_removed_endpoint_is_told_no_more(desk, office):
    fail(office)
    office.do(webhooks.remove, 1)
    page = desk.visitor.get(MESSAGES)
    assert "removed endpoint" in page.text
    assert [f.get("action") for f in page.all("form") if "replay" in f.get("action")] == [
        f"{MESSAGES}/endpoints/2/replay", f"{MESSAGES}/1/replay",
    ]  # fmt: skip
    desk.send(MESSAGES, f"{MESSAGES}/2/replay", 404)
    desk.send(MESSAGES, f"{MESSAGES}/endpoints/1/replay", 404)
    desk.visitor.get(f"{MESSAGES}/endpoints/1/secret", 404)
