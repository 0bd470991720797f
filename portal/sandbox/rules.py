"""Validates and converts request parameters by Stripe's own rules; knows shapes of its objects.

A rule is "str" | "int" | "num" | "bool" | "map" | "any", a number (index into the shared rules),
or one of {"s": longest} string, {"e": values} enum, {"l": rule} list, {"u": rules} choice,
{"x": rule} that an empty string clears, {"o": {name: rule}, "r": required, "old": dropped names}.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from portal.sandbox.errors import ApiError, missing_parameter
from portal.sandbox.forms import as_list, bracketed

Rule = Any
_RULES = json.loads(Path(__file__).with_name("rules.json").read_text(encoding="utf-8"))
API_VERSION: str = _RULES["api_version"]
MAX_METADATA_KEYS, MAX_METADATA_NAME, MAX_METADATA_VALUE = 50, 40, 500
MAX_STRING = 5000  # where the rules name no length


def known_operation(operation: str) -> bool:
    return operation in _RULES["operations"]


def validate(
    operation: str, given: dict[str, Any], pinned: bool, rule: Rule = None
) -> dict[str, Any]:
    """Typed parameters of an operation such as `POST /v1/customers`; `rule` if it has its own.

    `pinned` says that the request named an API version; without it parameters that later versions
    dropped are accepted (and ignored), as an account's older default version would.
    Raises ApiError 400 for anything Stripe refuses by shape alone.
    """
    known = _RULES["operations"][operation] if rule is None else rule
    checked = _object(_rule(known), given, [], pinned)
    return dict(checked)


@cache
def template(shape: str) -> tuple[str, ...]:
    """Keys that Stripe sends as null when they are unset."""
    return tuple(_RULES["templates"][shape])


def blank(shape: str, **values: Any) -> dict[str, Any]:
    """A new object of this shape: every nullable key present, then `values`."""
    return {**dict.fromkeys(template(shape)), **values}


def expandable(kind: str) -> dict[str, str | None]:
    """Dotted path of each expandable field of an object -> kind of object it leads to."""
    return dict(_RULES["expandable"].get(kind, {}))


def _rule(rule: Rule) -> Rule:
    return _RULES["shared"][rule] if isinstance(rule, int) else rule


def _value(rule: Rule, given: Any, path: list[str], pinned: bool) -> Any:
    rule = _rule(rule)
    if isinstance(rule, str):
        return _SCALARS[rule](given, path)
    if "x" in rule:
        return "" if given == "" else _value(rule["x"], given, path, pinned)
    if "o" in rule:
        return _object(rule, given, path, pinned)
    if "l" in rule:
        return _list(rule["l"], given, path, pinned)
    if "u" in rule:
        return _choice(rule["u"], given, path, pinned)
    if "e" in rule:
        return _enum(rule["e"], given, path)
    return _text(given, path, rule["s"])


def _object(rule: Rule, given: Any, path: list[str], pinned: bool) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise ApiError("Invalid object", param=bracketed(path))
    unknown = [n for n in given if n not in rule["o"]]
    dropped = [n for n in unknown if n in rule.get("old", ())]
    if dropped and pinned:
        raise _no_longer(bracketed([*path, dropped[0]]))
    unknown = [bracketed([*path, n]) for n in unknown if n not in dropped]
    if unknown:
        word = "parameters" if len(unknown) > 1 else "parameter"
        raise ApiError(
            f"Received unknown {word}: {', '.join(unknown)}",
            code="parameter_unknown",
            param=unknown[0],
        )
    for name in rule.get("r", ()):
        if name not in given:
            raise missing_parameter(bracketed([*path, name]))
    return {
        n: _value(rule["o"][n], v, [*path, n], pinned) for n, v in given.items() if n in rule["o"]
    }


def _no_longer(param: str) -> ApiError:
    code = "parameter_unknown"
    message = f"Received unknown parameter: {param}"
    if param == "payment_method_types":
        code = "payment_method_types_no_longer_supported"
        message = (
            "`payment_method_types` is no longer supported in this API version. Use "
            "`allowed_payment_method_types` or `automatic_payment_methods` instead."
        )
    return ApiError(message, code=code, param=param)


def _list(rule: Rule, given: Any, path: list[str], pinned: bool) -> list[Any]:
    if given == "":
        return []
    members = as_list(given)
    if members is None:
        raise ApiError("Invalid array", param=bracketed(path))
    return [_value(rule, m, [*path, str(i)], pinned) for i, m in enumerate(members)]


def _choice(rules: list[Rule], given: Any, path: list[str], pinned: bool) -> Any:
    """The first alternative that fits; the complaint of the one whose kind fits, if none does."""
    failures = []
    nested = isinstance(given, dict)
    for rule in sorted(rules, key=lambda r: _takes_nested(r) != nested):
        try:
            return _value(rule, given, path, pinned)
        except ApiError as error:
            failures.append(error)
    raise failures[0]


def _takes_nested(rule: Rule) -> bool:
    rule = _rule(rule)
    return rule == "map" or (isinstance(rule, dict) and bool(set(rule) & {"o", "l"}))


def _enum(values: list[str], given: Any, path: list[str]) -> Any:
    if given not in values:
        listed = " or ".join(values)
        if len(values) > 2:
            listed = f"{', '.join(values[:-1])}, or {values[-1]}"
        name = bracketed(path)
        raise ApiError(f"Invalid {name}: must be one of {listed}", param=name)
    return given


def _text(given: Any, path: list[str], longest: int = MAX_STRING) -> str:
    name = bracketed(path)
    if not isinstance(given, str):
        raise ApiError(f"Invalid string: {given}", param=name)
    if given == "":
        raise ApiError(
            f"You passed an empty string for '{name}'. We assume empty values are an attempt to "
            f"unset a parameter; however '{name}' cannot be unset. You should remove '{name}' from "
            "your request or supply a non-empty value.",
            code="parameter_invalid_empty",
            param=name,
        )
    if len(given) > longest:
        raise ApiError(
            f"Invalid string: {given[:5]}...{given[-5:]}; must be at most {longest} characters",
            param=name,
        )
    return given


def _integer(given: Any, path: list[str]) -> int:
    if not isinstance(given, str) or not re.fullmatch(r"-?\d{1,18}", given):
        raise ApiError(
            f"Invalid integer: {given}", code="parameter_invalid_integer", param=bracketed(path)
        )
    return int(given)


def _number(given: Any, path: list[str]) -> str:
    if not isinstance(given, str) or not re.fullmatch(r"-?\d+(\.\d+)?", given):
        raise ApiError(f"Invalid decimal: {given}", param=bracketed(path))
    return given


def _boolean(given: Any, path: list[str]) -> bool:
    if given not in ("true", "false"):
        raise ApiError(f"Invalid boolean: {given}", param=bracketed(path))
    return bool(given == "true")


def _map(given: Any, path: list[str]) -> dict[str, str]:
    """Metadata: names and short strings; an empty string unsets one name."""
    name = bracketed(path)
    if not isinstance(given, dict):
        raise ApiError("Invalid object", param=name)
    for key, value in given.items():
        if len(key) > MAX_METADATA_NAME:
            raise ApiError(
                f"Metadata keys must be at most {MAX_METADATA_NAME} characters long.", param=name
            )
        if not isinstance(value, str):
            raise ApiError(f"Invalid string: {value}", param=f"{name}[{key}]")
        if len(value) > MAX_METADATA_VALUE:
            raise ApiError(
                f"Metadata values can have up to {MAX_METADATA_VALUE} characters, but you passed "
                f"in a value that is {len(value)} characters.",
                param=f"{name}[{key}]",
            )
    if len(given) > MAX_METADATA_KEYS:
        raise ApiError(f"You can have up to {MAX_METADATA_KEYS} metadata keys.", param=name)
    return dict(given)


def _anything(given: Any, path: list[str]) -> Any:
    return given


_SCALARS: dict[str, Callable[[Any, list[str]], Any]] = {
    "str": _text,
    "int": _integer,
    "num": _number,
    "bool": _boolean,
    "map": _map,
    "any": _anything,
}
