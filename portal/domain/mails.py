"""A mail on its way out: what it says, to whom, and what sending it can come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from portal.domain.notices import Notice
from portal.domain.periods import WallNow

PAUSES = (timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1), timedelta(hours=4))
"""How long after each try the next is due; the first also outlasts a try that is under way."""

_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
ADDRESS = rf"^{_LOCAL}(\.{_LOCAL})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*$"
"""What mail can be written to: letters of other scripts need servers that few have."""

MOST_TRIES = len(PAUSES) + 1
MOST_UNANSWERED = 2
"""A mail whose sending got no answer may have arrived: it is sent once more, no oftener."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A mail's reader: a member's language, their account's zone and name; staff have none."""

    locale: str
    zone: str = "UTC"
    account: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """Twice the same words, as plain text and as HTML."""

    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A PDF."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mail:
    """key: the same for every try, so that a mail program can tell a second copy."""

    key: str
    recipient: str
    letter: Letter
    at: WallNow
    attachments: tuple[Attachment, ...] = ()


class NotSent(Exception):
    """It certainly has not left; the text says why, without secrets."""


class Unanswered(Exception):
    """The server went silent once it had the mail, which may have been delivered."""


class Writer(Protocol):
    """Puts a notice into a member's words."""

    def write(self, notice: Notice, reader: Reader) -> Letter: ...


class Postman(Protocol):
    def send(self, mail: Mail) -> None:
        """Hand one mail over. Raises NotSent or Unanswered."""


class Queue(Protocol):
    def enqueue(self, connection: object, task: str, environment_id: int) -> None:
        """Add a job within the open transaction of `connection`, the driver's own."""
