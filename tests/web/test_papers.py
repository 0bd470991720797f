"""What an invoice's paper says: every figure of it, in words, in the account's language."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from flask import Flask
from flask_babel import Babel, force_locale

from portal.domain.lines import LineKind
from portal.domain.money import Money
from portal.domain.periods import Period
from portal.domain.pricing import Part
from portal.domain.working import Working, WorkingKind
from portal.gateways.pdf import Paper, TypstPress
from portal.queries.documents import IssuedInvoice, IssuedReceipt
from portal.queries.invoices import InvoiceLine
from portal.web.papers import PaperPrinter, paper_of
from portal.web.receipt_papers import receipt_paper
from tests.gateways.test_pdf import text_of
from tests.web.test_language import CLOSE, OPEN, pseudo  # noqa: F401  (a fixture)

ISSUED_AT = datetime(2026, 4, 10, 23, 30, tzinfo=UTC)
REST = Period(ISSUED_AT, datetime(2026, 4, 30, 15, tzinfo=UTC))


@pytest.fixture
def app() -> Flask:
    """An app that knows English, and nothing of a request or a database."""
    app = Flask("papers")
    Babel(app)
    return app


@pytest.fixture
def english(app: Flask) -> Iterator[None]:
    with app.app_context(), force_locale("en"):
        yield


def line(kind: LineKind, minor: int, code: str = "usd", **changes: object) -> InvoiceLine:
    amount = Money(minor, code)
    plain = {LineKind.CARRIED: WorkingKind.CARRIED, LineKind.BALANCE: WorkingKind.BALANCE}
    whole = (Part(amount.major(), Decimal(1)),)
    working = Working(plain.get(kind, WorkingKind.WHOLE), amount, whole)
    given = {"name": "Connector", "quantity": 1, "included": False, "period": None}
    return InvoiceLine(kind=kind, amount=amount, working=working, **(given | changes))


def invoice(*lines: InvoiceLine, code: str = "usd", **changes: object) -> IssuedInvoice:
    zero = Money.zero(code)
    given = {
        "number": "000123",
        "issued_at": ISSUED_AT,
        "status": "paid",
        "account_name": "Northwind",
        "zone": "Asia/Tokyo",
        "locale": "en",
        "total": zero,
        "tax": zero,
        "charged": zero,
        "carried_out": zero,
        "credited": zero,
        "card_brand": "visa",
        "card_last4": "4242",
        "lines": lines or (line(LineKind.CHARGE, 4900, code),),
    }
    return IssuedInvoice(**(given | changes))


def said(found: IssuedInvoice) -> Paper:
    return paper_of(found, "Acme Billing", "help@portal.test")


@pytest.mark.usefixtures("english")
class TestInEnglish:
    def test_its_head_names_both_sides_and_the_day_in_the_accounts_zone(self):
        paper = said(invoice(charged=Money(4900, "usd"), total=Money(4900, "usd")))
        assert (paper.title, paper.issuer) == ("Invoice 000123", "Acme Billing")
        assert paper.facts == (
            ("Bill to", "Northwind"), ("Date", "11 Apr 2026"), ("Currency", "USD"),
        )  # fmt: skip
        assert paper.closing == "Questions? help@portal.test"
        assert (paper.lang, paper.right_to_left) == ("en", False)

    def test_nobody_to_ask_is_not_named(self):
        assert paper_of(invoice(), "Acme Billing", "").closing == ""

    def test_a_line_says_what_how_many_for_when_and_why(self):
        sold = line(LineKind.CHARGE, 9800, quantity=2000, period=REST)
        once, taxed = line(LineKind.CHARGE, 4900), line(LineKind.TAX, 980, name="VAT")
        inside = line(LineKind.TAX, 817, name="VAT", included=True)
        given_back = line(LineKind.CREDIT, -1250, name="Growth", period=REST)
        lines = said(invoice(sold, once, taxed, inside, given_back)).lines
        assert [(x.label, x.quantity, x.amount, x.soft) for x in lines] == [
            ("Connector", "2,000", "$98.00", False),
            ("Connector", "1", "$49.00", False),
            ("VAT", "", "$9.80", True),
            ("VAT, included", "", "", True),
            ("Growth, unused", "", "-$12.50", True),
        ]
        assert lines[0].notes == ("11 Apr 2026 – 1 May 2026", "$98.00, charged in full")
        assert lines[1].notes == ("$49.00, charged in full",)

    def test_sums_lead_from_what_was_sold_to_what_was_paid(self):
        lines = line(LineKind.CARRIED, 32), line(LineKind.BALANCE, -500)
        paper = said(
            invoice(
                line(LineKind.CHARGE, 4900), *lines,
                total=Money(5880, "usd"), tax=Money(980, "usd"), charged=Money(5412, "usd"),
            )
        )  # fmt: skip
        assert paper.sums == (
            ("Total", "$58.80"),
            ("of which tax", "$9.80"),
            ("Earlier small amount", "$0.32"),
            ("Account balance", "-$5.00"),
            ("Paid", "$54.12"),
        )
        assert [x.label for x in paper.lines] == ["Connector"]
        assert paper.standing == "Receipt: paid on 11 Apr 2026 with Visa ending 4242."

    @pytest.mark.parametrize(
        ("changes", "standing", "last"),
        [
            (
                {"status": "open", "charged": Money(4900, "usd"), "card_last4": ""},
                "Issued on 11 Apr 2026 with $49.00 to pay.",
                [("To pay", "$49.00")],
            ),
            (
                {"status": "open", "charged": Money(4900, "usd")},
                "Issued on 11 Apr 2026. $49.00 is charged to Visa ending 4242.",
                [("To be charged", "$49.00")],
            ),
            (
                {"status": "carried", "carried_out": Money(32, "usd")},
                "Nothing was charged: $0.32 is on the next invoice.",
                [("Moved to your next invoice", "-$0.32"), ("Paid", "$0.00")],
            ),
            (
                {"credited": Money(1250, "usd"), "total": Money(-1250, "usd")},
                "There was nothing left to pay.",
                [("Added to your balance", "$12.50"), ("Paid", "$0.00")],
            ),
            (
                {"charged": Money(4900, "usd"), "card_last4": "", "card_brand": ""},
                "Receipt: paid on 11 Apr 2026.",
                [("Paid", "$49.00")],
            ),
        ],
        ids=["open", "charged by itself", "carried", "credited", "no card"],
    )
    def test_it_says_how_it_stood_when_it_was_issued(self, changes, standing, last):
        paper = said(invoice(**changes))
        assert paper.standing == standing
        assert list(paper.sums[-len(last) :]) == last

    @pytest.mark.parametrize(
        ("code", "minor", "shown"),
        [("jpy", 4900, "¥4,900"), ("kwd", 12340, "KWD12.340"), ("eur", -1, "-€0.01")],
    )
    def test_an_amount_has_its_currencys_decimals(self, code, minor, shown):
        paper = said(invoice(line(LineKind.TAX, minor, code), code=code))
        assert paper.lines[0].amount == shown
        assert ("Currency", code.upper()) in paper.facts


def test_a_paper_is_printed_without_a_request_in_the_language_asked_for(app, pseudo):  # noqa: F811
    app.extensions["babel"].translation_directories = [str(pseudo)]
    app.extensions["babel"].default_directories = [str(pseudo)]
    folder = Path(__file__).parents[2] / "templates" / "pdf"
    printer = PaperPrinter(TypstPress(folder), "Acme", "help@portal.test")
    with app.app_context():
        marked = printer.printed(invoice(locale="fr"))
        plain = printer.printed(invoice(locale="xx"))
    assert f"{OPEN}Invoice 000123{CLOSE}" in text_of(marked)
    assert f"{OPEN}Page 1 of 1{CLOSE}" in text_of(marked)
    assert "11 avr. 2026" in text_of(marked)
    assert OPEN not in text_of(plain)
    assert "11 Apr 2026" in text_of(plain)


def test_every_word_of_a_paper_is_translated(app, pseudo):  # noqa: F811
    app.extensions["babel"].translation_directories = [str(pseudo)]
    app.extensions["babel"].default_directories = [str(pseudo)]
    kinds = [line(kind, -100 if kind is LineKind.BALANCE else 100) for kind in LineKind]
    known = {"Acme Billing", "Northwind", "11 avr. 2026", "USD", "Connector"}
    for status in ("paid", "carried", "open"):
        found = invoice(
            *kinds, status=status, tax=Money(1, "usd"), carried_out=Money(1, "usd"),
            credited=Money(1, "usd"), charged=Money(1, "usd"),
        )  # fmt: skip
        with app.app_context(), force_locale("fr"):
            paper = said(found)
        words = [paper.title, paper.issuer, paper.standing, paper.closing, paper.page]
        words += [*paper.columns, *(word for pair in (*paper.facts, *paper.sums) for word in pair)]
        words += [word for x in paper.lines for word in (x.label, *x.notes)]
        bare = {word for word in words if OPEN not in word and not word.endswith("$US")}
        assert bare - known == set()


def receipt(**changes: object) -> IssuedReceipt:
    given = {
        "number": "000123",
        "invoice_issued_at": ISSUED_AT,
        "issued_at": ISSUED_AT + timedelta(days=1),
        "account_name": "Northwind",
        "zone": "Asia/Tokyo",
        "locale": "en",
        "owed": Money(4900, "usd"),
        "taken_off": Money.zero("usd"),
        "paid": Money(4900, "usd"),
        "card_brand": "visa",
        "card_last4": "4242",
    }
    return IssuedReceipt(**(given | changes))


@pytest.mark.usefixtures("english")
class TestReceipts:
    def test_it_says_for_what_when_and_with_what_was_paid(self):
        paper = receipt_paper(receipt(), "Acme Billing", "help@portal.test")
        assert paper.title == "Receipt for invoice 000123"
        assert paper.standing == (
            "Paid on 12 Apr 2026 with Visa ending 4242. Nothing is left to pay."
        )
        assert paper.facts[:2] == (("Bill to", "Northwind"), ("Date", "12 Apr 2026"))
        [line] = paper.lines
        assert (line.label, line.notes) == ("Invoice 000123", ("Issued on 11 Apr 2026",))
        assert (line.amount, paper.sums) == ("$49.00", (("Paid", "$49.00"),))

    def test_a_card_that_is_not_known_is_not_named(self):
        paper = receipt_paper(receipt(card_last4=""), "Acme Billing", "")
        assert paper.standing == "Paid on 12 Apr 2026. Nothing is left to pay."

    def test_credit_notes_and_what_was_paid_beyond_are_lines_of_their_own(self):
        found = receipt(taken_off=Money(900, "usd"))
        paper = receipt_paper(found, "Acme Billing", "")
        assert [(x.label, x.amount) for x in paper.lines][1:] == [
            ("Taken off by credit notes", "-$9.00")
        ]
        assert paper.sums == (("Added to your balance", "$9.00"), ("Paid", "$49.00"))


def test_every_word_of_a_receipt_is_translated(app, pseudo):  # noqa: F811
    app.extensions["babel"].translation_directories = [str(pseudo)]
    app.extensions["babel"].default_directories = [str(pseudo)]
    found = receipt(taken_off=Money(900, "usd"))
    with app.app_context(), force_locale("fr"):
        paper = receipt_paper(found, "Acme", "help@portal.test")
    words = [paper.title, paper.closing, paper.page, *(label for label, _said in paper.sums)]
    words += [word for x in paper.lines for word in (x.label, *x.notes)]
    assert {word for word in words if OPEN not in word} == set()
    assert paper.standing.count(OPEN) >= 2
