"""Cancellations that somebody declares without signing in, and what becomes of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

TEXT_VERSION = "cancel-2026-12"
"""Of the words of the page. Source: § 312k BGB; docs/legal-profiles.md."""
ZONE = "Europe/Berlin"
"""In which its dates and times are told: who declares has no account's zone yet."""
SHOWN_FOR = timedelta(days=1)
"""How long the page that can be kept is there; the mail has the same words for good."""
LONGEST_WORDS, LONGEST_REASON, LONGEST_EMAIL = 255, 1000, 320
LEAST_SAID, LONGEST_SAID = 10, 500
LARGEST_NUMBER = 2**63 - 1
_NUMBER = re.compile(r"(?:(?:invoice|rechnung|number|no|nr)[\s.:]*|#)*(\d{1,19})", re.ASCII)


class CancellationKind(StrEnum):
    """FOR_CAUSE: at once, for a reason that is to be said."""

    ORDINARY = "ordinary"
    FOR_CAUSE = "for_cause"


class Answer(StrEnum):
    """What staff made of it. DONE: by hand, or there was nothing left to do."""

    CARRIED_OUT = "carried_out"
    DONE = "done"
    NOT_OURS = "not_ours"


@dataclass(frozen=True, slots=True)
class Declaration:
    """What was typed, word for word. identification: of the account, by a name or number.

    contract: the name of a plan or an add-on. wanted_on: None for the earliest possible time.
    """

    kind: CancellationKind
    reason: str
    name: str
    identification: str
    contract: str
    wanted_on: date | None
    email: str


@dataclass(frozen=True, slots=True)
class Shown:
    """The words that it was typed under. locale: of the page; button_locale: of the button."""

    text_version: str
    locale: str
    button: str
    button_locale: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A declaration as it was received. id: its number, which the confirmation names."""

    id: int
    said: Declaration
    shown: Shown
    received_at: datetime


def invoice_number(words: str) -> int | None:
    """The number that somebody means who types "Invoice 000012"; None where they type another
    thing."""
    found = _NUMBER.fullmatch(words.strip().lower())
    number = int(found[1]) if found else 0
    return number if 0 < number <= LARGEST_NUMBER else None


def ends_too_early(wanted_on: date | None, ends_at: datetime, zone: str) -> bool:
    """Whether a contract that ends at `ends_at` ends before the day that was asked for."""
    return wanted_on is not None and ends_at.astimezone(ZoneInfo(zone)).date() < wanted_on
