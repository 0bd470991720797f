"""Failures a caller cannot plan for; planned outcomes are return values.

PortalError
  NotFound      no such thing in this scope and account
  Forbidden     the actor lacks a permission
  SupportViewOn the person is only looked at: nothing may be written
  Conflict      the record moved on since it was read
  PaymentsUnavailable  the processor would not take our request
  Damaged       what was stored is not what is there
"""

from __future__ import annotations


class PortalError(Exception):
    """Root of every error the portal raises on purpose."""


class NotFound(PortalError):
    """Nothing by that name in this scope; another scope's row counts as nothing."""


class Forbidden(PortalError):
    """The actor may not do this."""


class SupportViewOn(PortalError):
    """Staff look through somebody's eyes: nothing may be written, and some pages stay closed."""


class Conflict(PortalError):
    """The record changed between reading and writing."""


class PaymentsUnavailable(PortalError):
    """The processor refused our request, or could not be asked; the request took nothing.

    Never the customer's doing, so never shown as a decline. An earlier request with the same
    key may have taken money all the same: after an Unknown, this error answers nothing.
    """


class Damaged(PortalError):
    """What is there is no longer what was stored; it is shown to nobody."""
