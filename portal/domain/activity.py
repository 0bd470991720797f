"""What members and staff may look for among events: kinds, and what is the tenant's own."""

from __future__ import annotations

from enum import StrEnum

from portal.domain.events import EventName


class Kind(StrEnum):
    MONEY = "money"
    ADD_ONS = "add_ons"
    PLAN = "plan"
    CARDS = "cards"
    MEMBERS = "members"
    SIGN_IN = "sign_in"
    USE = "use"
    MAIL = "mail"
    SUPPORT = "support"
    API = "api"


_KINDS: dict[str, Kind | None] = {
    "purchase": Kind.MONEY,
    "payment": Kind.MONEY,
    "refund": Kind.MONEY,
    "invoice": Kind.MONEY,
    "credit_note": Kind.MONEY,
    "instance": Kind.ADD_ONS,
    "quantity": Kind.ADD_ONS,
    "proposal": Kind.ADD_ONS,
    "contract": Kind.ADD_ONS,
    "subscription": Kind.PLAN,
    "plan": Kind.PLAN,
    "plan_change": Kind.PLAN,
    "price_change": Kind.PLAN,
    "declaration": Kind.PLAN,
    "card": Kind.CARDS,
    "card_entry": Kind.CARDS,
    "customer": Kind.CARDS,
    "member": Kind.MEMBERS,
    "invitation": Kind.MEMBERS,
    "session": Kind.SIGN_IN,
    "link": Kind.SIGN_IN,
    "password": Kind.SIGN_IN,
    "second_factor": Kind.SIGN_IN,
    "recovery_codes": Kind.SIGN_IN,
    "recovery_code": Kind.SIGN_IN,
    "proof": Kind.SIGN_IN,
    "identity": Kind.SIGN_IN,
    "quota": Kind.USE,
    "ceiling": Kind.USE,
    "recharge": Kind.USE,
    "mails": Kind.MAIL,
    "mail": Kind.MAIL,
    "support": Kind.SUPPORT,
    "account": Kind.API,
    "clock": Kind.API,
    "catalog": None,
    "key": None,
    "webhook": None,
    "staff": None,
}


def kind_of(event: EventName) -> Kind | None:
    """None for what is the tenant's own, and on no member's page."""
    return _KINDS[event.partition(":")[0]]


def shown(kind: Kind | None = None) -> frozenset[EventName]:
    """The events of one kind, or of all that members may see."""
    found = {event: kind_of(event) for event in EventName}
    return frozenset(e for e, each in found.items() if each and kind in (None, each))


def tenants_own() -> frozenset[EventName]:
    """The events that have no kind: only staff read of them."""
    return frozenset(event for event in EventName if kind_of(event) is None)
