"""How often one person may ask for what is dear: counted in the database, for all processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from portal.domain.throttle import Rule
from portal.services.throttling import Paused, Watched, admit, watched
from portal.web.requests import database, member, scope, wall

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def paced(rule: Rule) -> Callable[[View[P]], View[P]]:
    """Count each request of the person signed in; below `requires`. 429 when they are too many.

    A support view is not counted: nothing is written in one.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def counted(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            who = member().actor
            if who.staff_id is None:
                count(watched(rule, f"person:{who.person_id}"))
            return view(*args, **kwargs)

        counted.__pace__ = rule  # type: ignore[attr-defined]
        return counted

    return guard


def count(thing: Watched) -> None:
    """Raises TooManyRequests, which says when the next try is worth it."""
    outcome = admit(database(), scope(), [thing], wall())
    if isinstance(outcome, Paused):
        raise TooManyRequests(retry_after=seconds(outcome.wait))


def seconds(wait: timedelta) -> int:
    """Whole ones, rounded up."""
    return -int(-wait.total_seconds() // 1)
