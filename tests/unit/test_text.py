"""Which signs a line holds."""

from __future__ import annotations

import re

import pytest

from portal.domain.text import ONE_LINE, SAYS_SOMETHING

SPANS = ((0x00, 0x1F), (0x7F, 0x9F), (0x200E, 0x200F), (0x2028, 0x202E), (0x2066, 0x2069))
NAMES = (
    "Ada",
    "Zoë Ångström",
    "O'Neil-Smith",
    "山田 太郎",
    "محمد",
    "می\u200cخواهم",
    "שרה",
    "👩\u200d🚀",
)


@pytest.mark.parametrize("code", [each for low, high in SPANS for each in range(low, high + 1)])
def test_what_breaks_or_turns_a_line_is_refused_wherever_it_stands(code):
    for line in (f"{chr(code)}Eve", f"E{chr(code)}ve"):
        assert re.match(ONE_LINE, line) is None
        assert re.match(SAYS_SOMETHING, line) is None


@pytest.mark.parametrize("name", NAMES)
def test_names_of_every_script_stay(name):
    assert re.match(ONE_LINE, name)
    assert re.match(SAYS_SOMETHING, name)


@pytest.mark.parametrize("blank", ["", " ", "   "])
def test_blank_says_nothing(blank):
    assert re.match(ONE_LINE, blank)
    assert re.match(SAYS_SOMETHING, blank) is None
