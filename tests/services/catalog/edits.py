"""The sound catalog file with small edits."""

from __future__ import annotations

from tests.services.catalog.bad_files import SOUND


def edited(*edits: tuple[str, str]) -> str:
    text = SOUND
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def without(first: int, last: int) -> str:
    """The sound file without these lines."""
    lines = SOUND.splitlines(keepends=True)
    return "".join(lines[: first - 1] + lines[last:])


WITHOUT_PACK = without(15, 22)
DEARER = edited(('"20.00"', '"25.00"'))
