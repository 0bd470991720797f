"""Every statement says its environment: row security is the second fence and not the only one.

Read from the syntax: what a statement's own chain says, the names it uses, and the functions of its
module that it calls. That the environment is the right one, row security and tests/walks see to.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from portal.models.base import Base
from tests.architecture.sources import PRODUCT, Source, dotted

ASKS = {"select", "update", "delete"}
SCOPED = {name for name, table in Base.metadata.tables.items() if "environment_id" in table.c}
TOUCHES = re.compile(r"\b(?:from|join|update|into)\s+(\w+)", re.IGNORECASE)
OF_NO_ROWS = {
    ("portal/services/beginnings.py", "_keep"): "a number from a sequence",
    ("portal/services/coming_back.py", "promise_to_begin"): "a number from a sequence",
    ("portal/services/catalog/applying.py", "wait_for_others"): "a lock by a key with the scope",
    ("portal/services/clock.py", "_alone"): "a lock by a key with the scope",
    ("portal/services/support_approvals.py", "_is_there"): "both who call it say it",
    ("portal/queries/catalog.py", "current_catalog"): "the environment itself, by its id",
    ("portal/services/catalog/applying.py", "_tell_readers"): "the environment itself, by its id",
}
"""By file and function, with the reason."""
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Place:
    """A function with those around it, and all functions of its module by name."""

    around: tuple[Function, ...]
    module: dict[str, Function]
    seen: set[int] = field(default_factory=set)

    def says(self, node: ast.AST) -> bool:
        """Whether `node` compares an environment, or leads to what does."""
        if id(node) in self.seen:
            return False
        self.seen.add(id(node))
        parts = list(_parts(node))
        return any(map(_compares, parts)) or any(map(self.says, self._led_to(parts)))

    def _led_to(self, parts: list[ast.AST]) -> Iterator[ast.AST]:
        for part in parts:
            if isinstance(part, ast.Call):
                called = self.module.get(dotted(part.func).removeprefix("self."))
                yield from [called] if called else []
            if isinstance(part, ast.Name):
                yield from self._given(part.id)

    def _given(self, name: str) -> Iterator[ast.AST]:
        for function in self.around:
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and name in _names(node.targets):
                    yield node.value


def _parts(node: ast.AST) -> Iterator[ast.AST]:
    """Not what is compared, nor whose attribute: that `row` was found by it says nothing."""
    yield node
    is_of_a_name = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    if not isinstance(node, ast.Compare) and not is_of_a_name:
        for child in ast.iter_child_nodes(node):
            yield from _parts(child)


def _names(targets: list[ast.expr]) -> set[str]:
    return {n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name)}


def _compares(node: ast.AST) -> bool:
    """`X.environment_id == …`, `filter_by(environment_id=…)`, or such a dictionary for it."""
    if isinstance(node, ast.Compare):
        sides = (node.left, *node.comparators)
        return any(isinstance(s, ast.Attribute) and s.attr == "environment_id" for s in sides)
    if isinstance(node, ast.Dict):
        return any(isinstance(k, ast.Constant) and k.value == "environment_id" for k in node.keys)
    is_filter = isinstance(node, ast.Call) and dotted(node.func).endswith(".filter_by")
    return is_filter and any(k.arg == "environment_id" for k in node.keywords)


def unsaid(source: Source) -> list[tuple[str, str]]:
    """File and function of each statement that says no environment."""
    parents = {
        child: node for node in ast.walk(source.tree) for child in ast.iter_child_nodes(node)
    }
    module = {node.name: node for node in ast.walk(source.tree) if isinstance(node, Function)}
    wrong = []
    for call in source.calls():
        if dotted(call.func) not in ASKS:
            continue
        around = tuple(_above(call, parents))
        chains = _chains(call, parents, around)
        if not any(Place(around, module).says(chain) for chain in chains):
            wrong.append((source.name, around[0].name if around else ""))
    return [each for each in wrong if each not in OF_NO_ROWS]


def _above(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> Iterator[Function]:
    while node in parents:
        node = parents[node]
        if isinstance(node, Function):
            yield node


def _chain(node: ast.AST, parents: dict[ast.AST, ast.AST]) -> ast.AST:
    """`select(…).where(…)…` whole, from its beginning."""
    while isinstance(above := parents[node], ast.Attribute) or (
        isinstance(above, ast.Call) and above.func is node
    ):
        node = above
    return node


def _chains(
    call: ast.Call, parents: dict[ast.AST, ast.AST], around: tuple[Function, ...]
) -> list[ast.AST]:
    """The statement, and what goes on with the name that it was given."""
    whole = _chain(call, parents)
    stored = parents[whole]
    if not isinstance(stored, ast.Assign) or not around:
        return [whole]
    names = _names(stored.targets)
    uses = [n for n in ast.walk(around[0]) if isinstance(n, ast.Name) and n.id in names]
    return [whole, *(_chain(use, parents) for use in uses if use not in stored.targets)]


@pytest.mark.parametrize("source", PRODUCT, ids=lambda source: source.name)
def test_every_statement_says_its_environment(source):
    assert unsaid(source) == []


def test_what_is_written_as_sql_says_it_too():
    """Each statement that names a table of an environment."""
    written = [
        (source.name, node.value)
        for source in PRODUCT
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if SCOPED & set(TOUCHES.findall(node.value)) and ":" in node.value
    ]
    assert [each for each in written if "environment_id" not in each[1]] == []
    assert len(written) > 5


def test_what_is_left_out_is_there():
    there = {(source.name, f.name) for source in PRODUCT for f in source.functions()}
    assert OF_NO_ROWS.keys() <= there


HERE = "Row.environment_id == scope.environment_id"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("def f(): return select(Row).where(Row.id == 1)", False),
        (f"def f(): return select(Row).where({HERE})", True),
        ("def f(): update(Row).values(environment_id=1)", False),
        ("def f(): session.execute(delete(Row).filter_by(environment_id=1))", True),
        (f"def f():\n mine = ({HERE},)\n session.execute(delete(Row).where(*mine))", True),
        ("def f():\n mine = (Row.id == 1,)\n session.execute(delete(Row).where(*mine))", False),
        (f"def f():\n q = select(Row)\n return q.where({HERE})", True),
        ("def f():\n q = select(Row)\n return q.where(Row.id == 1)", False),
        (f"def f(): return select(Row).where(*_mine())\ndef _mine(): return {HERE}", True),
        (f"def f(scope):\n a = select(Row).where({HERE})\n return a, select(Row.id)", False),
        (
            f"def f():\n row = go(select(Row).where({HERE}))\n select(A).where(A.id == row.id)",
            False,
        ),
        ("def f(): return [select(Row), Row(environment_id=scope.environment_id)]", False),
    ],
)
def test_a_statement_without_an_environment_is_found(code, says):
    assert (unsaid(Source("portal/queries/bad.py", code)) == []) is says
