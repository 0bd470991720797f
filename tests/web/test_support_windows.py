"""Where an account has to let staff look: its owners open, answer and close; and the report."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.domain.access import Role
from portal.domain.support import is_out_of_hours
from portal.models.events import EventRow
from portal.models.mails import MailRow
from portal.models.support import SupportSessionRow, SupportWindowRow
from tests.web.conftest import app_where
from tests.web.looking import GRID, REASON, TICKET, Looking
from tests.web.reading import HTMX, Visitor
from tests.web.staffing import AtDesk

ACCESS = "/settings/billing/support-access"


@pytest.fixture
def asking(world, world_database):
    """The portal where consent is needed."""
    with app_where(world, world_database, support_view="consent") as app:
        yield app


@pytest.fixture
def look(world, asking) -> Looking:
    actor = world.account()
    return Looking(AtDesk(world, Visitor(asking.test_client())).set_up(), actor)


@pytest.fixture
def owner(look, asking) -> Visitor:
    visitor = Visitor(asking.test_client())
    visitor.sign_in("owner@account1.test")
    return visitor


def does(owner: Visitor, action: str = "", status: int = 303, **typed: str):
    token = owner.get(ACCESS).hidden("csrf_token")
    return owner.post(f"{ACCESS}{action}", {"csrf_token": token} | typed, status)


def forced(look: Looking, status: int):
    """The form posted although its page does not show it."""
    typed = {"csrf_token": look.get(look.page).hidden("csrf_token")}
    typed |= {"membership": look.membership(), "reason": REASON, "ticket": TICKET}
    return look.desk.visitor.post(f"{look.page}/support-view", typed, status)


def ask(look: Looking, status: int = 303, **typed: str):
    given = {"reason": REASON, "ticket": TICKET} | typed
    return look.desk.send(look.page, f"{look.page}/support-request", status, **given)


def test_without_consent_nothing_begins(look):
    assert "Start support view" not in look.get(look.page).text
    assert "does not let staff look" in forced(look, 409).text
    assert look.world.rows(SupportSessionRow) == 0
    assert look.client.get_cookie("support") is None


@pytest.mark.parametrize(("span", "hours"), [("hour", 1), ("day", 24), ("week", 168)])
def test_a_window_that_an_owner_opens_lets_staff_look_until_it_ends(look, owner, span, hours):
    does(owner, span=span)
    look.start()
    look.get()
    look.end()
    look.world.now += timedelta(hours=hours)
    with look.world.session() as session:
        assert session.query(SupportWindowRow).one().ends_at == look.world.now
    assert look.told("support:allowed")


def test_a_view_never_outlasts_its_window(look, owner):
    does(owner, span="hour")
    look.world.now += timedelta(minutes=10)
    look.desk.visitor.get(look.page)
    for _ in range(4):
        look.world.now += timedelta(minutes=10)
        look.desk.visitor.get(look.page)
    look.start(code=look.desk.code())
    look.world.now += timedelta(minutes=9)
    look.get()
    look.world.now += timedelta(minutes=1)
    look.get(GRID, 303)


def test_closing_it_ends_the_view_at_the_next_request(look, owner):
    does(owner, span="week")
    look.start()
    does(owner, "/1/close")
    assert look.get(GRID, 303).headers["Location"] == look.page
    assert look.told("support:ended")[0][1]["cause"] == "closed"
    forced(look, 409)
    does(owner, "/1/close")
    assert len(look.told("support:closed")) == 1


def answers(look: Looking) -> dict[str, str | None]:
    """To whom an owner's answer was mailed, and until when they may look."""
    with look.world.session() as session:
        mails = session.query(MailRow).filter_by(kind="access_answered")
        return {mail.recipient: mail.notice["ends_at"] for mail in mails}


def test_a_wish_is_mailed_and_accepted_for_a_day(look, owner):
    ask(look)
    assert look.world.rows(MailRow, kind="support_asked") == 1
    page = owner.get(ACCESS)
    assert "Ann asks to look" in page.text
    assert REASON in page.text
    assert "there is no answer yet" in look.get(look.page).text
    forced(look, 409)
    does(owner, "/1/accept")
    until = look.world.now + timedelta(days=1)
    assert answers(look) == {"ann@staff.test": until.isoformat().replace("+00:00", "Z")}
    look.start()
    look.get()
    assert look.told("support:started")
    does(owner, "/1/accept", 409)


def test_a_wish_without_an_answer_is_over_after_a_week_and_may_be_asked_again(look, owner):
    ask(look)
    look.world.now += timedelta(days=7) - timedelta(seconds=1)
    owner.sign_in("owner@account1.test")
    assert "It waits until 18 Apr 2026" in owner.get(ACCESS).text
    look.world.now += timedelta(seconds=1)
    assert "Ann asks to look" not in owner.get(ACCESS).text
    does(owner, "/1/accept", 409)
    look.desk.password()
    look.desk.show()
    assert "asked on" not in look.get(look.page).text
    ask(look)
    does(owner, "/2/accept")


def test_a_wish_that_is_refused_lets_nobody_look_and_can_be_repeated(look, owner):
    ask(look)
    does(owner, "/1/refuse")
    assert answers(look) == {"ann@staff.test": None}
    forced(look, 409)
    assert look.told("support:declined")
    does(owner, "/1/accept", 409)
    ask(look)


def test_one_wish_at_a_time_and_with_a_reason(look):
    assert "Use 10 to 500 characters" in ask(look, 422, reason="short").text
    page = look.get(look.page)
    typed = {"csrf_token": page.hidden("csrf_token"), "reason": REASON, "ticket": TICKET}
    look.desk.visitor.post(f"{look.page}/support-request", typed, 303)
    look.desk.visitor.post(f"{look.page}/support-request", typed, 409)
    look.desk.visitor.post("/staff/accounts/999/support-request", typed, 404)


def test_only_owners_decide(look, asking):
    look.world.member(look.actor.account_id, "clerk@account1.test", Role.ADMIN)
    ask(look)
    clerk = Visitor(asking.test_client())
    clerk.sign_in("clerk@account1.test")
    page = clerk.get(ACCESS)
    assert "Only an owner decides whether staff may look" in page.text
    token = page.hidden("csrf_token")
    for action in ("", "/1/accept", "/1/refuse", "/1/close"):
        clerk.post(f"{ACCESS}{action}", {"csrf_token": token, "span": "hour"}, 403)
    assert "<html" not in clerk.get(ACCESS, **HTMX).html


def test_another_accounts_window_is_404(look, owner, asking):
    does(owner, span="hour")
    look.world.account()
    other = Visitor(asking.test_client())
    other.sign_in("owner@account2.test")
    for action in ("accept", "refuse", "close"):
        does(other, f"/1/{action}", 404)


def test_the_report_counts_views_out_of_hours_and_refused(look, owner):
    does(owner, span="hour")
    look.start()
    look.get("/settings/billing/security", 403)
    look.end()
    page = look.get("/staff/support-sessions")
    assert "Ann" in page.text
    assert "1 refused" in page.text
    assert "Out of hours" in page.text
    assert "No support session" not in look.get("/staff/support-sessions?odd=y&staff=1&days=7").text
    assert "<html" not in look.get("/staff/support-sessions", **HTMX).html
    look.world.now += timedelta(days=8)
    look.desk.password()
    look.desk.show()
    assert "No support session" in look.get("/staff/support-sessions?days=7").text
    assert "1 refused" in look.get("/staff/support-sessions?days=bad&staff=bad").text


def test_hours_are_those_of_a_working_week(world):
    monday = world.now.replace(month=4, day=13, hour=7)
    assert not is_out_of_hours(monday)
    assert is_out_of_hours(monday - timedelta(seconds=1))
    assert is_out_of_hours(monday.replace(hour=19))
    assert is_out_of_hours(monday - timedelta(days=1))


@pytest.fixture
def open_to_staff(world, app):
    """Where staff look unasked: who looks, and an owner of the account."""
    actor = world.account()
    look = Looking(AtDesk(world, Visitor(app.test_client())).set_up(), actor)
    owner = Visitor(app.test_client())
    owner.sign_in("owner@account1.test")
    return look, owner


def running(look: Looking) -> SupportSessionRow:
    with look.world.session() as session:
        return session.query(SupportSessionRow).one()


def test_an_owner_ends_a_view_that_nobody_asked_for(open_to_staff):
    look, owner = open_to_staff
    look.start()
    look.get()
    assert "End it" in owner.get(ACCESS).text
    does(owner, f"/views/{running(look).id}/end")
    look.get(GRID, 303)
    assert (running(look).end_cause, running(look).ended_at) == ("closed", look.world.wall)
    page = owner.get(ACCESS)
    assert "an owner closed it" in page.text
    assert "End it" not in page.text
    with look.world.session() as session:
        told = session.query(EventRow).filter_by(name="support:ended").one()
    assert (told.actor, told.behalf_of_id) == (f"person:{look.actor.person_id}", None)
    does(owner, f"/views/{running(look).id}/end")
    assert len(look.told("support:ended")) == 1


def test_ending_a_view_that_lapsed_unnoted_says_how_it_lapsed(open_to_staff):
    look, owner = open_to_staff
    look.start()
    look.world.now += timedelta(minutes=31)
    owner.sign_in("owner@account1.test")
    does(owner, f"/views/{running(look).id}/end")
    assert running(look).end_cause == "over"


def test_only_owners_end_views_and_only_of_their_account(open_to_staff, app):
    look, owner = open_to_staff
    look.start()
    look.world.member(look.actor.account_id, "admin@account1.test", Role.ADMIN)
    look.world.account()
    for mail, status in (("admin@account1.test", 403), ("owner@account2.test", 404)):
        other = Visitor(app.test_client())
        other.sign_in(mail)
        assert "End it" not in other.get(ACCESS).text
        does(other, f"/views/{running(look).id}/end", status)
    does(owner, "/views/99999/end", 404)
    assert running(look).ended_at is None
