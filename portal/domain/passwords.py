"""Which passwords are good enough: long, and not among those that everybody tries."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Container, Iterable
from enum import StrEnum

from portal.domain.guesses import cores, is_in_a_row, unit

SHORTEST, LONGEST = 12, 128
LEAST_OF_ONES_OWN = 8
SHORTEST_NAME = 4
SEPARATED = re.compile(r"[\W_]+")
OURS = frozenset({
    "account", "accounting", "admin", "administrator", "azerty", "billing", "customer", "guest",
    "invoice", "konto", "login", "logmein", "payment", "portal", "rechnung", "root", "signin",
    "subscription", "user", "webmaster",
})  # fmt: skip
"""Words that lie near on these pages, and that no list of what people use has."""


class Weakness(StrEnum):
    SHORT = "short"
    LONG = "long"
    COMMON = "common"
    OWN = "own"


def normal(password: str) -> str:
    """The same signs, however a keyboard composes them. Source: NIST SP 800-63B-4 §3.1.1.2."""
    return unicodedata.normalize("NFKC", password)


def weakness(
    password: str, email: str, common: Container[str], names: Iterable[str] = ()
) -> Weakness | None:
    """Why a new password is not good enough; None when it is.

    common: the words that are tried first, in small letters; what is made of one is refused with
    it. names: of the business. No rule asks for kinds of signs. Source: OWASP ASVS 5.0, 6.2.4.
    """
    signs = normal(password)
    if len(signs) < SHORTEST:
        return Weakness.SHORT
    if len(signs) > LONGEST:
        return Weakness.LONG
    plain, found = signs.casefold(), set(cores(signs.casefold()))
    if plain in common or unit(plain) != plain or is_in_a_row(plain):
        return Weakness.COMMON
    if _is_of_the_address(plain, email.casefold()) or found & _words(email):
        return Weakness.OWN
    tried = OURS | {word for name in names for word in _words(name)}
    return Weakness.COMMON if any(core in tried or core in common for core in found) else None


def _words(name: str) -> set[str]:
    """A name or an address as it is written, in one, and each of its words."""
    plain = name.casefold()
    parts = {plain, *plain.split("@"), *SEPARATED.split(plain)}
    return parts | {SEPARATED.sub("", part) for part in parts}


def _is_of_the_address(plain: str, email: str) -> bool:
    """Little is left of it without the e-mail address, or what stands before the @."""
    names = (name for name in (email, email.partition("@")[0]) if len(name) >= SHORTEST_NAME)
    return any(name in plain and len(plain.replace(name, "")) < LEAST_OF_ONES_OWN for name in names)
