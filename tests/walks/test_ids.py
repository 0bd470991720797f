"""An id of another account, environment or tenant is nobody's: 404, whatever is asked of it."""

from __future__ import annotations

from collections import Counter

from werkzeug.routing import Rule

from tests.walks.places import TEXT, WRITTEN, foreign, kind_of, own
from tests.walks.stage import METHODS, Stage

MAKES = {"api.put_account"}
"""A key that this environment does not know yet is a new account's."""


def with_ids(stage: Stage, *, api: bool = False) -> list[Rule]:
    found = [rule for rule in stage.rules(api=api) if rule.arguments - set(TEXT)]
    assert len(found) > (3 if api else 30)
    return found


def visitor_of(stage: Stage, rule: Rule) -> str:
    if rule.endpoint.startswith("api."):
        return "write key"
    return "staff" if rule.rule.startswith("/staff") else "owner"


def foreign_addresses(stage: Stage, rule: Rule) -> dict[str, str]:
    """The rule's address by place, with one argument at a time from there."""
    mine: dict[str, object] = {
        name: TEXT[name]
        if name in TEXT
        else own(stage.places, stage.owner, kind_of(rule, name)).value
        for name in rule.arguments
    }
    return {
        f"{place} <{name}>": stage.address(rule, mine | {name: there.value})
        for name in sorted(rule.arguments - set(TEXT))
        for place, there in foreign(stage.places, stage.owner, kind_of(rule, name)).items()
    }


def refused(stage: Stage, rule: Rule, **sent: object) -> tuple[Counter[str], list[str]]:
    """How many cells, and those that were not refused as they must be."""
    cells, wrong = Counter[str](), []
    gone = (404, 410) if WRITTEN in rule.arguments else (404,)
    for place, path in foreign_addresses(stage, rule).items():
        for method in sorted((rule.methods or set()) & set(METHODS)):
            reply = stage.ask(visitor_of(stage, rule), method, path, **sent)
            cells[place.partition(" <")[0]] += 1
            if reply.status_code not in gone:
                wrong.append(f"{method} {path} of {place}: {reply.status_code}")
    return cells, wrong


def test_an_id_from_elsewhere_is_404(stage):
    cells, wrong = Counter[str](), []
    for rule in with_ids(stage):
        counted, found = refused(stage, rule)
        cells += counted
        wrong += found
    assert wrong == []
    assert cells.total() > 120
    assert len(cells) == 3


def test_the_api_knows_no_id_of_another_environment(stage):
    wrong = [
        each
        for rule in with_ids(stage, api=True)
        if rule.endpoint not in MAKES
        for each in refused(stage, rule)[1]
    ]
    assert wrong == []


def test_the_same_addresses_with_ones_own_ids_are_there(stage):
    """Else all of the above could be 404 for another reason."""
    missing = []
    for rule in [*with_ids(stage), *with_ids(stage, api=True)]:
        if "GET" in (rule.methods or set()):
            reply = stage.ask(visitor_of(stage, rule), "GET", stage.own_address(rule))
            if reply.status_code not in (200, 303, 409):
                missing.append(f"{rule.endpoint}: {reply.status_code}")
    assert missing == []
