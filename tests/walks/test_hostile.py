"""Hostile names are text on every page and in every file; no secret is told anywhere."""

from __future__ import annotations

import csv
import io

import html5lib
from pypdf import PdfReader

from tests.walks.hostile import CANARIES, NAME
from tests.walks.stage import METHODS, Stage
from tests.walks.test_replies import ask, errors
from tests.web.guarding import MASTER


def pages(stage: Stage):
    """Every reply to GET, of those who may see it."""
    for rule in stage.rules():
        if "GET" in (rule.methods or set()):
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


def test_a_hostile_name_is_no_formula_in_any_file(stage):
    quoted = 0
    for rule, reply in pages(stage):
        if reply.mimetype == "text/csv":
            for row in csv.reader(io.StringIO(reply.data.decode("utf-8-sig"))):
                for cell in row:
                    assert not cell.startswith(("=", "@", "\t", "\r")), rule.rule
                    quoted += cell.startswith(f"'{NAME}")
    assert quoted > 0


def test_a_hostile_name_is_printed_as_it_is(stage):
    papers = [reply for _, reply in pages(stage) if reply.mimetype == "application/pdf"]
    assert len(papers) >= 2
    for paper in papers:
        said = "".join(page.extract_text() for page in PdfReader(io.BytesIO(paper.data)).pages)
        assert "onerror=alert(1)>#p()$x$" in said.replace("\n", "").replace(" ", "")


def said_to_everybody(stage: Stage, monkeypatch) -> list[str]:
    """Headers and body of every reply, error pages included."""
    replies = [
        stage.ask(who, method, stage.own_address(rule))
        for rule in stage.rules()
        for method in (rule.methods or set()) & set(METHODS)
        for who in ("owner", "staff", "nobody")
    ]
    for requests in errors(stage, monkeypatch).values():
        replies += [ask(stage, **request) for request in requests]
    return [f"{reply.headers}{reply.data!r}" for reply in replies]


def test_no_secret_is_in_any_reply_error_or_log(stage, monkeypatch, capfd):
    told = said_to_everybody(stage, monkeypatch)
    written = capfd.readouterr()
    logged = written.out + written.err
    assert "request_id" in logged
    secrets = {*CANARIES.values(), MASTER, "canarypassword"} - {CANARIES["mail_from"]}
    assert {s for s in secrets if s in logged or any(s in each for each in told)} == set()
    sessions = {cookie.partition("=")[2] for cookie in stage.cookies.values()} - {""}
    assert {each for each in {*sessions, *stage.keys.values()} if each in logged} == set()
