"""The house's words: no file named after nothing, no second name for a thing of the glossary."""

from __future__ import annotations

import io
import keyword
import re
import tokenize

import pytest

from tests.architecture.sources import EVERYTHING, PRODUCT, ROOT, Source

NAMES_OF_NOTHING = {
    "util", "utils", "helper", "helpers", "manager", "managers", "handler", "handlers",
    "data", "info", "misc", "common", "stuff",
}  # fmt: skip
BANNED = {
    "user": "member",
    "users": "members",
    "subscriber": "account",
    "customer_id": "account_id (Stripe's is stripe_customer_id)",
    "workspace": "account",
    "organization": "account",
    "organisation": "account",
    "sudo": "support session",
    "masquerade": "support session",
    "impersonate": "support session",
    "impersonation": "support session",
    "addon": "add_on",
    "bucket": "lot",
    "line_item": "line",
    "coupon": "(there are none)",
    "top_up": "auto_recharge",
}
ALLOWED = {
    ("portal/web/requests.py", "user"): "Flask-Login's word",
    ("portal/web/pages.py", "user"): "Flask-Login's word",
    ("portal/web/language.py", "user"): "Flask-Login's word",
    ("portal/web/views/auth.py", "user"): "Flask-Login's word",
}
SEED = {"ADDON"}
"""Stored values that the add-on data model spells so."""
PHRASES = (
    *("user_agent", "current_user", "login_user", "logout_user", "user_loader", "_user_id"),
    *("user_message", "stripe_customer_id"),
)


def identifiers(source: Source) -> set[str]:
    tokens = tokenize.generate_tokens(io.StringIO(source.text).readline)
    return {t.string for t in tokens if t.type == tokenize.NAME and not keyword.iskeyword(t.string)}


def words(identifier: str) -> str:
    """`_UserName2` as `_user_name_`, without the phrases that other libraries brought."""
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", identifier).lower()
    for phrase in PHRASES:
        snake = snake.replace(phrase, "")
    return f"_{snake.strip('_')}_"


def banned(source: Source) -> set[str]:
    """Words that have a better one in the glossary."""
    found = {
        word
        for identifier in identifiers(source) - SEED
        for word in BANNED
        if f"_{word}_" in words(identifier)
    }
    return {word for word in found if (source.name, word) not in ALLOWED}


@pytest.mark.parametrize("source", PRODUCT, ids=lambda s: s.name)
def test_a_thing_has_one_name(source):
    assert {word: BANNED[word] for word in banned(source)} == {}


def test_no_file_is_named_after_nothing():
    parts = {(s.name, word) for s in EVERYTHING for word in re.split(r"[/._]", s.name)}
    assert [name for name, word in parts if word in NAMES_OF_NOTHING] == []


def test_pages_use_the_same_words():
    shown = [
        p for p in (ROOT / "templates").rglob("*.html") if not {"sandbox", "host"} & {*p.parts}
    ]
    never = re.compile(r"\b(sudo|masquerad\w*|impersonat\w*|workspace|subscriber)\b", re.I)
    assert [str(path) for path in shown if never.search(path.read_text())] == []


def test_the_glossary_lists_every_banned_word_with_what_to_say():
    glossary = (ROOT / "docs" / "glossary.md").read_text()
    assert [word for word in BANNED if f"| `{word}` |" not in glossary] == []


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("customer_id = 1", {"customer_id"}),
        ("class AddonCard: pass", {"addon"}),
        ("def impersonate(user): pass", {"impersonate", "user"}),
        ("stripe_customer_id = request.user_agent", set()),
        ("add_ons = [add_on]", set()),
        ("'the user said so'  # user", set()),
    ],
)
def test_a_second_name_is_found(code, found):
    assert banned(Source("portal/web/views/bad.py", code)) == found
