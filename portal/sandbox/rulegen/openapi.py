"""Reads Stripe's OpenAPI document: parameter shapes, null keys and expandable fields."""

from __future__ import annotations

import re
from typing import Any

Node = dict[str, Any]


class Document:
    """One parsed OpenAPI file."""

    def __init__(self, parsed: Node) -> None:
        self.version: str = parsed["info"]["version"]
        self._paths: Node = parsed["paths"]
        self._schemas: Node = parsed["components"]["schemas"]

    def resolve(self, node: Node) -> Node:
        """Follow references and the single-choice wrappers Stripe puts around nullable ones."""
        while True:
            if "$ref" in node:
                node = self._schemas[node["$ref"].rsplit("/", 1)[1]]
            elif "anyOf" in node and len(node["anyOf"]) == 1:
                node = node["anyOf"][0]
            else:
                return node

    def parameters(self, operation: str) -> Node:
        """One operation's parameters as an object schema."""
        method, path = operation.split(" ")
        found = self._operation(method.lower(), path)
        if method == "POST":
            content = found.get("requestBody", {}).get("content", {})
            return dict(content.get("application/x-www-form-urlencoded", {}).get("schema", {}))
        query = [p for p in found.get("parameters", []) if p["in"] == "query"]
        return {
            "type": "object",
            "properties": {p["name"]: p["schema"] for p in query},
            "required": [p["name"] for p in query if p.get("required")],
        }

    def _operation(self, method: str, path: str) -> Node:
        wanted = re.sub(r"{\w+}", "{}", path)
        for template, item in self._paths.items():
            if re.sub(r"{\w+}", "{}", template) == wanted and method in item:
                return dict(item[method])
        raise KeyError(f"{method} {path} is not in the document")

    def properties(self, name: str, path: list[str]) -> dict[str, Node]:
        """Properties of an object's schema, or of the one nested at `path` in it."""
        node = self._schemas[name]
        for step in path:
            node = self.resolve(node["properties"][step])
            choices = [self.resolve(choice) for choice in node.get("anyOf", [])]
            node = next((c for c in choices if "properties" in c), node)
        return dict(node.get("properties", {}))

    def expandable(self, name: str) -> dict[str, str | None]:
        """Dotted path of every expandable field -> object it leads to (None: not described)."""
        found: dict[str, str | None] = {}
        self._expandable(self._schemas[name], "", found, 0)
        return dict(sorted(found.items()))

    def _expandable(
        self, node: Node, prefix: str, found: dict[str, str | None], depth: int
    ) -> None:
        for key, child in node.get("properties", {}).items():
            if "x-expansionResources" in child:
                targets = child["x-expansionResources"]["oneOf"]
                found[prefix + key] = self._object_name(targets[0])
                continue
            inner = self.resolve(child)
            if self._object_name(child) is None and depth < 3:
                self._expandable(inner, f"{prefix}{key}.", found, depth + 1)

    def _object_name(self, node: Node) -> str | None:
        """The API object a schema describes, if it is one."""
        resolved = self.resolve(node)
        kind = resolved.get("properties", {}).get("object", {}).get("enum", [None])[0]
        return str(kind) if kind and kind != "list" else None
