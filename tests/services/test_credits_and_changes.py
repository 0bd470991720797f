"""Credit notes beside changes of plan: together they never give back more than was billed."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from portal.domain.errors import Conflict
from portal.domain.taxes import Tax
from portal.models.invoices import InvoiceLineRow
from portal.queries.stored_lines import billed_lines
from tests.services.changing import Office
from tests.services.crediting import CARD

VAT = Tax(Decimal(20), False, "VAT")


@pytest.fixture
def office(world, till):
    return Office(world, till)


def kept(world, invoice_id: int = 1) -> list[tuple[int, int]]:
    """What is left of each line, and of its tax."""
    with world.session() as session:
        lines = billed_lines(session, world.scope, invoice_id)
        return [(line.kept.minor, line.tax_left.minor) for line in lines]


def credits(world) -> list[int]:
    """What changes of plan credited, tax included."""
    of = InvoiceLineRow
    with world.session() as session:
        rows = session.scalars(select(of).where(of.credited_line_id.is_not(None)).order_by(of.id))
        return [row.amount_minor for row in rows]


def test_a_change_credits_what_a_note_has_left(world, desk, office):
    actor = office.account(tax=VAT)
    desk.credit(1, "60")
    assert kept(world) == [(3900, 780)]
    office.change(actor, "business")
    assert credits(world) == [-3900, -780]
    assert kept(world) == [(0, 0)]
    with pytest.raises(Conflict, match="nothing is left"):
        desk.credit(1)
    assert desk.agrees()


def test_a_note_gives_back_what_a_change_has_left(world, desk, office):
    actor = office.account(tax=VAT)
    office.change(actor, "business")
    assert credits(world) == [-6600, -1320]
    desk.credit(1, to=CARD)
    assert desk.lines(1) == [("credit", -3300), ("tax", -660)]
    assert kept(world) == [(0, 0)]
    assert desk.agrees()


def test_a_change_that_was_agreed_before_a_note_and_paid_after_it_goes_back(
    world, desk, office, till
):
    actor = office.account()
    opened = office.confirm(actor, office.accept(office.quote(actor, "business")), "new")
    desk.credit(1, "60")
    till.gateway.pay_page(till.page(opened.purchase_id))
    till.finish(actor, opened.purchase_id)
    assert [(reason, status) for _, reason, status in till.refunds()] == [("moved_on", "succeeded")]
    assert office.plan(actor)[0] == "growth"
    assert (credits(world), kept(world)) == ([], [(3900, 0)])
    assert desk.agrees()


def test_a_note_about_another_invoice_does_not_hinder_it(world, desk, office, till):
    actor = office.account()
    world.buy(actor, "messages_10k")
    with world.session() as session:
        assert len(billed_lines(session, world.scope, 2)) == 1
    desk.credit(2)
    world.now = datetime(2026, 4, 16, tzinfo=UTC)
    office.change(actor, "business")
    assert office.plan(actor)[0] == "business"
    assert desk.agrees()
