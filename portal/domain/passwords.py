"""Which passwords are good enough: long, and not among those that everybody tries."""

from __future__ import annotations

import unicodedata
from collections.abc import Container
from enum import StrEnum
from itertools import pairwise

SHORTEST, LONGEST = 12, 128
LEAST_OF_ONES_OWN = 8
SHORTEST_NAME = 4


class Weakness(StrEnum):
    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    OWN = "own"


def normal(password: str) -> str:
    """The same signs, however a keyboard composes them. Source: NIST SP 800-63B-4 §3.1.1.2."""
    return unicodedata.normalize("NFKC", password)


def weakness(password: str, email: str, common: Container[str]) -> Weakness | None:
    """Why a new password is not good enough; None when it is.

    common: the passwords that are tried first, in small letters. No rule asks for kinds of signs.
    """
    signs = normal(password)
    if len(signs) < SHORTEST:
        return Weakness.SHORT
    if len(signs) > LONGEST:
        return Weakness.LONG
    plain = signs.casefold()
    if plain in common or _repeats(plain) or _counts(plain):
        return Weakness.COMMON
    return Weakness.OWN if _is_of_the_address(plain, email.casefold()) else None


def _repeats(plain: str) -> bool:
    """One shorter text, again and again."""
    return plain in (plain + plain)[1:-1]


def _counts(plain: str) -> bool:
    """Signs that follow each other, up or down: abcdefghijkl."""
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    return steps in ({1}, {-1})


def _is_of_the_address(plain: str, email: str) -> bool:
    """Little is left of it without the e-mail address, or what stands before the @."""
    names = (name for name in (email, email.partition("@")[0]) if len(name) >= SHORTEST_NAME)
    return any(name in plain and len(plain.replace(name, "")) < LEAST_OF_ONES_OWN for name in names)
