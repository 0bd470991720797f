"""Documents: printed once, kept with their hash, never changed, never another account's."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

import pytest
import structlog
from sqlalchemy import create_engine, text, update
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

from portal.domain.access import Actor, Role
from portal.domain.errors import Damaged, NotFound
from portal.domain.lines import LineKind
from portal.domain.taxes import Tax
from portal.models.accounts import PersonRow
from portal.models.invoices import InvoiceDocumentRow, InvoiceRow
from portal.queries.documents import Document, IssuedInvoice
from portal.services.documents import document_of, print_missing
from tests.support.database import Database
from tests.support.world import World


@dataclass
class Press:
    """Prints the number, and counts. barrier: where two printers wait for each other.

    torn: number of the one that it cannot print.
    """

    barrier: threading.Barrier | None = None
    torn: str = ""
    printed_of: list[IssuedInvoice] = field(default_factory=list)

    def printed(self, invoice: IssuedInvoice) -> bytes:
        self.printed_of.append(invoice)
        if invoice.number == self.torn:
            raise RuntimeError("the paper is torn")
        if self.barrier:
            self.barrier.wait(timeout=20)
        return f"invoice {invoice.number}, copy {len(self.printed_of)}".encode()


@pytest.fixture
def press() -> Press:
    return Press()


def ask(world: World, actor: Actor, number: int, press: Press) -> Document:
    with world.session() as session:
        return document_of(actor, number, session=session, printer=press, wall=world.wall)


def print_all(world: World, press: Press, most: int = 50) -> int:
    with world.session() as session:
        return print_missing(session, world.scope, printer=press, wall=world.wall, most=most)


def test_one_that_cannot_be_printed_does_not_hold_up_the_others(world, press):
    actor = world.account()
    for _ in range(3):
        world.buy(actor, "messages_10k")
    press.torn = "000002"
    with structlog.testing.capture_logs() as said:
        assert print_all(world, press) == 2
    assert [s["event"] for s in said if s["log_level"] == "error"] == ["document_stays_missing"]
    press.torn = ""
    assert print_all(world, press) == 1


def test_a_document_is_made_at_the_first_ask_and_kept(world, press):
    actor = world.account()
    world.buy(actor, "salesforce")
    assert world.rows(InvoiceDocumentRow) == 0
    first = ask(world, actor, 1, press)
    world.pass_time(days=40)
    assert ask(world, actor, 1, press) == first
    assert first.content == b"invoice 000001, copy 1"
    assert first.sha256 == hashlib.sha256(first.content).hexdigest()
    assert len(press.printed_of) == 1
    with world.session() as session:
        row = session.query(InvoiceDocumentRow).one()
    assert row.made_at == datetime(2026, 4, 11, tzinfo=UTC)


def test_a_document_says_what_was_issued_whatever_became_of_the_account(world, press):
    actor = world.account(zone="Asia/Tokyo", tax=Tax(Decimal(20), False, "VAT"))
    world.buy(actor, "salesforce")
    ask(world, actor, 1, press)
    invoice = press.printed_of[0]
    assert (invoice.number, invoice.status, invoice.zone) == ("000001", "paid", "Asia/Tokyo")
    assert (invoice.account_name, invoice.locale) == ("Account1", "en")
    assert invoice.issued_at == world.now
    assert [line.kind for line in invoice.lines] == [LineKind.CHARGE, LineKind.TAX]
    assert invoice.lines[0].period is not None
    assert invoice.lines[0].period.start == world.now
    assert invoice.total == invoice.charged == invoice.lines[0].amount + invoice.tax
    assert invoice.tax == invoice.lines[1].amount
    assert invoice.card_last4 == "4242"


def test_its_language_is_the_owners_and_not_that_of_who_asks_first(world, press):
    actor = world.account()
    reader = world.member(actor.account_id, "reader@account1.test", Role.MEMBER)
    world.buy(actor, "salesforce")
    for person, locale in ((actor, "de"), (reader, "fr")):
        world.change(
            update(PersonRow).where(PersonRow.id == person.person_id).values(locale=locale)
        )
    ask(world, reader, 1, press)
    assert press.printed_of[0].locale == "de"


def test_another_accounts_number_is_nothing(world, press):
    world.buy(world.account(), "salesforce")
    with pytest.raises(NotFound):
        ask(world, world.account(), 1, press)
    assert press.printed_of == []


@pytest.mark.parametrize("changed", ["content = 'forged'", f"sha256 = '{'0' * 64}'"])
def test_changed_bytes_are_given_to_nobody(world, world_database: Database, press, changed):
    actor = world.account()
    world.buy(actor, "salesforce")
    ask(world, actor, 1, press)
    owner = create_engine(world_database.owner_url)
    with owner.begin() as connection:
        connection.execute(text(f"update invoice_documents set {changed}"))
    owner.dispose()
    with structlog.testing.capture_logs() as logs, pytest.raises(Damaged):
        ask(world, actor, 1, press)
    assert [entry["event"] for entry in logs] == ["document_damaged"]
    assert len(press.printed_of) == 1


@pytest.mark.parametrize(
    "statement", ["update invoice_documents set made_at = now()", "delete from invoice_documents"]
)
def test_the_portal_cannot_change_what_it_kept(world, press, statement):
    actor = world.account()
    world.buy(actor, "salesforce")
    ask(world, actor, 1, press)
    with world.session() as session, pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text(statement))


def test_two_at_once_keep_one_and_both_have_it(world):
    actor = world.account()
    world.buy(actor, "salesforce")
    press = Press(threading.Barrier(2))
    found: list[Document] = []
    threads = [
        threading.Thread(target=lambda: found.append(ask(world, actor, 1, press))) for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(press.printed_of) == 2
    assert len(found) == 2
    assert found[0] == found[1]
    assert world.rows(InvoiceDocumentRow) == 1


def test_no_transaction_is_open_while_it_is_printed(world):
    actor = world.account()
    world.buy(actor, "salesforce")
    with world.session() as session:
        printer = _Watching(session)
        document_of(actor, 1, session=session, printer=printer, wall=world.wall)
    assert printer.was_open is False


@dataclass
class _Watching:
    session: Session
    was_open: bool | None = None

    def printed(self, invoice: IssuedInvoice) -> bytes:
        self.was_open = self.session.in_transaction()
        return b"printed"


def test_what_is_missing_is_printed_in_batches_and_once(world, press):
    actor = world.account()
    for _ in range(5):
        world.buy(actor, "messages_10k")
    ask(world, actor, 2, press)
    assert [print_all(world, press, most=3) for _ in range(3)] == [3, 1, 0]
    assert [i.number for i in press.printed_of] == [f"{n:06d}" for n in (2, 1, 3, 4, 5)]
    assert world.rows(InvoiceDocumentRow) == world.rows(InvoiceRow) == 5
