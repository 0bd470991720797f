"""Cancelling without signing in: the link, the form, what confirms it, and the same for anybody."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask

from portal.models.declarations import DeclarationRow
from portal.models.mails import MailRow
from portal.models.support import SupportSessionRow
from tests.services.declaring import Declarations
from tests.web.conftest import app_where
from tests.web.looking import Looking
from tests.web.reading import HTMX, Reply, Visitor
from tests.web.staffing import AtDesk
from tests.web.test_language import CLOSE, OPEN, translations, unmarked

HERE, SENT = "/cancel-contracts", "Cancel a contract"
GERMAN, ENGLISH = "Verträge hier kündigen", "Cancel contracts here"
READS_GERMAN = {"Accept-Language": "de-DE,de;q=0.9,en;q=0.5"}
TYPED = {
    "kind": "ordinary", "name": "Ada", "identification": "Account1", "contract": "Growth",
    "email": "owner@account1.test",
}  # fmt: skip
HOSTILE = '<img src=x onerror="alert(1)">{{ 7*7 }}%(x)s'


@pytest.fixture
def selling(world, world_database) -> Iterator[Flask]:
    """The portal where consumers in Germany buy."""
    with app_where(world, world_database, german_consumers=True) as app:
        yield app


@pytest.fixture
def visit(selling: Flask) -> Visitor:
    return Visitor(selling.test_client())


def typed(visit: Visitor, **said: str) -> dict[str, str]:
    return {"csrf_token": visit.get(HERE).hidden("csrf_token")} | TYPED | said


def declare(visit: Visitor, status: int = 303, **said: str) -> Reply:
    return visit.post(HERE, typed(visit, **said), status)


def received(visit: Visitor, **said: str) -> Reply:
    return visit.get(declare(visit, **said).headers["Location"])


def plain(reply: Reply) -> str:
    """The main part without what is each visitor's own."""
    said = re.sub(r"/received/[^/]+/text", "", reply.html)
    return re.sub(r'name="csrf[^>]+>', "", said)


def test_every_page_leads_there_signed_in_or_not(world, visit, selling):
    world.account()
    for path in ("/sign-in", "/sign-in/forgotten", HERE):
        [link] = visit.get(path).all("a", href=HERE)
        assert (visit.get(path).words(link), link.get("lang")) == (ENGLISH, None)
    assert visit.get("/nowhere", 404).all("a", href=HERE)
    visit.sign_in("owner@account1.test")
    for page in ("add-ons", "plans", "invoices", "security", "usage"):
        [link] = visit.get(f"/settings/billing/{page}").all("a", href=HERE)
        assert visit.get(f"/settings/billing/{page}").words(link) == ENGLISH
    [form] = visit.get(HERE).all("form", action=HERE)
    assert [visit.get(HERE).words(b) for b in form.iter("button")] == ["cancel now"]


def own_button(page):
    [form] = page.all("form", action=HERE)
    [button] = [b for b in form.iter("button") if b.get("type") == "submit"]
    return button


def test_who_reads_german_has_the_words_of_the_law(visit):
    page = visit.get(HERE, **READS_GERMAN)
    [link] = page.all("a", href=HERE)
    assert (page.words(link), link.get("lang")) == (GERMAN, None)
    assert page.words(own_button(page)) == "jetzt kündigen"
    assert 'lang="de"' in page.html
    visit.client.set_cookie("language", "en")
    page = visit.get(HERE, **READS_GERMAN)
    [link] = page.all("a", href=HERE)
    assert (page.words(link), link.get("lang")) == (GERMAN, "de"), "on an English page too"
    assert (page.words(own_button(page)), own_button(page).get("lang")) == ("jetzt kündigen", "de")
    for language in ("fr", "en,de;q=0.1", "*", "x"):
        assert ENGLISH in visit.get(HERE, **{"Accept-Language": language}).text


def test_a_german_page_has_them_as_its_own_and_every_other_word_is_translated(
    visit, selling, tmp_path
):
    folder = translations(tmp_path)
    (folder / "fr").rename(folder / "de")
    babel = selling.extensions["babel"]
    babel.translation_directories = babel.default_directories = [str(folder)]
    known = {GERMAN, "jetzt kündigen", "Billing", "Ada", "Account", "Growth", "owner@account.test"}
    known |= {"Deutsch", "English", "العربية"}
    known |= {"MESZ", "MEZ", *TYPED.values(), "help@portal.test"}
    token = {"csrf_token": visit.get(HERE, **READS_GERMAN).hidden("csrf_token")}
    page = visit.get(HERE, **READS_GERMAN)
    [link], button = page.all("a", href=HERE), own_button(page)
    assert (page.words(link), link.get("lang")) == (GERMAN, None)
    assert (page.words(button), button.get("lang")) == ("jetzt kündigen", None)
    assert 'lang="de"' in page.html
    assert unmarked(page.document, known) == []
    empty = visit.post(HERE, token, 422, **READS_GERMAN)
    assert unmarked(empty.document, known) == []
    sent = visit.post(HERE, token | TYPED, 303, **READS_GERMAN)
    kept = visit.get(sent.headers["Location"], **READS_GERMAN)
    assert unmarked(kept.document, known) == []
    file = visit.client.get(f"{sent.headers['Location']}/text", headers=READS_GERMAN)
    assert file.text.count(OPEN) == file.text.count(CLOSE) > 8


def test_the_page_that_confirms_it_can_be_kept(world, visit):
    said = {"kind": "for_cause", "reason": "It broke.\nTwice.", "wanted_on": "2026-06-30"}
    sent = declare(visit, **said)
    where = sent.headers["Location"]
    page = visit.get(where)
    whole = page.text
    for words in ("Ada", "Account1", "Growth", "It broke. Twice.", "30 Jun 2026", "for cause"):
        assert words in whole
    assert "11 Apr 2026, 02:00 " in whole, "the time in Berlin"
    assert "“cancel now”" in whole
    file = visit.client.get(f"{where}/text")
    assert file.headers["Content-Disposition"] == "attachment; filename=cancellation-1.txt"
    assert file.mimetype == "text/plain"
    assert file.text.startswith("Billing\nWe received your cancellation\n\nReceived: 11 Apr 2026,")
    assert "Reason: It broke.\r\nTwice.\n" in file.text or "It broke.\nTwice.\n" in file.text
    world.now += timedelta(days=1)
    for path in (where, f"{where}/text"):
        assert "This page is over" in visit.get(path, 410).text
    assert "This page is over" in visit.get(f"{HERE}/received/nothing", 410).text


def test_without_a_day_it_is_the_earliest_possible_time(visit):
    assert "At the earliest possible time" in received(visit).text


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"name": " "}, "Enter your name"),
        ({"identification": ""}, "Enter the account's name or number"),
        ({"contract": " "}, "Enter the name of the plan or add-on"),
        ({"email": "ada"}, "Enter an e-mail address like"),
        ({"email": "a@b.test\r\nBcc: x@y.test"}, "Enter an e-mail address like"),
        ({"kind": "gone"}, "Not a valid choice"),
        ({"kind": "for_cause"}, "Say what the cause is"),
        ({"name": "A\nB"}, "Enter it without line breaks"),
        ({"name": "Vera\u202e"}, "without line breaks and invisible signs"),
        ({"identification": "Acme\u2066"}, "without line breaks and invisible signs"),
        ({"name": "x" * 256}, "Use at most 255 characters"),
        ({"reason": "x" * 1001}, "Use at most 1,000 characters"),
        ({"email": "x" * 64 + "@" + "y" * 256}, "Use at most 320 characters"),
        ({"wanted_on": "2026-04-10"}, "Choose today or a later day"),
        ({"wanted_on": "soon"}, "Not a valid date value"),
    ],
)
def test_what_is_missing_is_said_and_nothing_typed_is_lost(said, problem, world, visit):
    page = declare(visit, 422, **said)
    assert problem in page.text
    if "contract" not in said:
        [field] = page.all("input", name="contract")
        assert field.get("value") == "Growth"
    assert world.rows(DeclarationRow) == world.rows(MailRow) == 0


def test_today_in_berlin_is_early_enough(world, visit):
    declare(visit, wanted_on="2026-04-11")
    assert world.rows(DeclarationRow) == 1


def test_known_and_unknown_are_answered_alike(world, visit):
    world.account()
    replies = []
    for said in ({}, {"identification": "Account9"}, {"email": "nobody@account1.test"}):
        page = received(visit, **said)
        for each in (*said.values(), "Account1", "owner@account1.test", "cancellation-"):
            page.html = page.html.replace(each, "")
        same = re.sub(r'name="next" value="[^"]+"', "", plain(page))
        replies.append(re.sub(r"<dd>.*?</dd>", "", same, flags=re.DOTALL))
    assert replies[0] == replies[1] == replies[2]
    Declarations(world).match()
    assert [case.account_id is None for _row, case in Declarations(world).rows()] == [
        False, True, True,
    ]  # fmt: skip


def test_who_declares_too_often_is_told_when_to_come_back(world, visit):
    for _ in range(5):
        declare(visit)
    page = declare(visit, 429, name="Kept")
    assert page.headers["Retry-After"] == "900"
    assert "Try again in 15 minutes" in page.text
    assert "help@portal.test" in page.text
    assert page.all("input", name="name")[0].get("value") == "Kept"
    assert world.rows(DeclarationRow) == world.rows(MailRow) == 5


def test_hostile_words_are_only_words(visit):
    typed = HOSTILE.replace("\u202e", "")
    page = received(visit, name=typed, contract=typed, identification=typed)
    assert "onerror" in page.text
    assert not page.all("img")
    assert "49" not in page.text.replace("7*7", "")
    again = declare(visit, 422, name=HOSTILE, email="x")
    assert again.all("input", name="name")[0].get("value") == HOSTILE


def test_no_declaration_without_a_token(world, visit):
    visit.get(HERE)
    visit.post(HERE, TYPED, 400)
    visit.post(HERE, TYPED | {"csrf_token": "made-up"}, 400)
    assert world.rows(DeclarationRow) == 0


def test_its_parts_come_as_fragments_too(visit):
    assert "<html" not in visit.get(HERE, **HTMX).html
    assert "<html" not in visit.get(declare(visit).headers["Location"], **HTMX).html


def test_where_nobody_sells_to_germans_there_is_neither_link_nor_page(app, world):
    visitor = Visitor(app.test_client())
    page = visitor.get("/sign-in", **READS_GERMAN)
    assert not page.all("a", href=HERE)
    for path in (HERE, f"{HERE}/received/x", f"{HERE}/received/x/text"):
        visitor.get(path, 404)
    visitor.post(HERE, TYPED | {"csrf_token": page.hidden("csrf_token")}, 404)
    assert world.rows(DeclarationRow) == 0


def test_nobody_declares_through_a_members_eyes(world, visit):
    look = Looking(AtDesk(world, visit).set_up(), world.account())
    token = typed(visit)
    look.start()
    visit.post(HERE, token, 403)
    visit.get(HERE, 403)
    assert world.rows(SupportSessionRow) == 1
    assert world.rows(DeclarationRow) == 0
