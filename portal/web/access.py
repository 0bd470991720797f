"""The guard of every route, and the mark it leaves for the test that none lacks one."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec

from flask.typing import ResponseReturnValue

from portal.domain.access import Permission
from portal.web.requests import member, send_to_sign_in, signed_in

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]


def requires(permission: Permission) -> Callable[[View[P]], View[P]]:
    """Let in signed-in members who hold `permission`; Forbidden for the others."""

    def guard(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            if signed_in() is None:
                return send_to_sign_in()
            member().actor.require(permission)
            return view(*args, **kwargs)

        guarded.__permission__ = permission  # type: ignore[attr-defined]
        return guarded

    return guard


def open_to_all(view: View[P]) -> View[P]:
    """Mark a route that needs no sign-in."""
    view.__permission__ = None  # type: ignore[attr-defined]
    return view
