"""Break-glass: no owner lets staff look, and a second member of staff approves one view."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.domain.access import Role
from portal.domain.errors import Forbidden
from portal.domain.support import APPROVABLE, RECENT
from portal.models.mails import MailRow
from portal.models.staff import StaffSessionRow
from portal.models.support import SupportApprovalRow, SupportSessionRow
from portal.queries.staff import find_staff_member
from portal.services import members, staff, support_approvals
from tests.web.conftest import app_where
from tests.web.looking import GRID, REASON, TICKET, Looking
from tests.web.reading import HTMX, Visitor
from tests.web.staffing import AtDesk

APPROVALS, ACCESS = "/staff/approvals", "/settings/billing/support-access"


@pytest.fixture
def breaking(world, world_database):
    """The portal where a second member of staff may stand in for an owner."""
    with app_where(world, world_database, support_view="break-glass") as app:
        yield app


@pytest.fixture
def look(world, breaking) -> Looking:
    """Ann, who wants to look."""
    actor = world.account()
    return Looking(AtDesk(world, Visitor(breaking.test_client())).set_up(), actor)


@pytest.fixture
def ben(look, breaking) -> AtDesk:
    """The second one."""
    desk = AtDesk(look.world, Visitor(breaking.test_client()), mail="ben@staff.test", name="Ben")
    return desk.set_up()


def answers(desk: AtDesk, action: str = "approve", status: int = 303, **typed: str):
    return desk.send(f"{APPROVALS}/1", f"{APPROVALS}/1/{action}", status, **typed)


def begin(look: Looking, status: int = 303, **typed: str):
    return look.desk.send(look.page, f"{look.page}/approvals/1/begin", status, **typed)


def test_a_start_waits_for_a_second_one_and_then_begins_once(look, ben):
    assert look.start().headers["Location"] == look.page
    assert look.world.rows(SupportSessionRow) == 0
    assert "It waits for a second member of staff" in look.get(look.page).text
    begin(look, 409)
    other = look.world.account()
    for desk, page in ((ben, look.page), (look.desk, f"/staff/accounts/{other.account_id}")):
        assert "Your wish" not in desk.visitor.get(page).text, "it is another's, or for another"
    page = ben.visitor.get(APPROVALS)
    assert "Ann asks to look at Account1" in page.text
    shown = ben.visitor.get(f"{APPROVALS}/1").text
    assert all(part in shown for part in (REASON, TICKET, "Somebody"))
    answers(ben)
    assert "Ben approved it" in look.get(look.page).text
    assert begin(look).headers["Location"] == GRID
    assert "Support view" in look.get().text
    look.end()
    assert "Your wish" not in look.get(look.page).text
    begin(look, 409)
    assert look.world.rows(SupportSessionRow) == 1


def test_owners_the_report_and_activity_have_both_names(look, ben, breaking):
    look.start()
    answers(ben)
    started = {"kind": "support_started"}
    assert look.world.rows(MailRow, **started) == 0, "nothing to tell owners before it begins"
    begin(look)
    look.end()
    with look.world.session() as session:
        mail = session.query(MailRow).filter_by(**started).one()
    assert mail.recipient == "owner@account1.test"
    assert (mail.notice["staff"], mail.notice["approved_by"]) == ("Ann", "Ben")
    assert "approved by Ben" in look.get("/staff/support-sessions").text
    assert "approved by Ben" in look.get(look.page).text
    owner = Visitor(breaking.test_client())
    owner.sign_in("owner@account1.test")
    said = owner.get("/settings/billing/activity?kind=support").text
    for sentence in (
        "Asked a second member of staff to approve a look",
        "Approved that Ann looks, once",
        "Ben, our staff",
        "A support view began, approved by Ben",
    ):
        assert sentence in said
    assert "approved by Ben" in owner.get(ACCESS).text


def test_an_approval_has_its_own_time_and_leaves_the_page_once_it_is_used(look, ben):
    look.start()
    look.world.now += APPROVABLE - timedelta(minutes=20)  # ten minutes after it was asked
    look.get(look.page)
    answers(ben, code=ben.code())
    look.world.now += timedelta(minutes=12)
    look.get(look.page)
    look.world.now += timedelta(minutes=12)  # over, had the approval not begun its time anew
    begin(look, code=look.desk.code())
    look.end()
    assert "Ben approved it" not in look.get(look.page).text


def test_what_is_approved_does_not_begin_once_the_member_is_one_of_the_staff(look, ben):
    look.start()
    answers(ben)
    AtDesk(look.world, look.desk.visitor, mail="owner@account1.test", name="Cas").link()
    begin(look, 409)
    assert look.world.rows(SupportSessionRow) == 0


def test_the_view_is_what_was_approved_and_nothing_else(look, ben):
    look.start()
    answers(ben)
    begin(look, reason="Something else that nobody approved.", membership="9", ticket="T-9")
    (_, detail) = look.told("support:started")[0]
    assert (detail["reason"], detail["ticket"], detail["approved_by"]) == (REASON, TICKET, "Ben")


def test_nobody_approves_their_own_wish_nor_in_a_second_session(look, breaking):
    look.start()
    elsewhere = AtDesk(look.world, Visitor(breaking.test_client()), secret=look.desk.secret)
    elsewhere.password()
    elsewhere.show()
    for desk in (look.desk, elsewhere):
        page = desk.visitor.get(f"{APPROVALS}/1")
        assert "somebody else of the staff has to approve" in page.text
        assert not page.all("form", action=f"{APPROVALS}/1/approve")
        token = {"csrf_token": page.hidden("csrf_token")}
        for action in ("approve", "refuse"):
            desk.visitor.post(f"{APPROVALS}/1/{action}", token, 403)
    begin(look, 409)
    assert look.told("support:approved") == []


def test_a_refused_wish_begins_nothing_and_may_be_repeated(look, ben):
    look.start()
    answers(ben, "refuse")
    begin(look, 409)
    assert look.told("support:approval_refused")[0][1] == {"staff": "Ben", "asked_by": "Ann"}
    look.start()
    assert look.world.rows(SupportApprovalRow) == 2


def test_one_wish_at_a_time_for_an_account(look, ben):
    look.start()
    page = look.get(look.page)
    typed = {"csrf_token": page.hidden("csrf_token"), "membership": look.membership()}
    typed |= {"reason": REASON, "ticket": TICKET}
    look.desk.visitor.post(f"{look.page}/support-view", typed, 409)
    answers(ben)
    look.desk.visitor.post(f"{look.page}/support-view", typed, 409)
    begin(look)
    look.end()
    look.start()


def test_a_wish_is_over_after_half_an_hour(look, ben):
    look.start()
    look.world.now += APPROVABLE - timedelta(minutes=16)
    ben.visitor.get(APPROVALS)
    look.world.now += timedelta(minutes=14)
    page = ben.visitor.get(f"{APPROVALS}/1")
    look.world.now += timedelta(minutes=2)
    typed = {"csrf_token": page.hidden("csrf_token"), "code": ben.code()}
    ben.visitor.post(f"{APPROVALS}/1/approve", typed, 409)
    ben.visitor.get(f"{APPROVALS}/1", 404)
    assert "Nothing waits" in ben.visitor.get(APPROVALS).text
    assert look.told("support:approved") == []


def test_an_approval_is_over_half_an_hour_after_it_was_given(look, ben):
    look.start()
    answers(ben)
    for _ in range(3):
        look.world.now += APPROVABLE / 3
        page = look.get(look.page)
    typed = {"csrf_token": page.hidden("csrf_token"), "code": look.desk.code()}
    look.desk.visitor.post(f"{look.page}/approvals/1/begin", typed, 409)
    assert look.world.rows(SupportSessionRow) == 0
    assert "Ask a second member of staff" in page.text


def test_it_is_answered_once(look, ben):
    look.start()
    token = {"csrf_token": ben.visitor.get(f"{APPROVALS}/1").hidden("csrf_token")}
    ben.visitor.post(f"{APPROVALS}/1/approve", token, 303)
    for action in ("approve", "refuse"):
        ben.visitor.post(f"{APPROVALS}/1/{action}", token, 409)
    assert len(look.told("support:approv")) == 2
    begin(look)


def test_an_approver_who_was_ended_meanwhile_approved_nothing(look, ben):
    look.start()
    answers(ben)
    with look.world.session() as session:
        staff.end(session, look.world.scope, ben.mail, look.world.wall)
    begin(look, 409)
    assert look.world.rows(SupportSessionRow) == 0


def test_who_was_ended_gets_no_approval(look, ben):
    look.start()
    with look.world.session() as session:
        staff.end(session, look.world.scope, look.desk.mail, look.world.wall)
    answers(ben, status=409)


def test_a_member_who_was_removed_meanwhile_is_not_looked_at(look, ben):
    clerk = look.world.member(look.actor.account_id, "clerk@account1.test", Role.ADMIN)
    as_clerk = Looking(look.desk, clerk)
    as_clerk.start()
    answers(ben)
    with look.world.session() as session:
        members.remove(session, look.actor, int(as_clerk.membership()), look.world.wall)
    begin(look, 409)


def test_anothers_approval_is_404(look, ben, breaking):
    look.start()
    cleo = AtDesk(look.world, Visitor(breaking.test_client()), mail="cleo@staff.test", name="Cleo")
    cleo.set_up()
    answers(ben)
    for desk in (ben, cleo):
        desk.send(look.page, f"{look.page}/approvals/1/begin", 404)
    look.desk.send(look.page, f"{look.page}/approvals/99/begin", 404)


def test_approving_and_beginning_ask_for_a_code_where_the_sign_in_is_old(look, ben):
    look.start()
    look.world.now += RECENT
    assert "Enter a code" in answers(ben, status=422).text
    assert "wrong, or has been used" in answers(ben, status=422, code="000000").text
    answers(ben, code=ben.code())
    assert "Enter a code" in begin(look, 422).text
    begin(look, code=look.desk.code())


def test_a_window_of_the_customers_still_lets_staff_look_alone(look, breaking):
    owner = Visitor(breaking.test_client())
    owner.sign_in("owner@account1.test")
    page = owner.get(ACCESS)
    assert "a second member of our staff has to approve" in page.text
    owner.post(ACCESS, {"csrf_token": page.hidden("csrf_token"), "span": "hour"}, 303)
    assert look.start().headers["Location"] == GRID
    assert look.told("support:approval_asked") == []
    assert "approved_by" not in look.told("support:started")[0][1]


def test_a_view_that_is_on_approves_nothing(look, ben, world):
    """Staff who look through a member's eyes write nowhere, on their own pages neither."""
    other = Looking(ben, world.account())
    other.start()
    answers(look.desk)
    look.start()
    page = ben.visitor.get(f"{APPROVALS}/2")
    ben.send(other.page, f"{other.page}/approvals/1/begin", 303)
    token = {"csrf_token": page.hidden("csrf_token")}
    ben.visitor.post(f"{APPROVALS}/2/approve", token, 403)
    assert [detail["asked_by"] for _, detail in look.told("support:approved")] == ["Ben"]


def test_its_pages_come_as_fragments_too(look, ben):
    look.start()
    for url in (APPROVALS, f"{APPROVALS}/1"):
        assert "<html" not in ben.visitor.get(url, **HTMX).html
    assert ben.visitor.get("/staff/api-keys").all("a", href=APPROVALS)


def test_they_are_offered_only_where_they_have_a_use(desk):
    assert not desk.visitor.get("/staff/api-keys").all("a", href=APPROVALS)


def test_the_service_itself_lets_nobody_approve_their_own(look):
    look.start()
    with look.world.session() as session:
        sid = look.client.get_cookie("staff").value
        who = find_staff_member(session, look.world.scope, sid, look.world.wall)
        assert session.query(StaffSessionRow).count() == 1
        with pytest.raises(Forbidden):
            support_approvals.answer(session, who, 1, look.world.wall, approved=True)
