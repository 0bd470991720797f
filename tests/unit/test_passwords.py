"""Which new passwords are taken."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.passwords import LONGEST, SHORTEST, Weakness, normal, weakness

COMMON = {"123qweasdzxc", "sonyericsson"}
EMAIL = "marie.curie@northwind.test"


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("a" * 11, Weakness.SHORT),
        ("horse staple", None),
        ("a word " * 19, Weakness.LONG),
        ("SonyEricsson", Weakness.COMMON),
        ("123qweasdzxc", Weakness.COMMON),
        ("passwordpassword", Weakness.COMMON),
        ("aaaaaaaaaaaaaaaa", Weakness.COMMON),
        ("abcdefghijklm", Weakness.COMMON),
        ("zyxwvutsrqponm", Weakness.COMMON),
        ("marie.curie@northwind.test", Weakness.OWN),
        ("Marie.Curie2026", Weakness.OWN),
        ("marie.curie likes radium", None),
        ("пароль из слов", None),
        ("一二三四五六七八九十百千", None),
        ("correct horse battery", None),
        ("nodigitsorcapitals", None),
    ],
)
def test_long_and_not_the_first_that_is_tried(password, why):
    assert weakness(password, EMAIL, COMMON) is why


def test_a_short_name_before_the_at_forbids_nothing():
    assert weakness("job offers 44", "jo@northwind.test", set()) is None


@given(st.text(min_size=1, max_size=200))
def test_length_is_all_that_is_asked_of_uncommon_signs(text):
    signs = f"§{text}¶"
    found = weakness(signs, EMAIL, set())
    length = len(normal(signs))
    assert (found is Weakness.SHORT) == (length < SHORTEST)
    assert (found is Weakness.LONG) == (length > LONGEST)


@given(st.text(max_size=40))
def test_the_same_signs_are_the_same_password_however_composed(text):
    assert normal(unicodedata.normalize("NFD", text)) == normal(text)
