"""In which language somebody reads: their own choice, their browser's, else English."""

from __future__ import annotations

import pytest

from portal.models.accounts import PersonRow
from tests.web.reading import Visitor

GRID = "/settings/billing/add-ons"
CHOICE = "/preferences/language"
READS_GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


def choose(visit, page, language: str) -> None:
    sent = {"csrf_token": page.hidden("csrf_token"), "language": language, "next": "/sign-in"}
    assert visit.post(CHOICE, sent, 303).headers["Location"] == "/sign-in"


def language_of(page) -> str:
    return page.all("html")[0].get("lang", "")


def stored(world) -> list[str]:
    with world.session() as session:
        return [person.locale for person in session.query(PersonRow).order_by(PersonRow.id)]


@pytest.mark.parametrize(
    ("asked", "read"),
    [("de-AT,de;q=0.9,en;q=0.5", "de"), ("fr", "en"), ("en-GB,de;q=0.9", "en"), ("", "en")],
)
def test_at_first_it_is_the_browsers_best(visit, asked, read):
    page = visit.get("/sign-in", **{"Accept-Language": asked})
    assert language_of(page) == read
    assert ("Passwort" in page.text) is (read == "de")


def test_what_a_browser_chose_holds_before_and_after_signing_in(world, visit):
    world.account()
    choose(visit, visit.get("/sign-in"), "de")
    assert language_of(visit.get("/sign-in")) == "de"
    visit.sign_in("owner@account1.test")
    assert language_of(visit.get(GRID)) == "de"
    assert stored(world) == [""], "a choice of the browser's, not yet the member's"


def test_what_a_member_chose_is_theirs_in_every_browser(world, visit, app):
    world.account()
    world.account()
    visit.sign_in("owner@account1.test")
    choose(visit, visit.get(GRID), "de")
    assert "Aktive Add-ons" in visit.get(GRID).text
    assert stored(world) == ["de", ""]
    another = Visitor(app.test_client())
    choose(another, another.get("/sign-in"), "en")
    another.sign_in("owner@account1.test")
    assert language_of(another.get(GRID)) == "de"
    choose(another, another.get(GRID), "en")
    assert language_of(visit.get(GRID, **READS_GERMAN)) == "en"


@pytest.mark.parametrize("nonsense", ["fr", "de-", "../de", "", "de\r\nx: y"])
def test_a_language_without_words_is_not_chosen(world, visit, nonsense):
    world.account()
    visit.sign_in("owner@account1.test")
    choose(visit, visit.get(GRID), nonsense)
    assert stored(world) == [""]
    assert language_of(visit.get(GRID)) == "en"


def test_a_cookie_of_nonsense_changes_nothing(visit):
    visit.client.set_cookie("language", "../../etc")
    assert language_of(visit.get("/sign-in")) == "en"


def test_the_choices_are_named_in_themselves_and_the_present_one_is_marked(visit):
    page = visit.get("/sign-in", **READS_GERMAN)
    found = [(page.words(b), b.get("lang"), b.get("aria-pressed"))
             for b in page.all("button", name="language")]  # fmt: skip
    assert found == [("Deutsch", "de", "true"), ("English", "en", "false")]
