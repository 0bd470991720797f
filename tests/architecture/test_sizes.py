"""How long a file and a function may be."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.sources import EVERYTHING, Source

LONGEST_MODULE = 300
LONGEST_FUNCTION = 70
LONG_FUNCTION = 30
LONGER = {
    "portal/sandbox/control.py: create_control",
    "portal/sandbox/payment_intents.py: _new",
    "portal/sandbox/three_d_secure.py: create_pages",
}
"""Functions of more than 30 lines. This list may only shrink."""
LONG_TABLES = {
    # Lists of samples and cases, where a second file would only part what is read together.
    "tests/gateways/test_contract.py",
    "tests/models/test_constraints.py",
    "tests/services/catalog/test_applying.py",
    "tests/services/test_purchases.py",
}


def length(function: ast.FunctionDef) -> int:
    """Lines from `def` to the end, the docstring left out."""
    lines = (function.end_lineno or 0) - function.lineno + 1
    said = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (said.end_lineno or 0) - said.lineno + 1
    return lines


def test_no_module_is_too_long():
    found = {s.name: len(s.text.splitlines()) for s in EVERYTHING}
    assert {name for name, lines in found.items() if lines > LONGEST_MODULE} <= LONG_TABLES


def test_no_function_is_too_long():
    found = [(s, f) for s in EVERYTHING for f in s.functions() if length(f) > LONGEST_FUNCTION]
    assert [f"{s.name}: {f.name}" for s, f in found] == []


def test_the_list_of_longish_functions_only_shrinks():
    found = {
        f"{source.name}: {function.name}"
        for source in EVERYTHING
        for function in source.functions()
        if length(function) > LONG_FUNCTION and source.name.startswith("portal/")
    }
    assert found == LONGER


@pytest.mark.parametrize(
    ("body", "lines"),
    [('    """Said."""\n    return 1', 2), ("    a = 1\n    return a", 3)],
)
def test_a_docstring_does_not_count(body, lines):
    (function,) = Source("bad.py", f"def f():\n{body}\n").functions()
    assert length(function) == lines
