"""What is made of a word that everybody tries: digits put to it, signs for letters, keys in a row.

Whoever guesses has programs that do the same: such a password is as weak as its word.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

FEW, SHORTEST_RUN = 3, 3
SHORTEST_CORE, LEAST_LETTERS, ENDS = 4, 3, 4
_AS_I, _AS_L = (str.maketrans("@4013$!57", f"aao{one}es{one}st") for one in "il")
_SEPARATORS = " -_.,"
_ROWS = (
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "azertyuiopqsdfghjklmwxcvbn",
    "asdfghjkl",
    "zxcvbnm",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "1q2w3e4r5t6y7u8i9o0p",
    "147258369",
    "!@#$%^&*()",
)
"""Each goes on where it began, and either way."""


def is_in_a_row(plain: str) -> bool:
    """Signs that follow each other, or few different ones: abcdefghijkl, 123456qwerty."""
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    return len(set(plain)) <= FEW or steps in ({1}, {-1}) or _is_of_runs(plain)


def unit(plain: str) -> str:
    """The shorter text that it is, again and again; else itself."""
    return plain[: (plain + plain).find(plain, 1)]


def cores(plain: str) -> Iterator[str]:
    """The words that it may have been made of, swapped signs undone, none of them below 4 signs."""
    joined = "".join(sign for sign in plain if sign not in _SEPARATORS)
    found = (core for text in (plain, joined) for core in _bare(text))
    for core in found:
        for read in (core, core.translate(_AS_I), core.translate(_AS_L)):
            word = unit(read)
            letters = sum(sign.isalpha() for sign in word)
            if len(word) >= SHORTEST_CORE and letters >= LEAST_LETTERS:
                yield word


def _bare(text: str) -> Iterator[str]:
    """Without what is no letter at its ends; with none, some and all of it, as in trustno1."""
    letters = [at for at, sign in enumerate(text) if sign.isalpha()]
    if not letters:
        return
    first, last = letters[0], letters[-1] + 1
    starts = {0, *range(max(0, first - ENDS), first + 1)}
    ends = {len(text), *range(last, min(len(text), last + ENDS) + 1)}
    yield from (text[start:end] for start in starts for end in ends)


def _is_of_runs(plain: str) -> bool:
    """Nothing but runs of three signs or more, one after the other."""
    while plain:
        length = _run(plain)
        if length < SHORTEST_RUN:
            return False
        plain = plain[length:]
    return True


def _run(plain: str) -> int:
    """How many signs at its beginning are neighbours in a row, or the same one."""
    same = len(plain) - len(plain.lstrip(plain[0]))
    return max(same, *(_along(plain, way) for row in _ROWS for way in (row, row[::-1])))


def _along(plain: str, row: str) -> int:
    """How many signs at its beginning go along the row, over its end too."""
    at = row.find(plain[0])
    if at < 0:
        return 0
    length = 0
    while length < len(plain) and plain[length] == row[(at + length) % len(row)]:
        length += 1
    return length
