"""Changes that would break what customers hold, each with what to do instead."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from portal.domain.catalog import AddOn, Feature, Plan, Price, Status
from portal.services.catalog.changes import Change, Owner
from portal.services.catalog.holders import Sold


@dataclass(frozen=True, slots=True)
class Refusal:
    """subject: the plan, add-on or feature at whose line the file asks for it."""

    subject: str
    message: str


def find_refusals(changes: Iterable[Change], sold: Sold) -> tuple[Refusal, ...]:
    """Why these changes may not be applied; empty when they may."""
    changes = tuple(changes)
    return (*_of_rows(changes, sold), *_moved_prices(changes, sold))


def _of_rows(changes: Iterable[Change], sold: Sold) -> Iterator[Refusal]:
    for change in changes:
        match change.before, change.after:
            case Feature() as before, after if before.lookup_key in sold.features:
                message = _feature(before, after)
            case (Plan() | AddOn() as before, None) if sold.has(before):
                message = "was sold, so it cannot be removed: set status: archived instead"
            case (Plan() | AddOn() as before, Plan() | AddOn() as after) if sold.has(before):
                message = _entity(before, after)
            case _:
                message = ""
        if message:
            yield Refusal(change.subject, f"{change.subject} {message}")


def _feature(before: Feature, after: object) -> str:
    if not isinstance(after, Feature):
        return "is in use, so it cannot be removed"
    if (before.type, before.use) != (after.type, after.use):
        return "is in use, so its type and use stay: add another feature instead"
    return ""


def _entity(before: Plan | AddOn, after: Plan | AddOn) -> str:
    if after.status is Status.DRAFT and before.status is not Status.DRAFT:
        return "was sold, so it cannot be a draft again: set status: archived instead"
    if isinstance(before, AddOn) and isinstance(after, AddOn) and before.type is not after.type:
        return f"was sold as {before.type}, so its type stays: add another add-on instead"
    return ""


def _moved_prices(changes: Iterable[Change], sold: Sold) -> Iterator[Refusal]:
    """A sold price's lookup_key stays with its plan or add-on: buyers know it by that name."""
    started: dict[str, Owner] = {}
    ended: dict[str, Owner] = {}
    for change in changes:
        match change.before, change.after, change.owner:
            case None, Price(lookup_key=key), Owner() as owner:
                started[key] = owner
            case Price(lookup_key=key, id=id), None, Owner() as owner if id in sold.prices:
                ended[key] = owner
    for key in started.keys() & ended.keys():
        message = f"price {key} was sold on {ended[key]}: give the price of {started[key]} another"
        yield Refusal(f"price {key}", f"{message} lookup_key")
