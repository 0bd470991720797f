"""Whatever somebody outside typed is text in every letter that repeats it, and no header."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from typing import Any

import html5lib
import pytest

from portal.domain.mails import Mail, Reader
from portal.domain.periods import WallNow
from portal.factory import create_app
from portal.gateways.fake_payments import FakePayments
from portal.gateways.mail import message_of
from portal.settings import Settings
from portal.web.mail import LetterWriter
from tests.support.notices import AT, NOTICES

HOSTILE = '<img src="x" onerror=alert(1)>\r\nBcc: everybody@else.test\x00'
OURS = {
    *("lookup_key", "currency", "reference", "subject", "nonce", "address", "card_last4", "last4"),
    "price",
}
"""Texts of a notice that the portal makes; all others somebody types: customer, host or staff."""


def poisoned(said: Any, name: str = "") -> Any:
    """The same notice with every text that somebody typed replaced."""
    if is_dataclass(said):
        filled = {f.name: poisoned(getattr(said, f.name), f.name) for f in fields(said) if f.init}
        return replace(said, **filled)  # type: ignore[type-var]
    if isinstance(said, tuple):
        return tuple(poisoned(each, name) for each in said)
    return HOSTILE if type(said) is str and name not in OURS else said


@pytest.fixture(scope="module")
def writer() -> LetterWriter:
    settings = Settings(
        database_url="postgresql+psycopg://nobody@127.0.0.1:9/none",
        secret_key="a secret for tests that is long enough",
        stripe_secret_key="sk_test_nothing",
        stripe_webhook_secret="whsec_test",
        public_url="https://billing.example.com",
        product_name=HOSTILE,
        support_email="help@portal.test",
    )
    return LetterWriter(create_app(settings, FakePayments(), lambda: WallNow(AT)), settings)


def elements(html: str) -> Iterator[Any]:
    return html5lib.parse(html, namespaceHTMLElements=False).iter()


@pytest.mark.parametrize("number", range(len(NOTICES)), ids=lambda n: f"{n}-{NOTICES[n].kind}")
def test_what_somebody_typed_is_text_in_every_letter(writer, number):
    notice = poisoned(NOTICES[number])
    letter = writer.write(notice, Reader("en", "UTC", HOSTILE))
    for element in elements(letter.html):
        assert element.get("src") != "x"
        assert "onerror" not in element.attrib
    shown = "".join(t for e in elements(letter.html) for t in (e.text or "", e.tail or ""))
    assert shown.count("onerror=alert(1)>") >= 2, "the product's name, and the account's"
    assert not any(ord(sign) < 32 for sign in letter.subject)
    mail = Mail("mail-1-1", "owner@account1.test", letter, WallNow(AT))
    message = message_of(mail, "Billing <billing@example.com>")
    head = message.as_bytes().partition(b"\r\n\r\n")[0]
    assert message["Bcc"] is None
    assert not re.search(rb"^bcc:", head, re.I | re.M)


def test_the_notices_say_what_was_typed():
    """Else nothing above would be hostile: almost every kind repeats something."""
    kinds = {notice.kind for notice in NOTICES if poisoned(notice) != notice}
    assert len(kinds) > 20
    for name in ("support_started", "support_asked", "proposed", "member_joined", "invited"):
        assert name in kinds
