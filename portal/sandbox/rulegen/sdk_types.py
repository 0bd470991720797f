"""Reads the type files of an installed stripe package with ast; never imports or runs it."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

Rule = Any  # the rule language of portal.sandbox.rules: str | dict
SCALARS = {"str": "str", "int": "int", "bool": "bool", "float": "num", "Decimal": "num"}


@dataclass(frozen=True)
class Field:
    """One attribute of an API object's class."""

    optional: bool
    annotation: ast.expr


class Package:
    """The type files below the folder of one stripe package."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._trees: dict[str, ast.Module] = {}

    @cached_property
    def api_version(self) -> str:
        text = (self._root / "_api_version.py").read_text(encoding="utf-8")
        match = re.search(r'CURRENT = "([^"]+)"', text)
        if match is None:
            raise ValueError("the package names no API version")
        return match.group(1)

    def parameters(self, name: str) -> Rule:
        """The rule of one operation's parameters, e.g. `customer_create`."""
        folder, _, stem = name.rpartition(".")
        module = ".".join(p for p in ("params", folder, f"_{stem}_params") if p)
        title = "".join(word.capitalize() for word in stem.split("_")) + "Params"
        return _Parameters(self._classes(module), self._typed_dicts(module)).named(title)

    def fields(self, module: str, path: list[str]) -> dict[str, Field]:
        """Attributes of an object's class, or of the class nested at `path` in it."""
        classes = list(self._classes(module).values())
        node = next(c for c in classes if _object_name(c) is not None)
        for step in path:
            node = self._nested(node, step)
        found = {}
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                text = ast.unparse(line.annotation)
                if not line.target.id.startswith("_") and not text.startswith("ClassVar"):
                    found[line.target.id] = Field(text.startswith("Optional"), line.annotation)
        return found

    @staticmethod
    def _nested(node: ast.ClassDef, attribute: str) -> ast.ClassDef:
        inner = {c.name: c for c in node.body if isinstance(c, ast.ClassDef)}
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and getattr(line.target, "id", "") == attribute:
                names = re.findall(r"\w+", ast.unparse(line.annotation))
                return next(inner[n] for n in names if n in inner)
        raise KeyError(attribute)

    def _tree(self, module: str) -> ast.Module:
        if module not in self._trees:
            path = self._root.joinpath(*module.split(".")).with_suffix(".py")
            self._trees[module] = ast.parse(path.read_text(encoding="utf-8"))
        return self._trees[module]

    def _classes(self, module: str) -> dict[str, ast.ClassDef]:
        return {c.name: c for c in self._tree(module).body if isinstance(c, ast.ClassDef)}

    def _typed_dicts(self, module: str) -> dict[str, ast.Dict]:
        """`Name = TypedDict("Name", {...})`, used where a key is a Python keyword."""
        found = {}
        for line in self._tree(module).body:
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Call):
                arguments = line.value.args
                if len(arguments) > 1 and isinstance(arguments[1], ast.Dict):
                    found[ast.unparse(line.targets[0])] = arguments[1]
        return found


def _object_name(node: ast.ClassDef) -> str | None:
    for line in node.body:
        if isinstance(line, ast.AnnAssign) and getattr(line.target, "id", "") == "OBJECT_NAME":
            return ast.unparse(line.annotation)
    return None


class _Parameters:
    """Turns the TypedDicts of one params module into rules."""

    def __init__(self, classes: dict[str, ast.ClassDef], dicts: dict[str, ast.Dict]) -> None:
        self._classes = classes
        self._dicts = dicts

    def named(self, name: str) -> Rule:
        node = self._classes[name]
        fields: dict[str, ast.expr] = {}
        for base in node.bases:
            shape = self._dicts.get(ast.unparse(base))
            if shape is not None:
                for key, value in zip(shape.keys, shape.values, strict=True):
                    if isinstance(key, ast.Constant):
                        fields[str(key.value)] = value
        for line in node.body:
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
                fields[line.target.id] = line.annotation
        required = [n for n, a in fields.items() if _head(a) != "NotRequired"]
        rules = {n: self._rule(a) for n, a in sorted(fields.items())}
        return {"o": rules, "r": sorted(required)} if required else {"o": rules}

    def _rule(self, node: ast.expr) -> Rule:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return self._rule(ast.parse(node.value, mode="eval").body)
        if isinstance(node, ast.BinOp):
            return self._choice([*_flat(node)])
        if isinstance(node, ast.Subscript):
            return self._generic(_head(node), _arguments(node))
        name = ast.unparse(node)
        if name in SCALARS:
            return SCALARS[name]
        return self.named(name) if name in self._classes else "any"

    def _generic(self, head: str, arguments: list[ast.expr]) -> Rule:
        match head:
            case "Literal":
                values = [a.value for a in arguments if isinstance(a, ast.Constant)]
                return {"e": sorted(str(v).lower() if isinstance(v, bool) else v for v in values)}
            case "Union" | "Optional":
                return self._choice(arguments)
            case "NotRequired":
                return self._rule(arguments[0])
            case "List" | "Sequence":
                return {"l": self._rule(arguments[0])}
            case "Dict" | "UntypedStripeObject":
                return "map"
        return "any"

    def _choice(self, nodes: list[ast.expr]) -> Rule:
        rules = [self._rule(n) for n in nodes]
        clearable = {"e": [""]} in rules
        rules = [r for i, r in enumerate(rules) if r != {"e": [""]} and r not in rules[:i]]
        if any(isinstance(r, dict) and "e" in r for r in rules):  # `Literal[...] | str`
            rules = [r for r in rules if r != "str"]
        rule = rules[0] if len(rules) == 1 else {"u": rules}
        return {"x": rule} if clearable else rule


def _head(node: ast.expr) -> str:
    return ast.unparse(node.value) if isinstance(node, ast.Subscript) else ""


def _arguments(node: ast.Subscript) -> list[ast.expr]:
    return node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]


def _flat(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.BinOp):
        return [*_flat(node.left), *_flat(node.right)]
    return [node]
