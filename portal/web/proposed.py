"""What support offers a customer, with what it would cost now."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

from portal.domain.money import Money
from portal.queries.accounts import AccountState
from portal.queries.addons import card_for_host
from portal.queries.proposals import Proposal, open_proposals
from portal.services.purchases import offer
from portal.web.requests import database, scope, wall

_SAID_ON = ("addons.grid", "active.index", "usage.index")


@dataclass(frozen=True, slots=True)
class Offered:
    """due: None while the account cannot buy it."""

    proposal: Proposal
    due: Money | None


def offered(state: AccountState | None) -> tuple[Offered, ...]:
    """What the page says of those that can be answered, newest first."""
    if state is None or request.endpoint not in _SAID_ON:
        return ()
    found = open_proposals(database(), scope(), state, wall())
    return tuple(Offered(each, due_now(state, each)) for each in found)


def due_now(state: AccountState, each: Proposal) -> Money | None:
    card = card_for_host(state, each.add_on.lookup_key)
    if card is None or card.refusal is not None:
        return None
    if card.most is not None and each.quantity > card.most:
        return None
    return offer(state, each.request).due
