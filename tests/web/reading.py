"""A visitor who parses every page: what is said, what is a form, and that the HTML is sound."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from xml.etree.ElementTree import Element

import html5lib
from flask.testing import FlaskClient

from tests.support.world import PASSWORD

HTMX = {"HX-Request": "true"}
CHOICES = "/preferences/"


@dataclass
class Reply:
    """One answer. text: the words that a reader sees, in one line."""

    status: int
    headers: Any
    html: str

    @cached_property
    def document(self) -> Element:
        parser = html5lib.HTMLParser(namespaceHTMLElements=False)
        whole = "<html" in self.html
        document = parser.parse(self.html) if whole else parser.parseFragment(self.html)
        errors = [e for e in parser.errors if whole or e[1] != "expected-doctype-but-got-start-tag"]
        assert not errors, (errors, self.html)
        return document

    @property
    def text(self) -> str:
        return " ".join(
            " ".join(self.document.itertext()).replace("\N{NO-BREAK SPACE}", " ").split()
        )

    def all(self, tag: str, **attributes: str) -> list[Element]:
        found = self.document.iter(tag)
        return [
            e
            for e in found
            if all(e.get(k.rstrip("_").replace("_", "-")) == v for k, v in attributes.items())
        ]

    def words(self, element: Element) -> str:
        return " ".join("".join(element.itertext()).replace("\N{NO-BREAK SPACE}", " ").split())

    def article(self, name: str) -> Element:
        """The article with this accessible name."""
        for element in self.all("article"):
            label = element.get("aria-labelledby")
            heading = next((e for e in element.iter() if e.get("id") == label), None)
            said = self.words(heading) if heading is not None else element.get("aria-label", "")
            if said == name:
                return element
        raise AssertionError(f"no article named {name!r} in {self.text}")

    def hidden(self, name: str) -> str:
        """Of the page's last form that has it; of what every page's foot offers, none counts."""
        choices = [f for f in self.all("form") if (f.get("action") or "").startswith(CHOICES)]
        aside = [e for form in choices for e in form.iter("input")]
        values = [e.get("value", "") for e in self.all("input", name=name) if e not in aside]
        values = values or [e.get("value", "") for e in aside if e.get("name") == name]
        assert values, f"no field {name!r}"
        return values[-1]

    def check(self) -> Reply:
        """What must hold of every page."""
        ids = [e.get("id") for e in self.document.iter() if isinstance(e.tag, str) and e.get("id")]
        assert len(ids) == len(set(ids)), sorted(i for i in ids if ids.count(i) > 1)
        for form in self.all("form"):
            names = [field.get("name") for field in form.iter("input")]
            assert form.get("action"), "a form says where it goes"
            posts = (form.get("method") or "get").lower() == "post"
            assert ("csrf_token" in names) is posts, form.get("action")
        if "<html" in self.html:
            h1 = [self.words(e) for e in self.all("h1")]
            said = self.words(self.all("title")[0]).split(" · ")[0]
            title = said.removeprefix("Support view: ")
            assert h1 == [title], (h1, title)
        return self


class Visitor:
    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, url: str, status: int = 200, **headers: str) -> Reply:
        return self._read(self.client.get(url, headers=headers), status)

    def post(self, url: str, data: dict[str, str], status: int, **headers: str) -> Reply:
        return self._read(self.client.post(url, data=data, headers=headers), status)

    def sign_in(self, mail: str, password: str = PASSWORD, status: int = 303) -> Reply:
        page = self.get("/sign-in")
        data = {"email": mail, "password": password, "csrf_token": page.hidden("csrf_token")}
        return self.post("/sign-in", data, status)

    def _read(self, response: Any, status: int) -> Reply:
        reply = Reply(response.status_code, response.headers, response.get_data(as_text=True))
        assert reply.status == status, (reply.status, re.sub(r"<[^>]+>", " ", reply.html)[:800])
        if reply.html and response.mimetype == "text/html" and reply.status != 303:
            reply.check()
        return reply
