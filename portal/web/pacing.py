"""How often somebody may ask for what is dear: counted in the database, for all processes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import ParamSpec

from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from portal.domain.throttle import Rule
from portal.services.throttling import Paused, Watched, admit, watched
from portal.web.requests import database, is_staff_page, member, scope, support_view, wall
from portal.web.staff import staff

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def paced(rule: Rule) -> Callable[[View[P]], View[P]]:
    """Count each request of who is signed in; below their guard. 429 when they are too many.

    A support view is not counted: nothing is written in one.
    """

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def counted(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if support_view() is None:
                count(watched(rule, _asker()))
            return view(*args, **kwargs)

        counted.__pace__ = rule  # type: ignore[attr-defined]
        return counted

    return guard


def _asker() -> str:
    if is_staff_page():
        return f"staff:{staff().actor.staff_id}"
    return f"person:{member().actor.person_id}"


def count(thing: Watched) -> None:
    """Raises TooManyRequests, which says when the next try is worth it."""
    outcome = admit(database(), scope(), [thing], wall())
    if isinstance(outcome, Paused):
        raise TooManyRequests(retry_after=seconds(outcome.wait))


def seconds(wait: timedelta) -> int:
    """Whole ones, rounded up."""
    return -int(-wait.total_seconds() // 1)
