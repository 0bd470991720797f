"""Hostile names are text on every page and in every file; no secret is told anywhere."""

from __future__ import annotations

import csv
import io
import re

import html5lib
import pytest
from pypdf import PdfReader
from sqlalchemy import make_url, text

from tests.walks.hostile import CANARIES, NAME
from tests.walks.stage import METHODS, Stage
from tests.walks.test_replies import ask, errors
from tests.web.guarding import MASTER


def pages(stage: Stage, ending: str = ""):
    """Every reply to GET, of those who may see it."""
    for rule in stage.rules():
        if "GET" in (rule.methods or set()) and rule.rule.endswith(ending):
            who = "staff" if rule.rule.startswith("/staff") else "owner"
            yield rule, stage.ask(who, "GET", stage.own_address(rule))


def test_a_hostile_name_is_text_on_every_page(stage):
    shown = 0
    for rule, reply in pages(stage):
        if reply.mimetype != "text/html":
            continue
        document = html5lib.parse(reply.text, namespaceHTMLElements=False)
        for element in document.iter():
            assert element.get("src") != "x", rule.rule
            assert "onerror" not in element.attrib, rule.rule
        shown += NAME in "".join(document.itertext())
    assert shown > 20


OWN_USE = "/settings/billing/usage/messages.csv"
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", " =", "\u3000=", "\xa0+")
"""What spreadsheets read as the beginning of one, by OWASP's list, and after a space."""


@pytest.mark.parametrize("start", FORMULAS, ids=ascii)
def test_a_hostile_name_is_no_formula_in_any_file(stage, start):
    """What is typed begins so; each file that says it has it as text, and numbers as numbers."""
    saying, typed = set(), f"{start}1+cmd|x"
    with stage.undone():
        _type(stage, typed)
        files = {rule.endpoint: reply for rule, reply in pages(stage, ".csv")}
        files["usage.days"] = stage.send("owner", "GET", OWN_USE)
        for endpoint, reply in files.items():
            cells = cells_of(reply)
            said = any(cell.startswith(f"'{typed}") for cell in cells)
            saying |= {endpoint} if said else set()
            assert not [each for each in cells if is_formula(each)], endpoint
    assert saying >= {"usage.days", "wallet.ledger", "activity.whole"}


def _type(stage: Stage, typed: str) -> None:
    """In front of what stood there. Readers of the catalog notice, by a version of its own."""
    given = {
        "scope": str(stage.world.scope.environment_id),
        "it": typed,
        "more": 1 + FORMULAS.index(typed.removesuffix("1+cmd|x")),
    }
    stage.connection.execute(text("select set_config('app.scope', :scope, true)"), given)
    for table, column in (("usage_days", "value"), ("persons", "name"), ("add_ons", "name")):
        put = f"update {table} set {column} = left(:it || {column}, 40)"
        assert stage.connection.execute(text(put), given).rowcount
    grown = "update environments set catalog_version = catalog_version + :more"
    stage.connection.execute(text(grown), given)


def cells_of(reply) -> list[str]:
    whole = io.StringIO(reply.data.decode("utf-8-sig"), newline="")
    return [cell for row in csv.reader(whole) for cell in row]


def is_formula(cell: str) -> bool:
    """A number may have a sign."""
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", cell):
        return False
    return cell.startswith(FORMULAS) or cell.strip().startswith(FORMULAS)


def test_a_hostile_name_is_printed_as_it_is(stage):
    papers = [reply for _, reply in pages(stage, "/pdf")]
    assert len(papers) >= 2
    for paper in papers:
        said = printed(paper.data).replace("\n", "").replace(" ", "")
        assert said.count("onerror=alert(1)>#p()$x$") > 1, "of the product, and of a line"


def printed(paper: bytes) -> str:
    """Every word of a PDF, which is compressed: its pages, and what it says of itself."""
    read = PdfReader(io.BytesIO(paper))
    told = [str(each) for each in (read.metadata or {}).values()]
    whole = read.xmp_metadata
    told += [whole.stream.get_data().decode()] if whole else []
    return "\n".join([*(page.extract_text() for page in read.pages), *told])


def said_of(reply) -> str:
    """Headers and body, as somebody can read them."""
    is_paper = reply.mimetype == "application/pdf"
    body = printed(reply.data) if is_paper else reply.data.decode(errors="replace")
    return f"{reply.headers}{body}"


def said_to_everybody(stage: Stage, monkeypatch) -> list[str]:
    """Every reply, error pages included."""
    replies = [
        stage.ask(who, method, stage.own_address(rule))
        for rule in stage.rules()
        for method in (rule.methods or set()) & set(METHODS)
        for who in ("owner", "staff", "nobody")
    ]
    for requests in errors(stage, monkeypatch).values():
        replies += [ask(stage, **request) for request in requests]
    return [said_of(reply) for reply in replies]


def secrets_of(stage: Stage) -> set[str]:
    url = stage.app.extensions["portal"].settings.database_url.get_secret_value()
    password = make_url(url).password
    assert password
    return {*CANARIES.values(), MASTER, "canarypassword", password}


def test_no_secret_is_in_any_reply_error_or_log(stage, monkeypatch, capfd):
    told = said_to_everybody(stage, monkeypatch)
    written = capfd.readouterr()
    logged = written.out + written.err
    assert "request_id" in logged
    secrets = secrets_of(stage)
    assert {s for s in secrets if s in logged or any(s in each for each in told)} == set()
    sessions = {cookie.partition("=")[2] for cookie in stage.cookies.values()} - {""}
    assert {each for each in {*sessions, *stage.keys.values()} if each in logged} == set()


def test_a_word_in_a_paper_is_found(stage):
    """Its bytes do not show it."""
    paper = next(reply for _, reply in pages(stage, "/pdf"))
    said = {word for word in printed(paper.data).split() if len(word) > 5}
    assert len([word for word in said if word.encode() not in paper.data]) > 5
