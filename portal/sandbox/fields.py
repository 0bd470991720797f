"""Carries plain parameters over into objects: the rules create and update share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portal.sandbox import rules
from portal.sandbox.store import Object


def merge_metadata(current: dict[str, str] | None, given: Any) -> dict[str, str]:
    """Metadata after an update: "" clears all of it, an empty value unsets one name."""
    if given == "":
        return {}
    merged = {**(current or {}), **given}
    return {name: value for name, value in merged.items() if value != ""}


def copy_fields(thing: Object, params: dict[str, Any], names: Iterable[str]) -> None:
    """Set the named fields that were sent; an empty string unsets."""
    for name in names:
        if name == "metadata" and name in params:
            thing[name] = merge_metadata(thing.get(name), params[name])
        elif name in params:
            thing[name] = None if params[name] == "" else params[name]


def address(given: Any) -> Object | None:
    """An address with all its keys, or None when it is unset."""
    if not given:
        return None
    return {k: v or None for k, v in rules.blank("customer.address", **given).items()}


def contact(given: dict[str, Any]) -> Object:
    """The fields of billing details, with all their keys."""
    details = rules.blank("payment_method.billing_details", **given)
    filled = address(given.get("address")) or rules.blank("customer.address")
    return {**{k: v or None for k, v in details.items()}, "address": filled}
