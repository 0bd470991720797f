"""A letter before it is laid out, and the addresses that it leads to."""

from __future__ import annotations

from dataclasses import dataclass

from flask import url_for


@dataclass(frozen=True, slots=True)
class Draft:
    """facts: a label and what it stands for. link: its words and its absolute address."""

    subject: str
    said: tuple[str, ...]
    facts: tuple[tuple[str, str], ...] = ()
    link: tuple[str, str] | None = None
    closing: tuple[str, ...] = ()


def page(endpoint: str, **where: object) -> str:
    """The absolute address of a page."""
    return url_for(endpoint, _external=True, **where)  # type: ignore[arg-type]
