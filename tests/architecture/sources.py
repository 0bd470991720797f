"""The portal's own Python files, as syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Source:
    """One file. name: its path in the repository, with slashes."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.Call))

    def functions(self) -> Iterator[ast.FunctionDef]:
        return (node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef))


def sources(*folders: str) -> list[Source]:
    """Every Python file below `folders`, but for the numbered migrations."""
    paths = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [
        Source(path.relative_to(ROOT).as_posix(), path.read_text())
        for path in paths
        if "versions" not in path.parts
    ]


PRODUCT = [
    source
    for source in sources("portal")
    if not source.name.startswith(("portal/sandbox/", "portal/local/"))
]
"""The portal itself: the sandbox and the local servers are programs of their own."""
EVERYTHING = sources("portal", "migrations", "tests", "bench")


def dotted(node: ast.expr) -> str:
    """`db.session.commit` of that expression; calls in between lose their arguments."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    if isinstance(node, ast.Call):
        return f"{dotted(node.func)}()"
    return node.id if isinstance(node, ast.Name) else "?"
