"""Everybody at every address with every method: the marks on the views say who gets in."""

from __future__ import annotations

from collections import Counter

import pytest
from werkzeug.exceptions import MethodNotAllowed
from werkzeug.routing import Rule

from portal.domain.access import GRANTS, STAFF_GRANTS, Permission, Role, StaffRole
from portal.domain.keys import Access
from tests.walks.stage import MEMBERS, METHODS, Stage

STAFF = {"staff": StaffRole.ADMIN, "support": StaffRole.SUPPORT}
VISITORS = (*MEMBERS, "outsider", "nobody", *STAFF)
CALLERS = ("sessions key", "write key", "read key", "wrong key", "owner", *STAFF, "nobody")
SIGN_IN, STAFF_SIGN_IN = "to the sign-in", "to the sign-in of staff"
LET_IN, FORBIDDEN, NO_SUCH_METHOD, NOT_HERE = "let in", "403", "405", "404"
ASKS_A_PROVIDER = "/oidc"
"""Nobody answers for the identity providers of the walks: 503."""
OPEN, ENDS_THE_SESSION = "open to all", {"members.leave"}
MEANS = {LET_IN: (LET_IN, NOT_HERE), OPEN: (LET_IN, NOT_HERE, SIGN_IN, STAFF_SIGN_IN)}
"""Past the guard a view may still find nothing; one that is open may begin a sign-in anew."""


def mark_of(stage: Stage, rule: Rule) -> Permission | None:
    view = stage.app.view_functions[rule.endpoint]
    assert hasattr(view, "__permission__"), (
        f"{rule.endpoint} says not who may come in: put @requires(…), @staff_only,"
        " @administrators_only or @open_to_all on its view"
    )
    mark: Permission | None = view.__permission__
    return mark


def expected(stage: Stage, rule: Rule, who: str) -> str:
    """What the view's mark means for a visitor."""
    mark = mark_of(stage, rule)
    if mark is None or (rule.endpoint in ENDS_THE_SESSION and mark in _granted(who)):
        return OPEN
    if rule.rule.startswith("/staff"):
        return _of_staff(mark, who)
    if who == "nobody" or who in STAFF:
        return SIGN_IN
    if who == "outsider":
        return NOT_HERE if stage.names_an_accounts_row(rule) else LET_IN
    return LET_IN if mark in _granted(who) else FORBIDDEN


def _of_staff(mark: Permission, who: str) -> str:
    if who not in STAFF:
        return STAFF_SIGN_IN
    return LET_IN if mark in STAFF_GRANTS[STAFF[who]] else FORBIDDEN


def _granted(who: str) -> frozenset[Permission]:
    """What a member may; the outsider is the owner of another account."""
    if who == "nobody" or who in STAFF:
        return frozenset()
    return GRANTS[MEMBERS.get(who, Role.OWNER)]


def found(reply) -> str:
    if reply.status_code == 303 and reply.location.startswith("/staff/sign-in"):
        return STAFF_SIGN_IN
    if reply.status_code == 303 and reply.location.startswith("/sign-in"):
        return SIGN_IN
    plain = {403: FORBIDDEN, 405: NO_SUCH_METHOD, 404: NOT_HERE}
    is_silent = reply.status_code == 503 and ASKS_A_PROVIDER in reply.request.path
    assert reply.status_code < 500 or is_silent, (reply.request, reply.status_code)
    assert reply.status_code != 401, reply.request
    return plain.get(reply.status_code, LET_IN)


def matched(stage: Stage, path: str, method: str) -> Rule | None:
    """The rule that answers; None for a method that no rule has there."""
    try:
        return stage.app.url_map.bind("billing.acme.test").match(path, method, return_rule=True)[0]
    except MethodNotAllowed:
        return None


@pytest.mark.parametrize("who", VISITORS)
def test_a_visitor_gets_in_where_the_mark_says_so(stage, who):
    cells, wrong = Counter(), {}
    for path in sorted({stage.own_address(rule) for rule in stage.rules()}):
        for method in METHODS:
            rule = matched(stage, path, method)
            want = expected(stage, rule, who) if rule else NO_SUCH_METHOD
            got = found(stage.ask(who, method, path))
            cells[got] += 1
            if got not in MEANS.get(want, (want,)):
                wrong[f"{method} {path}"] = f"{got}, not {want}"
    assert wrong == {}
    assert cells.total() > 400
    assert cells[LET_IN] > 15


@pytest.mark.parametrize("who", CALLERS)
def test_the_api_answers_keys_and_nobody_else(stage, who):
    cells, wrong = Counter(), {}
    for rule in stage.rules(api=True):
        path = stage.own_address(rule)
        for method in METHODS:
            got = stage.ask(who, method, path).status_code
            want = wanted_of_api(stage, path, method, who)
            cells[want] += 1
            if got not in want:
                wrong[f"{method} {path}"] = f"{got}, not {want}"
    assert wrong == {}
    assert cells.total() >= 50
    assert len(cells) > 1


MAY = {
    "read key": {Access.READ},
    "write key": {Access.READ, Access.WRITE},
    "sessions key": {Access.READ, Access.PORTAL_SESSIONS},
}
DONE = (200, 400, 409, 415, 422)
"""A body that is empty is refused after the key was looked at."""


def wanted_of_api(stage: Stage, path: str, method: str, who: str) -> tuple[int, ...]:
    rule = matched(stage, path, method)
    if rule is None:
        return (405,)
    told = getattr(stage.app.view_functions[rule.endpoint], "__operation__", None)
    if told is None:
        return (200,)  # the document, which is no secret
    return (DONE if told.access in MAY[who] else (403,)) if who in MAY else (401,)
