"""Replaces ids by the objects they name, where expand[] asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.sandbox import rules
from portal.sandbox.errors import ApiError
from portal.sandbox.store import Object, Store, public

MAX_LEVELS = 4


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
    if isinstance(value, str) and kind is not None:
        found = store.find(kind, value)
        value = public(found) if found else value
        holder[steps[-1]] = value
    return value if isinstance(value, dict) else None


def _refused(path: str, instead: str | None = None) -> ApiError:
    hint = f" You may want to try expanding '{instead}' instead." if instead else ""
    return ApiError(f"This property cannot be expanded ({path}).{hint}", param="expand")
