"""`python -m portal.sandbox.rulegen SPEC.json [OUT.json]` writes the rules to validate by."""

from __future__ import annotations

import argparse
import importlib.util
import json
from collections import Counter
from pathlib import Path
from typing import Any

from portal.sandbox.rulegen.openapi import Document, Node
from portal.sandbox.rulegen.scope import (
    CARD_ONLY,
    CARD_ONLY_KEPT,
    EXPANDABLE_PARTS,
    METHOD_TYPES_PRUNED,
    NESTED,
    OBJECTS,
    ON_REQUEST,
    OPERATIONS,
    UNTYPED,
)
from portal.sandbox.rulegen.sdk_types import Package, Rule

DEFAULT_OUT = Path(__file__).parents[1] / "rules.json"
SHARED_FROM = 40  # characters; a smaller rule costs less written out than referred to


def make_rules(document: Document, package: Package) -> dict[str, Any]:
    """Everything the sandbox knows about Stripe's shapes, as one JSON-able dict."""
    operations = {
        operation: _operation(operation, package.parameters(module), document)
        for operation, module in OPERATIONS.items()
    }
    shapes = [*OBJECTS, *NESTED]
    return {
        "api_version": package.api_version,
        "openapi_version": document.version,
        **_shared(operations),
        "templates": {shape: _null_keys(shape, document, package) for shape in shapes},
        "expandable": {name: _expandable(name, document) for name in OBJECTS},
    }


def _operation(operation: str, rule: Rule, document: Document) -> Rule:
    _prune(rule, operation in METHOD_TYPES_PRUNED)
    merged = _merge(rule, document.parameters(operation), document)
    merged["o"]["expand"] = {"l": "str"}
    return merged


def _prune(rule: Rule, at_top: bool) -> None:
    """Stop describing payment methods other than cards: two thirds of the file otherwise."""
    for name, child in rule["o"].items():
        inner = child.get("x", child) if isinstance(child, dict) else None
        if inner is None or "o" not in inner:
            continue
        if name in CARD_ONLY:
            inner["o"] = {n: r if n in CARD_ONLY_KEPT else "any" for n, r in inner["o"].items()}
        elif at_top and name not in CARD_ONLY_KEPT:
            rule["o"][name] = "any"


def _merge(rule: Rule, schema: Node, document: Document) -> Rule:
    """The package's types decide; the document adds lengths and what the package has dropped."""
    schema = document.resolve(schema)
    if isinstance(rule, dict) and "x" in rule:
        return {"x": _merge(rule["x"], schema, document)}
    if isinstance(rule, dict) and "l" in rule:
        return {"l": _merge(rule["l"], _pick(schema, "array").get("items", {}), document)}
    if isinstance(rule, dict) and "o" in rule:
        return _merge_object(rule, _pick(schema, "object"), document)
    if rule == "str":
        longest = _pick(schema, "string").get("maxLength")
        return {"s": longest} if longest else rule
    return rule


def _merge_object(rule: Rule, schema: Node, document: Document) -> Rule:
    known = schema.get("properties", {})
    merged = {
        **rule,
        "o": {n: _merge(r, known.get(n, {}), document) for n, r in sorted(rule["o"].items())},
    }
    required = set(rule.get("r", [])) | (set(schema.get("required", [])) & set(rule["o"]))
    if required:
        merged["r"] = sorted(required)
    dropped = sorted(set(known) - set(rule["o"]) - {"expand", *UNTYPED})
    if dropped:
        merged["old"] = dropped
    merged["o"].update({n: "str" for n in UNTYPED if n in known})
    return merged


def _pick(schema: Node, kind: str) -> Node:
    """The alternative of this JSON type, unless several have it."""
    options = schema.get("anyOf", [schema])
    fitting = [o for o in options if o.get("type") == kind and o.get("enum") != [""]]
    return fitting[0] if len(fitting) == 1 else {}


def _null_keys(shape: str, document: Document, package: Package) -> list[str]:
    name = next(n for n in sorted(OBJECTS, key=len, reverse=True) if f"{shape}.".startswith(n))
    path = shape.removeprefix(name).strip(".").split(".") if shape != name else []
    typed = package.fields(OBJECTS[name], path)
    known = document.properties(name, path)
    nullable = {n for n, node in known.items() if node.get("nullable")}
    keys = {n for n in nullable if n in typed or n in UNTYPED}
    keys |= {n for n, field in typed.items() if field.optional and n not in known}
    return sorted(keys - (set(ON_REQUEST.get(shape, "").split()) if not path else set()))


def _expandable(name: str, document: Document) -> dict[str, str | None]:
    parts: dict[str, str | None] = dict.fromkeys(EXPANDABLE_PARTS.get(name, "").split())
    return {**parts, **document.expandable(name)}


def _shared(operations: dict[str, Rule]) -> dict[str, Any]:
    """Write every large rule that occurs twice once, and refer to it by its number."""
    seen: Counter[str] = Counter()
    _count(operations, seen)
    shared = [text for text, times in seen.items() if times > 1 and len(text) >= SHARED_FROM]
    shared.sort(key=len)  # inner rules first: they may be referred to by outer ones
    numbers = {text: number for number, text in enumerate(shared)}
    return {
        "shared": [_refer(json.loads(text), numbers, top=True) for text in shared],
        "operations": {o: _refer(r, numbers) for o, r in operations.items()},
    }


def _count(rule: Any, seen: Counter[str]) -> None:
    children = rule.values() if isinstance(rule, dict) else rule if isinstance(rule, list) else []
    for child in children:
        if isinstance(child, dict) and set(child) & set("xluoe"):
            seen[_text(child)] += 1
        _count(child, seen)


def _refer(rule: Any, numbers: dict[str, int], top: bool = False) -> Any:
    if isinstance(rule, dict):
        number = None if top else numbers.get(_text(rule))
        return number if number is not None else {k: _refer(v, numbers) for k, v in rule.items()}
    return [_refer(r, numbers) for r in rule] if isinstance(rule, list) else rule


def _text(rule: Any) -> str:
    return json.dumps(rule, separators=(",", ":"), sort_keys=True)


def written(rules: dict[str, Any]) -> str:
    """The file's text: one top-level entry of each table a line, so that diffs can be read."""
    parts = []
    for key, value in rules.items():
        if isinstance(value, dict):
            lines = [f"{json.dumps(k)}:{_text(v)}" for k, v in value.items()]
            parts.append(f"{json.dumps(key)}:{{\n" + ",\n".join(lines) + "\n}")
        elif isinstance(value, list):
            parts.append(f"{json.dumps(key)}:[\n" + ",\n".join(map(_text, value)) + "\n]")
        else:
            parts.append(f"{json.dumps(key)}:{json.dumps(value)}")
    return "{" + ",\n".join(parts) + "}\n"


def installed_package() -> Package:
    """The stripe package of this environment, found but not imported."""
    spec = importlib.util.find_spec("stripe")
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit("the stripe package is not installed")
    return Package(Path(spec.submodule_search_locations[0]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("spec", type=Path, help="Stripe's OpenAPI file (spec3.json or a slice)")
    parser.add_argument("out", type=Path, nargs="?", default=DEFAULT_OUT)
    arguments = parser.parse_args()
    document = Document(json.loads(arguments.spec.read_text(encoding="utf-8")))
    text = written(make_rules(document, installed_package()))
    arguments.out.write_text(text, encoding="utf-8")
    print(f"{arguments.out.name}: {len(text)} bytes")


if __name__ == "__main__":
    main()
