"""What the law asks to be said where money is agreed, by who agrees and where they live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from portal.domain.money import Money
from portal.domain.periods import Interval


class CustomerType(StrEnum):
    BUSINESS = "business"
    CONSUMER = "consumer"


class LegalProfile(StrEnum):
    """Whose law a page speaks to. STANDARD: between businesses."""

    STANDARD = "standard"
    CONSUMER_US = "consumer_us"
    CONSUMER_UK = "consumer_uk"
    CONSUMER_EU = "consumer_eu"
    CONSUMER_DE = "consumer_de"


class Wording(StrEnum):
    """How a button says that it costs money. GERMAN: in German, whatever the page's language."""

    PLAIN = "plain"
    PAY = "pay"
    OBLIGATION = "obligation"
    GERMAN = "german"


class Statement(StrEnum):
    """What is said above the button."""

    TOTAL = "total"
    RENEWAL = "renewal"
    STOPPING = "stopping"
    WITHDRAWAL = "withdrawal"


class Box(StrEnum):
    """What a box asks for that has to be ticked. START: to begin before the time to withdraw is
    over. RENEWAL: to be charged again until it is stopped."""

    START = "start"
    RENEWAL = "renewal"


@dataclass(frozen=True, slots=True)
class Terms:
    """What one profile shows. text_version: of its words; a change of them is another one.

    withdrawal_days: from the contract on; 0 without such a right. tells_before_long_terms: a
    mail before a term of a year or more renews; tells_yearly: one a year of what renews sooner.
    """

    text_version: str
    wording: Wording
    statements: tuple[Statement, ...] = ()
    box: Box | None = None
    withdrawal_days: int = 0
    tells_before_long_terms: bool = False
    tells_yearly: bool = False


_ALL = (Statement.TOTAL, Statement.RENEWAL, Statement.STOPPING, Statement.WITHDRAWAL)
TERMS: dict[LegalProfile, Terms] = {
    LegalProfile.STANDARD: Terms("standard-2026-11", Wording.PLAIN),
    LegalProfile.CONSUMER_US: Terms(
        "us-2026-11", Wording.PAY, _ALL[:3], Box.RENEWAL, 0,
        tells_before_long_terms=True, tells_yearly=True,
    ),
    LegalProfile.CONSUMER_UK: Terms(
        "uk-2026-12", Wording.OBLIGATION, _ALL, Box.START, 14, tells_before_long_terms=True
    ),
    LegalProfile.CONSUMER_EU: Terms("eu-2026-12", Wording.OBLIGATION, _ALL, Box.START, 14),
    LegalProfile.CONSUMER_DE: Terms("de-2026-12", Wording.GERMAN, _ALL, Box.START, 14),
}  # fmt: skip
"""Source: ADR 0029, docs/legal-profiles.md."""

_OWN = {
    "US": LegalProfile.CONSUMER_US,
    "GB": LegalProfile.CONSUMER_UK,
    "DE": LegalProfile.CONSUMER_DE,
}


def profile_of(country: str, customer_type: CustomerType) -> LegalProfile:
    """country: two letters, or none. A consumer of elsewhere is shown what the EU asks for."""
    if customer_type is CustomerType.BUSINESS:
        return LegalProfile.STANDARD
    return _OWN.get(country, LegalProfile.CONSUMER_EU)


@dataclass(frozen=True, slots=True)
class Duty:
    """What pressing a button obliges to; all amounts with tax.

    carried: on the next invoice. later: of each later period, first at later_at; interval: how
    often, None where it does not come again. starts_at: when what is bought begins; None where
    nothing begins with it, as with an invoice that is open.
    """

    now: Money
    carried: Money
    later: Money | None = None
    later_at: datetime | None = None
    interval: Interval | None = None
    starts_at: datetime | None = None

    @property
    def costs(self) -> bool:
        return bool(self.now or self.carried or self.later)


def statements_for(terms: Terms, duty: Duty) -> tuple[Statement, ...]:
    """Those that are about this duty."""
    fits = {
        Statement.TOTAL: duty.costs,
        Statement.RENEWAL: bool(duty.later) and duty.interval is not None,
        Statement.STOPPING: bool(duty.later) and duty.interval is not None,
        Statement.WITHDRAWAL: duty.starts_at is not None,
    }
    return tuple(each for each in terms.statements if fits[each])


def box_for(terms: Terms, duty: Duty, at: datetime) -> Box | None:
    """The box that has to be ticked for this duty at `at`; None where none has."""
    match terms.box:
        case Box.START:
            ends = at + timedelta(days=terms.withdrawal_days)
            return Box.START if duty.starts_at is not None and duty.starts_at < ends else None
        case Box.RENEWAL:
            return Box.RENEWAL if duty.later and duty.interval is not None else None
        case None:
            return None


@dataclass(frozen=True, slots=True)
class Words:
    """What was shown and agreed to, word for word. locale: of the page; button_locale: of the
    label. request: what stands beside the box that was ticked; empty without one."""

    profile: LegalProfile
    text_version: str
    locale: str
    button: str
    button_locale: str
    statements: tuple[str, ...]
    request: str = ""
