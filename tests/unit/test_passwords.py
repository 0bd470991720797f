"""Which new passwords are taken."""

from __future__ import annotations

import unicodedata
from importlib.resources import files

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


SHIPPED = frozenset(
    word
    for each in ("common_passwords.txt", "common_names.txt")
    for word in files("portal.services").joinpath(each).read_text("utf-8").splitlines()
)
GUESSED = """
123456789012 012345678901 098765432109 123456123456 1234567890qwerty 123456abcdef abc123456789
administrator Administrator1 4dm1n1str4t0r admin1234567 adminadmin12 Password123! Password1234
password2026! 1234password Pa$$w0rd!!!! passw0rd1234 p@ssw0rd1234 P@55w0rd2026 pass-word-1234
passwordpassword1 password..password iloveyou1234 1l0vey0u!!!! i-love-you-12 letmein12345
l3tm31n12345 welcome12345 Welcome2026! w3lc0me!2026 qwerty123456 qwertyuiop12 qwertyasdfgh
1qaz2wsx3edc4rfv asdfghjkl123 zxcvbnm12345 yuiopqwertyu aaaaaaaaaaab abababababab aaaabbbbcccc
trustno1!!!! abc123!!!!!!! monkey!!!!!! dragon2026!! sunshine2026 football1234 michael12345
Jennifer2026! changeme1234 login1234567 Passwort1234 Hallo2026!!! geheim123456 billing12345
"""
HONEST = [
    "correct horse battery", "correcthorsebattery", "radium and polonium", "four words of ann",
    "seventeen grey herons", "Der Bus kommt um 7:40", "zwei Tassen Tee, bitte", "3 apples, 2 pears",
    "my password is a poem", "north wind over sand", "Tr4nsparent-Umbrella-9", "x7Kq-93mz-Tt0w",
    "9f3c1a7be2d84c60", "monkeys eat the dragon", "tulips@dawn2019 rain", "кофе без сахара",
]  # fmt: skip


@pytest.mark.parametrize("password", GUESSED.split())
def test_what_everybody_makes_of_a_common_word_is_as_common(password):
    assert weakness(password, "owner@northwind.test", SHIPPED) is Weakness.COMMON


@pytest.mark.parametrize("password", HONEST)
def test_words_put_together_and_chance_are_good(password):
    assert weakness(password, "owner@northwind.test", SHIPPED, ("Northwind Traders",)) is None


@pytest.mark.parametrize(
    "password",
    ["northwind123", "N0rthw1nd2026", "northwind.test1", "curie!!!!!!!!!", "marie-marie-marie-1"],
)
def test_words_of_the_address_with_digits_are_of_the_address(password):
    assert weakness(password, EMAIL, SHIPPED) is Weakness.OWN


@pytest.mark.parametrize("password", ["Contoso12345", "c0nt0s0-GmbH-1", "contosogmbh!"])
def test_the_name_of_the_business_is_tried_first(password):
    assert weakness(password, EMAIL, set(), ("Contoso GmbH",)) is Weakness.COMMON
    assert weakness(password, EMAIL, set()) is None


@given(st.text(alphabet="0123456789!$-. abcdlop", min_size=12, max_size=LONGEST))
def test_any_text_is_judged(text):
    assert weakness(text, EMAIL, SHIPPED) in (None, Weakness.COMMON)


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
