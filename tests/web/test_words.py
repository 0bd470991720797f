"""The languages that come with the portal: nothing untranslated, and nothing said otherwise."""

from __future__ import annotations

import gettext
import re

import pytest

from portal.local.words import FOLDER, extracted, is_translated, translated

LANGUAGES = sorted(folder.name for folder in FOLDER.iterdir())
PLACE = re.compile(r"%\((\w+)\)s|\{(\w+)\}|(%%)|(</?\w+)")


def forms(string: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string)


def places(words: str) -> list[str]:
    """What is filled in, and what is markup."""
    return sorted("".join(found) for found in PLACE.findall(words))


@pytest.fixture(params=LANGUAGES)
def language(request) -> str:
    return request.param


def test_there_is_german():
    assert LANGUAGES == ["de"]


def test_every_message_of_the_source_is_translated_and_no_other(language):
    catalog = translated(language)
    assert {each.id for each in catalog if each.id} == {each.id for each in extracted() if each.id}
    assert [each.id for each in catalog if each.id and not is_translated(each)] == []


def test_each_says_what_the_english_says(language):
    for message in (each for each in translated(language) if each.id):
        for said, english in zip(forms(message.string), forms(message.id), strict=True):
            assert places(said) == places(english), said
            assert said == said.strip() or english != english.strip(), said
            assert '"' not in said


def test_what_is_compiled_is_what_is_written(language):
    with (FOLDER / language / "LC_MESSAGES" / "messages.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    for message in translated(language):
        if message.id and len(forms(message.id)) == 1:
            assert compiled.gettext(message.id) == message.string
        elif message.id:
            assert [compiled.ngettext(*message.id, n) for n in (1, 2)] == list(message.string)
