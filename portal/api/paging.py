"""Lists a page at a time: a cursor says after which item the next page begins."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from portal.api.problems import unfit
from portal.api.schemas.problems import FieldProblem

T = TypeVar("T")
Place = tuple[int, str]
"""Where an item stands in its list: never two at the same, and the same for good."""


class PageQuery(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(50, ge=1, le=200, description="How many at most.")
    cursor: str | None = Field(
        None, pattern=r"^[A-Za-z0-9_=-]{1,500}$", description="next_cursor of the page before."
    )


@dataclass(frozen=True, slots=True)
class Slice(Generic[T]):
    """next_cursor: None when nothing follows."""

    items: list[T]
    next_cursor: str | None


def page_of(items: Sequence[T], query: PageQuery, place: Callable[[T], Place]) -> Slice[T]:
    """The items after the cursor, in the order of their places. Raises ApiProblem."""
    after = _place(query.cursor) if query.cursor is not None else None
    left = [item for item in items if after is None or place(item) > after]
    left.sort(key=place)
    shown = left[: query.limit]
    return Slice(shown, _cursor(place(shown[-1])) if len(left) > len(shown) else None)


def _cursor(place: Place) -> str:
    return urlsafe_b64encode(json.dumps(place).encode()).decode()


def _place(cursor: str) -> Place:
    try:
        number, text = json.loads(urlsafe_b64decode(cursor.encode()))
        if isinstance(number, int) and isinstance(text, str):
            return number, text
    except (ValueError, TypeError):
        pass
    raise unfit([FieldProblem(parameter="cursor", detail="is none that this list gave")])
