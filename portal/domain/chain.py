"""The chain of an account's events: each seal covers its event and the seal before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

NOTHING = "0" * 64
"""What the first seal of a chain follows."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ends: how many links it has, and the seal of the last."""

    length: int
    digest: str


@dataclass(frozen=True, slots=True)
class Link:
    """One place of a chain, from 1. event: its columns by name; None when it is gone."""

    position: int
    event_id: int
    digest: str
    event: Mapping[str, object] | None


class Flaw(StrEnum):
    MISSING = "missing"
    GONE = "gone"
    CHANGED = "changed"
    ENDS_ELSEWHERE = "ends_elsewhere"


@dataclass(frozen=True, slots=True)
class Broken:
    """first, last: positions, of one link unless several are missing."""

    flaw: Flaw
    first: int
    last: int
    event_id: int | None = None


def seal_of(previous: str, position: int, event: Mapping[str, object]) -> str:
    """sha256 in hex over the seal before it, the position and the event, one a line.

    Raises TypeError for what JSON in a database may give back otherwise, a float above all.
    Source: ADR 0024.
    """
    said = f"{previous}\n{position}\n{canonical(event)}"
    return hashlib.sha256(said.encode()).hexdigest()


def canonical(event: Mapping[str, object]) -> str:
    """JSON of the columns, by name; empty ones are left out, so that a new one changes nothing."""
    said = {name: _plain(value) for name, value in event.items()}
    filled = {name: value for name, value in said.items() if value not in (None, "", {})}
    return json.dumps(filled, sort_keys=True, separators=(",", ":"))


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat(timespec="microseconds")
        case str():
            return str(value)
        case bool() | int() | None:
            return value
        case list() | tuple():
            return [_plain(each) for each in value]
        case dict():
            return {str(name): _plain(each) for name, each in value.items()}
        case _:
            raise TypeError(f"an event cannot tell a {type(value).__name__}")


def broken(links: Iterable[Link], head: Head) -> Iterator[Broken]:
    """What is wrong with a chain. links: by position. A break is told once, where it is."""
    length, previous = 0, NOTHING
    for link in links:
        if link.position != length + 1:
            yield Broken(Flaw.MISSING, length + 1, link.position - 1)
        elif link.event is None:
            yield Broken(Flaw.GONE, link.position, link.position, link.event_id)
        elif seal_of(previous, link.position, link.event) != link.digest:
            yield Broken(Flaw.CHANGED, link.position, link.position, link.event_id)
        length, previous = link.position, link.digest
    if Head(length, previous) != head:
        yield Broken(Flaw.ENDS_ELSEWHERE, length, head.length)
