"""One API request while it is being answered, and the routes that answer it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from portal.sandbox.errors import missing_object
from portal.sandbox.store import Object, Store


@dataclass(slots=True)
class Call:
    """What a route needs; `now` is in epoch seconds, `events` wait to be scheduled.

    `pinned`: the request named its API version; without it an older one is the account's.
    """

    store: Store
    params: dict[str, Any]
    now: int
    base_url: str
    request_id: str | None = None
    idempotency_key: str | None = None
    events: list[Object] = field(default_factory=list)
    has_webhook: bool = False
    pinned: bool = True

    def get(self, kind: str, identifier: str, param: str = "id") -> Object:
        """An object that must exist. Raises ApiError 404, or 400 when a parameter names it."""
        found = self.store.find(kind, identifier)
        if found is None:
            raise missing_object(kind, identifier, param)
        return found

    def later(self, seconds: int, deed: str, identifier: str) -> None:
        """Let a deed be done to an object by itself, `seconds` from now."""
        self.store.plan(self.now + seconds, deed, identifier)


Run = Callable[..., Object]
Deed = Callable[[Call, str], None]


@dataclass(frozen=True, slots=True)
class Route:
    """What answers an operation, and which of Stripe's parameters it models.

    `rule` describes the parameters of an operation that Stripe does not document.
    """

    run: Run
    takes: frozenset[str]
    rule: Any = None


def route(run: Run, takes: str = "", rule: Any = None) -> Route:
    """`takes` lists parameter names; `expand` goes without saying."""
    return Route(run, frozenset(takes.split()) | {"expand"}, rule)
