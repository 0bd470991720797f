"""What members are told by mail of corrections: credit notes, and add-ons that the staff ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from portal.domain.credit_notes import Cause
from portal.domain.money import Money


@dataclass(frozen=True, slots=True)
class Noted:
    """The credit note that a notice speaks of; its PDF goes along."""

    id: int
    number: int


@dataclass(frozen=True, slots=True)
class Credited:
    """A credit note, and where it went. names: of what is given back.

    off_invoice: what need not be paid any more. card_last4: of the card that to_card goes to.
    """

    kind: ClassVar[str] = "credited"
    note: Noted
    invoice_number: int
    names: tuple[str, ...]
    cause: Cause
    reason: str
    amount: Money
    off_invoice: Money
    to_card: Money
    to_balance: Money
    card_brand: str
    card_last4: str

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.note.id}"


@dataclass(frozen=True, slots=True)
class AddOnEnded:
    """An add-on that the staff took away at once. credited: what that gives back, tax included."""

    kind: ClassVar[str] = "add_on_ended"
    instance_id: int
    name: str
    quantity: int
    ended_at: datetime
    reason: str
    credited: Money

    @property
    def key(self) -> str:
        return f"{self.kind}:{self.instance_id}"
