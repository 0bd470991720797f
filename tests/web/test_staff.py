"""Staff sign in at pages of their own, with two steps, and a cookie that opens nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.queries.staff import IDLE_LIFE
from portal.services import staff
from portal.services.safekeeping import Safe
from portal.web.staff import staff_signed_in
from tests.services.staffing import STAFF_PASSWORD
from tests.web.guarding import MASTER, STEP
from tests.web.reading import HTMX, Visitor
from tests.web.staffing import CODE, KEYS, MESSAGES, SIGN_IN, AtDesk


@pytest.fixture
def desk(world, visit) -> AtDesk:
    return AtDesk(world, visit)


@pytest.fixture
def ann(desk) -> AtDesk:
    """Set up, and signed out."""
    desk.set_up()
    desk.sign_out()
    return desk


def test_the_link_shows_a_picture_and_a_key_and_leads_in(desk):
    link = desk.link()
    page = desk.visitor.get(link)
    assert page.all("img")[0].get("src").startswith("data:image/svg+xml")
    assert "ann@staff.test" in page.text
    desk.set_up(link)
    assert desk.is_in()
    assert "This link no longer works" in desk.visitor.get(link, 410).text


def test_what_is_wrong_with_a_set_up_is_told_beside_its_field_and_spends_nothing(desk):
    link = desk.link()
    assert "12 characters or more" in desk.send(link, link, 422, password="x", code="1").text
    said = desk.send(link, link, 422, password=STAFF_PASSWORD, code="000000").text
    assert "not the code that your app shows now" in said
    assert "Enter a code" in desk.send(link, link, 422, password=STAFF_PASSWORD, code="").text
    assert not desk.is_in()
    desk.set_up(link)
    assert desk.is_in()


def test_a_password_leads_to_the_code_and_opens_no_page(ann):
    reply = ann.password()
    assert reply.headers["Location"] == CODE
    assert not ann.is_in(), "half-way in is not in"
    assert "wrong" in ann.show("000000", 422).text
    assert not ann.is_in()
    ann.show()
    assert ann.is_in()


def test_unknown_and_wrong_get_the_same_answer(ann):
    known = ann.password("wrong words", 422)
    ann.mail = "nobody@staff.test"
    unknown = ann.password("wrong words", 422)
    assert "E-mail or password is wrong" in known.text
    assert known.text == unknown.text


def test_too_many_tries_wait(ann):
    for _ in range(5):
        ann.password("wrong words", 422)
    reply = ann.password(status=429)
    assert reply.headers["Retry-After"] == "30"
    assert "Try again in 30 seconds" in reply.text


def test_it_leads_where_one_was_going_on_staff_pages_only(ann):
    for wanted, there in (
        (f"{MESSAGES}?status=failed", f"{MESSAGES}?status=failed"),
        ("/settings/billing/usage", "/staff"), ("//evil.test", "/staff"), ("", "/staff"),
    ):  # fmt: skip
        page = f"{SIGN_IN}?next={wanted}" if wanted else SIGN_IN
        typed = {"email": ann.mail, "password": STAFF_PASSWORD, "next": wanted}
        ann.send(page, SIGN_IN, 303, **typed)
        assert ann.show().headers["Location"] == there
        ann.sign_out()
        ann.world.now += STEP


def test_the_cookie_is_of_its_own_name_and_out_of_reach_of_scripts(ann):
    ann.password()
    cookies = ann.show().headers.getlist("Set-Cookie")
    (cookie,) = (each for each in cookies if each.startswith("staff="))
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "staff=" not in str(ann.visitor.client.get(KEYS).headers.getlist("Set-Cookie"))


def test_signing_out_ends_the_session_itself(ann):
    ann.password()
    ann.show()
    before = ann.visitor.client.get_cookie("staff").value
    ann.sign_out()
    assert ann.visitor.client.get_cookie("staff") is None
    ann.visitor.client.set_cookie("staff", before)
    assert not ann.is_in()


def test_it_ends_after_a_quarter_of_an_hour_and_says_so(ann):
    ann.password()
    ann.show()
    ann.world.now += IDLE_LIFE
    reply = ann.visitor.get(KEYS, 303)
    assert reply.headers["Location"].startswith(f"{SIGN_IN}?next=/staff/api-keys")
    assert "Your session as staff is over" in ann.visitor.get(SIGN_IN).text


@pytest.mark.parametrize("way", [staff.end, staff.reset])
def test_ended_or_reset_they_are_out_at_the_next_request(ann, way):
    ann.password()
    ann.show()
    more = () if way is staff.end else (Safe(MASTER),)
    with ann.world.session() as session:
        way(session, ann.world.scope, ann.mail, ann.world.wall, *more)
    assert not ann.is_in()


def test_the_code_page_without_a_password_leads_back(desk):
    assert desk.visitor.get(CODE, 303).headers["Location"] == SIGN_IN
    assert "Please sign in again" in desk.visitor.get(SIGN_IN).text


CUSTOMERS = ("/settings/billing/add-ons", "/settings/billing/security")


def test_staff_open_no_page_of_a_customer(ann):
    ann.world.account()
    ann.password()
    ann.show()
    for url in CUSTOMERS:
        assert ann.visitor.get(url, 303).headers["Location"].startswith("/sign-in")
    sid = ann.visitor.client.get_cookie("staff").value
    with ann.visitor.client.session_transaction() as cookie:
        cookie["_user_id"] = sid
    for url in CUSTOMERS:
        assert ann.visitor.get(url, 303).headers["Location"].startswith("/sign-in")


def test_a_member_opens_no_staff_page_whatever_their_cookies_say(desk):
    desk.world.account()
    desk.visitor.sign_in("owner@account1.test")
    with desk.visitor.client.session_transaction() as cookie:
        sid = cookie["_user_id"]
    for name in ("staff", "__Host-staff"):
        desk.visitor.client.set_cookie(name, sid)
    for url in (KEYS, MESSAGES, "/staff"):
        assert desk.visitor.get(url, 303).headers["Location"].startswith(SIGN_IN)
    assert desk.visitor.get(KEYS, 401, **HTMX).headers["HX-Redirect"].startswith(SIGN_IN)


def test_both_at_once_in_one_browser_stay_apart(ann):
    """Neither page knows the other's, a staff page keeps no member's session alive, nor ends it."""
    ann.world.account()
    ann.visitor.sign_in("owner@account1.test")
    ann.password()
    ann.show()
    page = ann.visitor.get(KEYS)
    assert "owner@account1.test" not in page.html
    assert "ann@staff.test" in page.text
    own = ann.visitor.get(CUSTOMERS[0])
    assert "ann@staff.test" not in own.html
    ann.sign_out()
    ann.visitor.get(CUSTOMERS[0])
    for _ in range(3):
        ann.world.now += timedelta(minutes=10)
        ann.visitor.get(SIGN_IN)
    ann.visitor.get(CUSTOMERS[0], 303)


def test_staff_are_known_on_their_own_pages_only(ann, app):
    ann.password()
    ann.show()
    cookie = {"Cookie": f"staff={ann.visitor.client.get_cookie('staff').value}"}
    for url, known in ((KEYS, True), (CUSTOMERS[0], False)):
        with app.test_request_context(url, headers=cookie):
            app.preprocess_request()
            assert (staff_signed_in() is not None) is known


def test_what_goes_wrong_stays_a_staff_page(ann):
    ann.password()
    ann.show()
    page = ann.visitor.get("/staff/nothing-here", 404)
    assert [a.get("href") for a in page.all("a", class_="btn btn-primary")] == ["/staff"]
    assert "Staff" in page.text


def test_https_makes_the_cookie_host_only(ann, world_database):
    from portal.factory import create_app
    from portal.models.base import db
    from tests.web.conftest import settings_for

    safe = settings_for(world_database, public_url="https://billing.test")
    app = create_app(safe, ann.world.gateway, lambda: ann.world.wall)
    app.config["WTF_CSRF_ENABLED"] = False
    client = app.test_client()
    base = {"base_url": "https://billing.test"}
    client.post(SIGN_IN, data={"email": ann.mail, "password": STAFF_PASSWORD}, **base)
    reply = client.post(CODE, data={"code": ann.code()}, **base)
    cookie = next(v for v in reply.headers.getlist("Set-Cookie") if "staff" in v.partition("=")[0])
    assert cookie.startswith("__Host-staff=")
    assert "Secure" in cookie
    assert "Domain" not in cookie
    with app.app_context():
        db.engine.dispose()


def test_pages_say_staff_and_show_nothing_of_customers(ann):
    ann.password()
    ann.show()
    for url in (KEYS, MESSAGES):
        page = ann.visitor.get(url)
        assert [n.get("aria-label") for n in page.all("nav")] == ["Staff pages"]
        assert not [a for a in page.all("a") if "/settings/" in a.get("href", "")]
        part = ann.visitor.get(url, **HTMX)
        assert "<html" not in part.html


@pytest.mark.parametrize("url", ["/support", "/support/", "/support?next=//evil.test"])
def test_an_address_that_support_may_try_leads_to_their_door(url, ann):
    assert ann.visitor.get(url, 303).headers["Location"] == "/staff"
    assert ann.visitor.get("/staff", 303).headers["Location"].startswith(SIGN_IN)


def test_a_strangers_browser_is_not_kept(visit: Visitor):
    assert "Staff sign-in" in visit.get(SIGN_IN).text
    assert visit.client.get_cookie("staff") is None
