"""Replaces ids by the objects they name, where expand[] asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from portal.sandbox import rules
from portal.sandbox.errors import ApiError
from portal.sandbox.store import Object, Store, public

MAX_LEVELS = 4
_PART_LENGTH = 10


def expand(store: Store, answer: Object, paths: Iterable[str]) -> Object:
    """The answer with every path of expand[] followed. Raises ApiError 400 for other fields."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > MAX_LEVELS + (steps[0] == "data"):
            raise ApiError(
                f"You cannot expand more than {MAX_LEVELS} levels of a property. Property: {path}",
                param="expand",
            )
        if answer.get("object") == "list":
            if steps[0] != "data" or len(steps) == 1:
                raise _refused(path, f"data.{path}")
            for thing in answer["data"]:
                _follow(store, thing, steps[1:], path)
        else:
            _follow(store, answer, steps, path)
    return answer


def _follow(store: Store, thing: Object, steps: list[str], path: str) -> None:
    fields = rules.expandable(str(thing.get("object")))
    for length in range(len(steps), 0, -1):
        name = ".".join(steps[:length])
        if name in fields:
            found = _replace(store, thing, steps[:length], fields[name])
            if found is not None and steps[length:]:
                _follow(store, found, steps[length:], path)
            return
    if steps[0] in fields or not thing.get("deleted"):
        raise _refused(path)


def _replace(store: Store, thing: Object, steps: list[str], kind: str | None) -> Object | None:
    """Put the object in the place of its id; None where there is nothing to expand."""
    holder: Any = thing
    for step in steps[:-1]:
        holder = holder.get(step) if isinstance(holder, dict) else None
    if not isinstance(holder, dict):
        return None
    value = holder.get(steps[-1])
    part = _PARTS.get((str(thing.get("object")), steps[-1]))
    if part is not None:
        value = holder[steps[-1]] = part(store, thing)
    if isinstance(value, str) and kind is not None:
        found = store.find(kind, value)
        value = public(found) if found else value
        holder[steps[-1]] = value
    return value if isinstance(value, dict) else None


def _refunds(store: Store, charge: Object) -> Object:
    """The first page of what went back of a charge."""
    where = "kind = 'refund' AND json_extract(body, '$.charge') = ?"
    order = "created DESC, seq DESC"
    found = store.select(where, [charge["id"]], order, _PART_LENGTH + 1)
    url = f"/v1/charges/{charge['id']}/refunds"
    return _listed([public(refund) for refund in found], url)


def _line_items(store: Store, session: Object) -> Object:
    found = store.find("checkout.session", session["id"]) or {}
    lines = list(found.get("_line_items", ()))
    return _listed(lines, f"/v1/checkout/sessions/{session['id']}/line_items")


def _listed(things: list[Object], url: str) -> Object:
    return {
        "object": "list",
        "data": things[:_PART_LENGTH],
        "has_more": len(things) > _PART_LENGTH,
        "url": url,
    }


_PARTS: dict[tuple[str, str], Callable[[Store, Object], Object]] = {
    ("charge", "refunds"): _refunds,
    ("checkout.session", "line_items"): _line_items,
}
"""Lists that belong to an object and come only when they are asked for."""


def _refused(path: str, instead: str | None = None) -> ApiError:
    hint = f" You may want to try expanding '{instead}' instead." if instead else ""
    return ApiError(f"This property cannot be expanded ({path}).{hint}", param="expand")
