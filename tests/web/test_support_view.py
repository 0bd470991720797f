"""A support view: begun for a reason, shown as such, and over when it should be."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.domain.access import Role
from portal.domain.support import IDLE_LIFE, LIFE, RECENT, Consent
from portal.models.accounts import MembershipRow
from portal.models.mails import MailRow
from portal.models.staff import StaffSessionRow
from portal.models.support import SupportSessionRow
from portal.services import members, staff
from portal.services.support_endings import end_lapsed
from tests.web.conftest import app_where
from tests.web.guarding import STEP
from tests.web.looking import END, GRID, REASON, TICKET, Looking
from tests.web.reading import Visitor
from tests.web.staffing import AtDesk


@pytest.fixture
def look(world, visit) -> Looking:
    """Ann of the staff, signed in, and an account with an owner."""
    actor = world.account()
    return Looking(AtDesk(world, visit).set_up(), actor)


@pytest.fixture
def on(look) -> Looking:
    look.start()
    return look


def is_over(look: Looking, url: str = GRID) -> bool:
    """Whether the next page leads away, and the cookie is gone."""
    reply = look.client.get(url)
    gone = look.client.get_cookie("support") is None
    assert (reply.status_code == 303) is gone
    return gone


def causes(look: Looking) -> list[str]:
    return [detail["cause"] for _, detail in look.told("support:ended")]


def test_it_opens_the_members_pages_with_a_banner_and_tells_owners(look):
    reply = look.start()
    assert reply.headers["Location"] == GRID
    page = look.get()
    (banner,) = page.all("section", aria_label="Support view")
    said = page.words(banner)
    for part in ("Ann", "Somebody", "o…@account1.test", "Account1", REASON, TICKET, "30 minutes"):
        assert part in said
    (button,) = banner.iter("button")
    assert page.words(button) == "End"
    assert page.words(page.all("title")[0]).startswith("Support view: Add-ons")
    with look.world.session() as session:
        (mail,) = session.scalars(select(MailRow).where(MailRow.kind == "support_started"))
    assert mail.recipient == "owner@account1.test"
    assert mail.notice["reason"] == REASON


def test_only_owners_are_mailed(look):
    look.world.member(look.actor.account_id, "clerk@account1.test", Role.ADMIN)
    look.start()
    assert look.world.rows(MailRow, kind="support_started") == 1


def test_the_cookie_is_new_each_time_and_gone_at_the_end(on):
    cookie = on.client.get_cookie("support")
    assert (cookie.http_only, cookie.same_site, cookie.path) == (True, "Lax", "/")
    before = cookie.value
    on.end()
    assert on.client.get_cookie("support") is None
    on.start()
    assert on.client.get_cookie("support").value != before


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"reason": "short"}, "Use 10 to 500 characters"),
        ({"reason": "   "}, "Say why"),
        ({"reason": "x" * 501}, "Use 10 to 500 characters"),
        ({"ticket": ""}, "Enter the number of the ticket"),
        ({"ticket": "x" * 101}, "Field cannot be longer than 100"),
        ({"ticket": "T-1\u202e"}, "without line breaks and invisible signs"),
        ({"membership": ""}, "Choose a member"),
        ({"membership": "9"}, "Not a valid choice"),
    ],
)
def test_without_reason_ticket_and_member_it_does_not_begin(look, typed, said):
    reply = look.start(422, **typed)
    assert said in reply.text
    assert look.client.get_cookie("support") is None
    assert look.world.rows(SupportSessionRow) == 0


def test_nobody_looks_through_the_eyes_of_one_of_the_staff(look):
    colleague = AtDesk(look.world, look.desk.visitor, mail="Owner@Account1.test", name="Ben")
    colleague.link()
    page = look.start(422)
    assert "One of the staff: nobody looks through their eyes" in page.text
    assert REASON in page.text
    assert look.world.rows(SupportSessionRow) == 0
    with look.world.session() as session:
        staff.end(session, look.world.scope, colleague.mail, look.world.wall)
    look.start()


def test_it_begins_by_post_with_a_token_only(look):
    look.get(f"{look.page}/support-view", 405)
    look.desk.visitor.post(f"{look.page}/support-view", {"reason": REASON}, 400)


def test_a_member_of_another_account_is_no_choice(look):
    other = look.world.account()
    theirs = Looking(look.desk, other).membership()
    look.start(422, membership=theirs)
    assert look.world.rows(SupportSessionRow) == 0


def test_an_old_sign_in_is_asked_for_a_code_which_is_good_once(look):
    look.world.now += RECENT
    assert "Enter a code" in look.start(422).text
    assert "wrong, or has been used" in look.start(422, code="000000").text
    code = look.desk.code()
    look.start(code=code)
    look.end()
    look.start()
    look.end()
    look.world.now += RECENT + STEP
    assert "wrong, or has been used" in look.start(422, code=code).text


def test_guessing_the_code_waits(look):
    look.world.now += RECENT
    for _ in range(5):
        look.start(422, code="000000")
    assert look.start(429, code=look.desk.code()).headers["Retry-After"] == "30"


def test_a_fresh_sign_in_is_asked_for_none(look):
    assert not look.get(look.page).all("input", name="code")


def test_end_ends_it_once_and_leads_back(on):
    sid = on.client.get_cookie("support").value
    reply = on.end()
    assert reply.headers["Location"] == on.page
    assert reply.headers["Clear-Site-Data"] == '"cache"'
    on.client.set_cookie("support", sid)
    assert is_over(on), "the id is worth nothing any more"
    on.client.set_cookie("support", sid)
    on.desk.send(on.page, END, 303)
    assert causes(on) == ["left"]


def test_what_was_shown_is_not_kept_by_the_browser(on):
    assert on.get().headers["Cache-Control"] == "private, no-store"
    on.end()
    assert on.get(GRID, 303).headers["Location"].startswith("/sign-in")


def test_it_is_over_after_half_an_hour_however_it_is_used(on):
    for _ in range(4):
        on.world.now += LIFE / 5
        on.get()
    on.world.now += LIFE / 5
    assert is_over(on)
    assert causes(on) == ["over"]
    assert "The support view is over" in on.desk.visitor.get("/staff/sign-in").text


def test_it_is_over_when_it_is_not_used(on):
    on.world.now += IDLE_LIFE - timedelta(seconds=1)
    on.get()
    on.world.now += IDLE_LIFE - timedelta(seconds=1)
    on.get()
    on.world.now += IDLE_LIFE
    assert is_over(on)
    assert causes(on) == ["idle"]


def test_it_does_not_keep_the_staff_session_alive(on):
    with on.world.session() as session:
        before = session.scalars(select(StaffSessionRow.last_seen_at)).one()
    on.world.now += timedelta(minutes=5)
    on.get()
    on.get(on.page)
    with on.world.session() as session:
        assert session.scalars(select(StaffSessionRow.last_seen_at)).one() == before


def test_it_ends_with_the_staff_session(on):
    on.desk.send(GRID, "/staff/sign-out", 303)
    assert on.client.get_cookie("support") is None
    assert causes(on) == ["signed_out"]


@pytest.mark.parametrize("way", ["ended", "revoked"])
def test_staff_who_are_ended_see_nothing_at_the_next_request(on, way):
    with on.world.session() as session:
        if way == "ended":
            staff.end(session, on.world.scope, on.desk.mail, on.world.wall)
        else:
            session.query(StaffSessionRow).update({"revoked_at": on.world.now})
            session.commit()
    assert is_over(on)
    assert causes(on) == ["signed_out"]


def test_a_member_who_is_removed_is_looked_at_no_more(look):
    clerk = look.world.member(look.actor.account_id, "clerk@account1.test", Role.ADMIN)
    as_clerk = Looking(look.desk, clerk)
    as_clerk.start()
    with look.world.session() as session:
        members.remove(session, look.actor, int(as_clerk.membership()), look.world.wall)
    assert is_over(look)
    assert causes(look) == ["member_gone"]


def test_a_role_that_changes_shows_at_once(on):
    assert "You can look, not change" not in on.get().text
    with on.world.session() as session:
        session.query(MembershipRow).update({"role": Role.MEMBER.value})
        session.commit()
    assert "You can look, not change" in on.get().text


def test_pages_show_what_the_member_may_do(on):
    assert "Add to plan" in on.get().text
    assert on.get("/settings/billing/members").all("form", action="/settings/billing/members")


def test_a_second_one_in_the_same_browser_is_refused(on):
    other = Looking(on.desk, on.world.account())
    membership = other.membership()
    token = on.get(other.page).hidden("csrf_token")
    typed = {"csrf_token": token, "membership": membership, "reason": REASON, "ticket": TICKET}
    assert (
        "Not in a support view"
        in on.desk.visitor.post(f"{other.page}/support-view", typed, 403).text
    )
    assert on.world.rows(SupportSessionRow) == 1


def test_a_second_one_in_another_browser_ends_the_first(on, app):
    elsewhere = AtDesk(on.world, Visitor(app.test_client()), secret=on.desk.secret)
    elsewhere.password()
    elsewhere.show()
    Looking(elsewhere, on.actor).start()
    assert is_over(on)
    assert causes(on) == ["another"]


def test_an_end_that_no_browser_comes_back_for_is_noted(on):
    on.world.now += LIFE
    with on.world.session() as session:
        over = session, on.world.scope, Consent.OPEN, on.world.wall
        assert [end_lapsed(*over), end_lapsed(*over)] == [1, 0]
    assert causes(on) == ["over"]


@pytest.mark.parametrize("setting", ["consent", "break-glass"])
@pytest.mark.parametrize("come_back", [True, False])
def test_a_stricter_setting_ends_what_nobody_approved(on, world_database, setting, come_back):
    """The portal starts anew; the browser goes on, or does not come back."""
    with app_where(on.world, world_database, support_view=setting) as stricter:
        browser = stricter.test_client()
        if come_back:
            for name in ("support", "staff"):
                browser.set_cookie(name, on.client.get_cookie(name).value)
            assert browser.get(GRID).headers["Location"] == on.page
            assert "views now need an approval" in browser.get(on.page).text
        else:
            with on.world.session() as session:
                end_lapsed(session, on.world.scope, Consent(setting), on.world.wall)
    assert causes(on) == ["stricter"]


def test_a_refusal_keeps_the_requests_id_and_the_browser(on):
    page = on.get("/settings/billing/security", 403, **{"User-Agent": "Firefox/140"})
    ((_, detail),) = on.told("support:write_refused")
    assert detail["browser"] == "Firefox/140"
    assert detail["request"] in page.text
    assert len(detail["request"]) == 16
