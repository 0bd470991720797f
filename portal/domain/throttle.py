"""How often something guarded may be tried: counts, the pauses they lead to, and forgiveness."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

HOUR, NONE = timedelta(hours=1), timedelta(0)


@dataclass(frozen=True, slots=True)
class Rule:
    """free: tries up to the first pause, which each further one doubles, to `longest`.

    quiet: how long it takes until one try is forgiven. shared: what is counted is not one person's
    own, so that a right answer of one wipes nothing of the others'.
    """

    name: str
    free: int
    first: timedelta
    longest: timedelta
    quiet: timedelta
    shared: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """Tries that are not forgiven yet. since_at: from when on time forgives them, one by one."""

    tries: int
    since_at: datetime
    paused_until: datetime


QUARTER = timedelta(minutes=15)
_GUESSES = (timedelta(seconds=30), QUARTER)

PAIR = Rule("pair", 5, *_GUESSES, QUARTER)
"""One e-mail address, tried from one network."""
ADDRESS = Rule("address", 30, *_GUESSES, timedelta(minutes=1), shared=True)
"""Any e-mail address, tried from one network: an office shares one, and somebody always errs."""
EMAIL = Rule("email", 100, *_GUESSES, QUARTER, shared=True)
"""One e-mail address, tried from anywhere: many networks that act as one."""
DEVICE = Rule("device", 10, *_GUESSES, QUARTER)
"""A browser that the person has signed in with: strangers do not pause it."""
CODE = Rule("code", 5, *_GUESSES, QUARTER)
PROOF = Rule("proof", 5, *_GUESSES, QUARTER)
"""A password that is asked for again within a session."""
RESET = Rule("reset", 3, QUARTER, HOUR, 4 * HOUR, shared=True)
RESET_ADDRESS = Rule("reset_address", 20, QUARTER, HOUR, HOUR, shared=True)
TRIP = Rule("trip", 120, *_GUESSES, timedelta(seconds=10), shared=True)
"""Trips to an identity provider, from one network: each costs a row and two requests."""
INVITED = Rule("invited", 3, QUARTER, HOUR, 4 * HOUR, shared=True)
"""Invitations of one account to one e-mail address."""
INVITING = Rule("inviting", 30, QUARTER, HOUR, HOUR, shared=True)
"""Invitations of one account to whatever address."""
PREVIEW = Rule("preview", 120, timedelta(seconds=10), timedelta(minutes=1), timedelta(seconds=1))
"""Prices that one person has worked out: two minutes of a new one each second."""
PURCHASE = Rule("purchase", 60, timedelta(seconds=30), QUARTER, timedelta(seconds=10))
"""What one person pays, or tries to: whoever tries cards has more than honest people do."""
EXPORT = Rule("export", 60, timedelta(seconds=30), QUARTER, timedelta(seconds=5))
"""Files that one person takes away."""
DECLARED = Rule("declared", 5, QUARTER, HOUR, HOUR, shared=True)
"""Cancellations declared with one e-mail address, which gets a mail for each."""
DECLARED_ADDRESS = Rule("declared_address", 20, QUARTER, HOUR, HOUR, shared=True)
"""The same from one network."""
FORGED = Rule("forged", 60, timedelta(seconds=30), QUARTER, timedelta(seconds=10), shared=True)
"""Deliveries with a wrong signature from one network; right ones are not counted."""


def wait(count: Count | None, at: datetime) -> timedelta:
    """How long the next try has to wait; zero when it need not."""
    return max(count.paused_until - at, NONE) if count else NONE


def counted(rule: Rule, count: Count | None, at: datetime) -> Count:
    """The count with one more try."""
    left = _forgiven(rule, count, at) if count else None
    tries, since_at = (left.tries + 1, left.since_at) if left else (1, at)
    return Count(tries, since_at, at + _pause(rule, tries))


def forgotten_at(rule: Rule, count: Count) -> datetime:
    """When nothing is left of a count."""
    return max(count.since_at + count.tries * rule.quiet, count.paused_until)


def network_of(address: str) -> str:
    """What one household or office has: an IPv4 address, or the first 64 bits of an IPv6 one."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, 64), strict=False))


def _forgiven(rule: Rule, count: Count, at: datetime) -> Count | None:
    """What time has left of a count; None for nothing."""
    spans = max(at - count.since_at, NONE) // rule.quiet
    if spans >= count.tries:
        return None
    since_at = count.since_at + spans * rule.quiet
    return Count(count.tries - spans, since_at, count.paused_until)


def _pause(rule: Rule, tries: int) -> timedelta:
    if tries < rule.free:
        return NONE
    doublings = min(tries - rule.free, 30)  # the longest pause is reached long before
    return min(rule.first * (1 << doublings), rule.longest)
