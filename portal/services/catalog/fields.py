"""The fields of one entry of the file, read by type; what is wrong is said once, in plain words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from datetime import timedelta
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from portal.services.catalog.problems import Problems
from portal.services.catalog.reading import Broken, Kind, Listing, Mapping, Node, Scalar

E = TypeVar("E", bound=StrEnum)

MOST_COUNT = 2_147_483_647
MOST_UNITS = 1_000_000_000_000_000
_KEY = re.compile(r"[a-z0-9][a-z0-9._-]*")
_INTEGER = re.compile(r"-?(0|[1-9][0-9_]*)")
_DECIMAL = re.compile(r"-?[0-9]{1,10}(\.[0-9]{1,15})?")
_DAYS = re.compile(r"([1-9][0-9]{0,3}) days?")

_WORDS = {
    Kind.INTEGER: "a number",
    Kind.FLOAT: "a number with a fraction",
    Kind.FLAG: "yes or no",
    Kind.NOTHING: "nothing",
    Kind.OTHER: "a date",
    Kind.TEXT: "text",
}


class Fields:
    """One mapping of the file.

    Readers give the value; where it is missing or wrong they report that and give a neutral one,
    which never leaves the checks because a file with problems is not used. `fine` tells the two
    apart, so that no rule is tried on a neutral value.
    """

    def __init__(self, node: Mapping, problems: Problems, known: Collection[str]) -> None:
        self.line = node.line
        self._entries = node.entries
        self._problems = problems
        self._broken: set[str] = set()
        for name, (line, _) in node.entries.items():
            if name not in known:
                problems.add(line, f"unknown field {name}{_suggestion(name, known)}")

    def has(self, name: str) -> bool:
        return name in self._entries

    def fine(self, *names: str) -> bool:
        """True when none of the fields read so far under these names was wrong or missing."""
        return self._broken.isdisjoint(names)

    def blame(self, name: str, message: str) -> None:
        """Report `message` at the field, or at the entry when the field is not there."""
        self._broken.add(name)
        self._problems.add(self.line_of(name), message)

    def report(self, line: int, message: str) -> None:
        """Report something about the entry as a whole, or about a part of a list in it."""
        self._problems.add(line, message)

    def line_of(self, name: str) -> int:
        return self._entries[name][1].line if name in self._entries else self.line

    def text(self, name: str, *, most: int = 255, default: str | None = None) -> str:
        """One line of text."""
        value = self._text(name, most, default)
        if any(unicodedata.category(c) in ("Cc", "Zl", "Zp") for c in value):
            self.blame(name, f"{name} must be one line without control characters")
        return value

    def prose(self, name: str) -> str:
        """Text that may have several lines; may be left out."""
        value = self._text(name, 10_000, "")
        if any(unicodedata.category(c) == "Cc" and c not in "\n\t" for c in value):
            self.blame(name, f"{name} must not have control characters")
        return value

    def key(self, name: str = "lookup_key") -> str:
        value = self.text(name)
        if self.fine(name) and not _KEY.fullmatch(value):
            self.blame(
                name,
                f"{name} {value!r} may have lower-case letters, digits, dot, dash and underscore"
                " only, and begins with a letter or digit",
            )
        return value

    def choice(self, name: str, words: type[E], default: E | None = None) -> E:
        if default is not None and not self.has(name):
            return default
        first = next(iter(words))
        value = self.text(name)
        if not self.fine(name):
            return first
        if value in list(words):
            return words(value)
        self.blame(name, f"{name} {value!r} is not one of {', '.join(words)}")
        return first

    def integer(self, name: str, least: int, most: int, default: int | None = None) -> int:
        if default is not None and not self.has(name):
            return default
        scalar = self._scalar(name)
        if scalar is None:
            return least
        if scalar.kind is not Kind.INTEGER or not _INTEGER.fullmatch(scalar.text):
            self.blame(name, f"{name} must be a whole number, not {_seen(scalar)}")
            return least
        value = int(scalar.text) if len(scalar.text) < 40 else most + 1
        if not least <= value <= most:
            self.blame(name, f"{name} must be from {least:,} to {most:,}, not {scalar.text[:40]}")
            return least
        return value

    def is_null(self, name: str) -> bool:
        """True when the field is there and says null."""
        node = self._entries[name][1] if name in self._entries else None
        return isinstance(node, Scalar) and node.kind is Kind.NOTHING

    def flag(self, name: str, default: bool) -> bool:
        if not self.has(name):
            return default
        scalar = self._scalar(name)
        if scalar is None:
            return default
        if scalar.kind is not Kind.FLAG or scalar.text not in ("true", "false"):
            self.blame(name, f"{name} must be true or false, not {_seen(scalar)}")
        return scalar.text == "true"

    def amount(self, name: str, default: Decimal | None = None) -> Decimal:
        """A decimal in quotes, zero or more."""
        if default is not None and not self.has(name):
            return default
        scalar = self._scalar(name)
        if scalar is None:
            return Decimal(0)
        if scalar.kind in (Kind.INTEGER, Kind.FLOAT):
            self.blame(
                name,
                f'{name} must stand in quotes: "{scalar.text}"; without them YAML makes it a'
                " binary number, which cannot hold every amount exactly",
            )
            return Decimal(0)
        if scalar.kind is not Kind.TEXT or not _DECIMAL.fullmatch(scalar.text):
            self.blame(name, f'{name} must be a decimal like "49.00", not {_seen(scalar)}')
            return Decimal(0)
        if scalar.text.startswith("-"):
            self.blame(name, f"{name} must not be negative")
        return abs(Decimal(scalar.text))

    def days(self, name: str) -> timedelta:
        """A duration written as "90 days"."""
        value = self.text(name)
        found = _DAYS.fullmatch(value)
        if self.fine(name) and not found:
            self.blame(name, f'{name} must be a number of days like "90 days", not {value!r}')
        return timedelta(days=int(found[1])) if found else timedelta(days=1)

    def one(self, name: str, known: Collection[str]) -> Fields | None:
        """The mapping under `name`; None when it is left out or wrong."""
        if not self.has(name):
            return None
        node = self._entries[name][1]
        if isinstance(node, Mapping):
            return Fields(node, self._problems, known)
        self._wrong_shape(name, node, "a mapping of fields")
        return None

    def entries(self, name: str, known: Collection[str]) -> list[Fields]:
        """The mappings in the list under `name`; none when it is left out."""
        found = []
        for node in self._items(name):
            if isinstance(node, Mapping):
                found.append(Fields(node, self._problems, known))
            else:
                self._wrong_shape(name, node, "a list of mappings")
        return found

    def words(self, name: str) -> list[tuple[str, int]]:
        """The texts in the list under `name`, each with its line."""
        found = []
        for node in self._items(name):
            if isinstance(node, Scalar) and node.kind is Kind.TEXT:
                found.append((node.text, node.line))
            else:
                self._wrong_shape(name, node, "a list of words")
        return found

    def pairs(self, name: str) -> dict[str, str]:
        """Free keys and texts; none when left out."""
        inner = self.one(name, _Anything())
        return {} if inner is None else {key: inner.prose(key) for key in inner._entries}

    def _items(self, name: str) -> list[Node]:
        if not self.has(name):
            return []
        node = self._entries[name][1]
        if isinstance(node, Listing):
            return node.items
        self._wrong_shape(name, node, "a list")
        return []

    def _wrong_shape(self, name: str, node: Node, wanted: str) -> None:
        self._broken.add(name)
        if not isinstance(node, Broken):
            self._problems.add(node.line, f"{name} must be {wanted}")

    def _text(self, name: str, most: int, default: str | None) -> str:
        if default is not None and not self.has(name):
            return default
        scalar = self._scalar(name)
        if scalar is None:
            return ""
        if scalar.kind is not Kind.TEXT:
            reads_as = _WORDS[scalar.kind]
            self.blame(
                name, f"{name}: {scalar.text} reads as {reads_as}, not as text: put it in quotes"
            )
        elif not scalar.text.strip():
            self.blame(name, f"{name} must not be blank")
        elif len(scalar.text) > most:
            self.blame(name, f"{name} has {len(scalar.text)} characters, at most {most} fit")
        elif any(unicodedata.category(c) == "Cs" or c == "\0" for c in scalar.text):
            self.blame(name, f"{name} has a character that cannot be stored")
        return scalar.text

    def _scalar(self, name: str) -> Scalar | None:
        if not self.has(name):
            self.blame(name, f"{name} is missing")
            return None
        node = self._entries[name][1]
        if not isinstance(node, Scalar):
            self._wrong_shape(name, node, "a single value")
            return None
        if node.kind is Kind.NOTHING:
            self.blame(name, f"{name} has no value: give it one or leave the field out")
            return None
        return node


class _Anything(frozenset[str]):
    """Every name is known."""

    def __contains__(self, name: object) -> bool:
        return True


def _seen(scalar: Scalar) -> str:
    return repr(scalar.text) if scalar.kind is Kind.TEXT else scalar.text


def _suggestion(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, list(known), n=1)
    return f": did you mean {near[0]}?" if near else ""
