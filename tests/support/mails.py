"""Who writes, prints and carries mail in tests of what happens to it."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from portal.domain.mails import Letter, Mail, Reader
from portal.domain.notices import Notice
from portal.models.mails import MailRow
from portal.services.documents import Issued
from portal.services.mailing import Sent, send_due
from tests.support.world import World


class PlainWriter:
    """Keeps what it was asked to write; `mute` makes it fail for one kind."""

    def __init__(self) -> None:
        self.mute = ""
        self.written: list[tuple[Notice, Reader]] = []

    def write(self, notice: Notice, reader: Reader) -> Letter:
        if notice.kind == self.mute:
            raise KeyError("a word is missing")
        self.written.append((notice, reader))
        return Letter(notice.kind, f"Text of {notice.kind}.", f"<p>{notice.kind}</p>")


@dataclass
class PlainPrinter:
    broken: bool = False

    def printed(self, paper: Issued) -> bytes:
        if self.broken:
            raise OSError("no fonts")
        return f"%PDF {type(paper).__name__} {paper.number}".encode()


@dataclass
class Bag:
    """A postman who keeps what he carries. troubles: raised one after the other, None: none."""

    mails: list[Mail] = field(default_factory=list)
    troubles: list[BaseException | None] = field(default_factory=list)

    def send(self, mail: Mail) -> None:
        trouble = self.troubles.pop(0) if self.troubles else None
        if trouble is not None:
            raise trouble
        self.mails.append(mail)


@dataclass
class Office:
    """One world's mail."""

    world: World
    bag: Bag = field(default_factory=Bag)
    writer: PlainWriter = field(default_factory=PlainWriter)
    printer: PlainPrinter = field(default_factory=PlainPrinter)

    def send(self) -> Sent:
        with self.world.session() as session:
            return send_due(
                session, self.world.scope, writer=self.writer, printer=self.printer,
                postman=self.bag, wall=self.world.wall,
            )  # fmt: skip

    def empty(self) -> None:
        """Send what is there and forget it."""
        self.send()
        self.bag.mails.clear()
        self.writer.written.clear()

    def rows(self) -> list[MailRow]:
        with self.world.session() as session:
            return list(session.scalars(select(MailRow).order_by(MailRow.id)))
