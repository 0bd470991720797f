"""Stripe's lists: newest first, cut by limit, starting_after and ending_before."""

from __future__ import annotations

from typing import Any

from portal.sandbox.calls import Call
from portal.sandbox.errors import ApiError, missing_object
from portal.sandbox.store import Object, public

PAGING = "limit starting_after ending_before "
MAX_LIMIT = 100
_COMPARISONS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


def page(call: Call, kind: str, url: str, **equal: Any) -> Object:
    """One page of a kind of object; `equal` filters by top-level fields that are not None."""
    where, values = ["kind = ?", "json_extract(body, '$.deleted') IS NULL"], [kind]
    for name, value in equal.items():
        if value is not None:
            where.append(
                "customer = ?" if name == "customer" else f"json_extract(body, '$.{name}') = ?"
            )
            values.append(value)
    created(call.params.get("created"), where, values)
    return select(call, kind, url, where, values)


def select(call: Call, kind: str, url: str, where: list[str], values: list[Any]) -> Object:
    """One page of what the SQL conditions leave."""
    most = limit(call.params.get("limit", 10))
    backwards = _cursor(call, kind, where, values)
    order = "created, seq" if backwards else "created DESC, seq DESC"
    found = call.store.select(" AND ".join(where), values, order, most + 1)
    shown = found[:most]
    if backwards:
        shown.reverse()
    return {
        "object": "list",
        "data": [public(thing) for thing in shown],
        "has_more": len(found) > most,
        "url": url,
    }


def limit(given: int) -> int:
    """How many to show. Raises ApiError 400 outside 1..100."""
    if 1 <= given <= MAX_LIMIT:
        return given
    bound, word = (1, "greater") if given < 1 else (MAX_LIMIT, "less")
    raise ApiError(
        f"This value must be {word} than or equal to {bound} (it currently is '{given}').",
        code="parameter_invalid_integer",
        param="limit",
    )


def _cursor(call: Call, kind: str, where: list[str], values: list[Any]) -> bool:
    """Adds the condition of a cursor; True if the page is to be read upwards from it."""
    after, before = call.params.get("starting_after"), call.params.get("ending_before")
    if after and before:
        raise ApiError(
            "Received both starting_after and ending_before parameters. Please pass in only one.",
            code="parameters_exclusive",
            param="ending_before",
        )
    cursor, name = (after, "starting_after") if after else (before, "ending_before")
    if cursor:
        place = call.store.position(kind, cursor)
        if place is None:
            raise missing_object(kind, cursor, name)
        where.append(f"(created, seq) {'<' if after else '>'} (?, ?)")
        values.extend(place)
    return bool(before)


def created(given: Any, where: list[str], values: list[Any]) -> None:
    bounds = (
        given if isinstance(given, dict) else {} if given is None else {"gte": given, "lte": given}
    )
    for name, bound in bounds.items():
        where.append(f"created {_COMPARISONS[name]} ?")
        values.append(bound)
