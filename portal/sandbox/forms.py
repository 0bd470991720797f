"""Stripe's bracketed form encoding, read into nested dicts of strings."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl

_KEY = re.compile(r"^([^\[\]]+)((?:\[[^\[\]]*\])*)$")


def parse_form(text: str) -> dict[str, Any]:
    """`a[b][0]=1&c[]=x` -> `{"a": {"b": {"0": "1"}}, "c": {"0": "x"}}`."""
    root: dict[str, Any] = {}
    for key, value in parse_qsl(text, keep_blank_values=True):
        match = _KEY.match(key)
        steps = [match[1], *re.findall(r"\[([^\[\]]*)\]", match[2])] if match else [key]
        node = root
        for step in steps[:-1]:
            inner = node.get(step or str(len(node)))
            if not isinstance(inner, dict):
                inner = node[step or str(len(node))] = {}
            node = inner
        node[steps[-1] or str(len(node))] = value
    return root


def as_list(value: Any) -> list[Any] | None:
    """The members of a list parameter in order, or None if it is not one."""
    if isinstance(value, dict) and value and all(k.isdigit() for k in value):
        return [value[k] for k in sorted(value, key=int)]
    return None


def bracketed(path: list[str]) -> str:
    """`["a", "b", "0"]` -> `a[b][0]`, as Stripe names parameters in its errors."""
    return path[0] + "".join(f"[{step}]" for step in path[1:]) if path else ""
