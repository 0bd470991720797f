"""The demo's support staff: a newcomer gets in by what the pages say; elsewhere nothing of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from portal.domain.support import RECENT
from portal.queries.demo import DEMO_PASSWORD, DEMO_STAFF
from portal.services import staff
from tests.services.entering import SAFE
from tests.web.conftest import app_where
from tests.web.guarding import STEP
from tests.web.reading import Reply, Visitor
from tests.web.staffing import CODE, KEYS, SIGN_IN, AtDesk


@pytest.fixture
def newcomer(world, world_database) -> Iterator[AtDesk]:
    """At a portal in demo mode, with the demo loaded."""
    with app_where(world, world_database, portal_demo=True) as app:
        done = app.test_cli_runner().invoke(args=["demo", "load"])
        assert done.exit_code == 0, done.output
        yield AtDesk(world, Visitor(app.test_client()), DEMO_STAFF)


def shown(page: Reply) -> list[str]:
    """Password and code, as the page has them; no code while there is none to use."""
    (section,) = page.all("section", id="staff-demo")
    return [page.words(each) for each in section.iter("code")]


def enter(newcomer: AtDesk) -> None:
    """By what the two pages show."""
    password, code = shown(newcomer.visitor.get(SIGN_IN))
    newcomer.password(password)
    assert shown(newcomer.visitor.get(CODE)) == [password, code]
    newcomer.show(code)


def test_the_pages_show_what_lets_somebody_in(newcomer):
    page = newcomer.visitor.get(f"{SIGN_IN}?email={DEMO_STAFF}")
    assert page.all("input", name="email")[0].get("value") == DEMO_STAFF
    assert DEMO_STAFF in page.text
    enter(newcomer)
    assert "Find an account" in newcomer.visitor.get("/staff/accounts").text
    newcomer.visitor.get(KEYS, 403)


def test_a_code_that_was_used_is_not_shown_again(newcomer):
    for _ in range(2):
        enter(newcomer)
        newcomer.send("/staff/accounts", "/staff/sign-out", 303)
    page = newcomer.visitor.get(SIGN_IN)
    assert shown(page) == [DEMO_PASSWORD]
    assert "used just now" in page.text
    newcomer.world.now += STEP
    enter(newcomer)


def test_what_asks_for_a_code_again_shows_it_too(newcomer):
    enter(newcomer)
    url = "/staff/accounts/1"
    assert "The demo's code" not in newcomer.visitor.get(url).text
    newcomer.world.now += RECENT + STEP
    page = newcomer.visitor.get(url)
    (hint,) = (each for each in page.all("p") if "The demo's code" in page.words(each))
    member = page.all("input", name="membership")[0].get("value")
    typed = {"membership": member, "reason": "To try it out", "ticket": "1"}
    code = page.words(hint).split()[-1]
    newcomer.send(url, f"{url}/support-view", 303, **typed, code=code)


def test_others_of_the_staff_are_shown_no_code_of_theirs(newcomer):
    ann = AtDesk(newcomer.world, newcomer.visitor).set_up()
    ann.world.now += RECENT
    assert "The demo's code" not in ann.visitor.get(KEYS).text


@pytest.mark.parametrize("way", [staff.end, staff.reset])
def test_who_was_ended_or_reset_stays_so_and_is_not_shown(newcomer, way):
    more = () if way is staff.end else (SAFE,)
    world, app = newcomer.world, newcomer.visitor.client.application
    with world.session() as session:
        way(session, world.scope, DEMO_STAFF, world.wall, *more)
    assert app.test_cli_runner().invoke(args=["demo", "load"]).exit_code == 0
    assert not newcomer.visitor.get(SIGN_IN).all("section", id="staff-demo")
    newcomer.password(DEMO_PASSWORD, 422)


def test_out_of_demo_mode_no_page_shows_anything(newcomer, world_database):
    world = newcomer.world
    with app_where(world, world_database) as app:
        visitor = Visitor(app.test_client())
        desk = AtDesk(world, visitor, DEMO_STAFF)
        assert DEMO_STAFF not in visitor.get(SIGN_IN).html
        desk.password(DEMO_PASSWORD)
        assert not visitor.get(CODE).all("section", id="staff-demo")
        assert DEMO_STAFF not in visitor.get("/sign-in").html


def test_the_members_page_leads_there(newcomer):
    link = f"{SIGN_IN}?email={DEMO_STAFF}"
    assert [a.text for a in newcomer.visitor.get("/sign-in").all("a", href=link)] == [DEMO_STAFF]
