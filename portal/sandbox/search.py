"""Search for customers and payment intents. Source: docs.stripe.com/search, its query language."""

from __future__ import annotations

import re
from typing import Any

from portal.sandbox import lists
from portal.sandbox.calls import Call, Route, route
from portal.sandbox.errors import ApiError
from portal.sandbox.store import Object, public

_RULE = {
    "o": {"query": "str", "limit": "int", "page": "str", "expand": {"l": "str"}},
    "r": ["query"],
}
_NUMBERS = frozenset({"amount", "created"})
_TEXTS = {
    "customer": frozenset({"email", "name", "phone"}),
    "payment_intent": frozenset({"currency", "customer", "status"}),
}
_CLAUSE = re.compile(
    r"""(?P<minus>-?)(?P<field>\w+)(?:\[(?P<quote>["'])(?P<name>.+?)(?P=quote)\])?"""
    r"""(?P<sign><=|>=|[:~<>=])(?P<value>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|null|\d+)"""
)
_JOIN = re.compile(r"\s+(?:(AND|OR)\s+)?", re.IGNORECASE)
_MOST_CLAUSES, _SHORTEST_PART = 10, 3


def find_customers(call: Call) -> Object:
    return _page(call, "customer", "/v1/customers/search")


def find_intents(call: Call) -> Object:
    return _page(call, "payment_intent", "/v1/payment_intents/search")


def _page(call: Call, kind: str, url: str) -> Object:
    """One page of what the query finds, newest first; at once, where Stripe takes a minute."""
    query = call.params["query"].strip()
    condition, values = _condition(kind, query)
    most, start = lists.limit(call.params.get("limit", 10)), _start(call.params.get("page", "0"))
    where = f"kind = ? AND json_extract(body, '$.deleted') IS NULL AND ({condition})"
    found = call.store.select(where, [kind, *values], "created DESC, seq DESC", start + most + 1)
    more = len(found) > start + most
    return {
        "object": "search_result",
        "data": [public(thing) for thing in found[start : start + most]],
        "has_more": more,
        "next_page": str(start + most) if more else None,
        "url": url,
    }


def _start(page: str) -> int:
    if page.isascii() and page.isdigit():
        return int(page)
    raise ApiError(f"Invalid page: {page}", param="page")


def _condition(kind: str, query: str) -> tuple[str, list[Any]]:
    """The query as SQL. Raises ApiError 400 for one that Stripe would not read."""
    clauses: list[str] = []
    joins: set[str] = set()
    values: list[Any] = []
    at = 0
    while True:
        clause = _CLAUSE.match(query, at)
        if clause is None or len(clauses) == _MOST_CLAUSES:
            raise _unreadable(query)
        sql, value = _clause(kind, query, clause)
        clauses.append(sql)
        values += value
        if clause.end() == len(query):
            break
        join = _JOIN.match(query, clause.end())
        if join is None:
            raise _unreadable(query)
        joins.add((join[1] or "AND").upper())
        at = join.end()
    if len(joins) > 1:
        raise ApiError("A search cannot combine AND and OR.", param="query")
    return f" {joins.pop() if joins else 'AND'} ".join(clauses), values


def _clause(kind: str, query: str, clause: re.Match[str]) -> tuple[str, list[Any]]:
    field, sign, given = clause["field"], clause["sign"], clause["value"]
    name = f"$.{field}"
    values: list[Any] = []
    if field == "metadata" and clause["name"]:
        name = f'$.metadata."{clause["name"]}"'
    elif clause["name"] or not (field in _TEXTS[kind] or _counts(kind, field)):
        raise ApiError(f"Field `{field}` is an unsupported search field.", param="query")
    place = "json_extract(body, ?)"
    if given == "null" and sign == ":":
        sql = f"{place} IS NULL"
    elif given.isdigit() and _counts(kind, field) and sign != "~":
        sql = f"{place} {'=' if sign == ':' else sign} ?"
        values = [int(given)]
    elif given[0] in "\"'" and sign in ":~" and not _counts(kind, field):
        words = re.sub(r"\\(.)", r"\1", given[1:-1]).lower()
        if sign == "~" and len(words) < _SHORTEST_PART:
            raise ApiError("A part to search for has at least 3 characters.", param="query")
        sql = f"lower({place}) = ?" if sign == ":" else f"instr(lower({place}), ?)"
        values = [words]
    else:
        raise _unreadable(query)
    return f"{'NOT ' if clause['minus'] else ''}coalesce({sql}, 0)", [name, *values]


def _counts(kind: str, field: str) -> bool:
    return field in _NUMBERS and (kind, field) != ("customer", "amount")


def _unreadable(query: str) -> ApiError:
    return ApiError(f"We were unable to parse your search query: {query}", param="query")


_TAKES = "query limit page"
ROUTES: dict[str, Route] = {
    "GET /v1/customers/search": route(find_customers, _TAKES, _RULE),
    "GET /v1/payment_intents/search": route(find_intents, _TAKES, _RULE),
}
