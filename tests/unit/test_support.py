"""What allows a support view, by the environment's choice."""

from __future__ import annotations

import pytest

from portal.domain.support import Consent, suffices


@pytest.mark.parametrize(
    ("consent", "enough"),
    [
        (Consent.OPEN, {(False, False), (True, False), (False, True)}),
        (Consent.CONSENT, {(True, False)}),
        (Consent.BREAK_GLASS, {(True, False), (False, True)}),
    ],
)
def test_each_choice_has_what_is_enough_for_it(consent, enough):
    ways = [(False, False), (True, False), (False, True)]
    found = {way for way in ways if suffices(consent, by_window=way[0], by_approval=way[1])}
    assert found == enough
