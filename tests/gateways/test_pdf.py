"""The press: an accessible PDF in which every word of the paper stands as it is."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

import pytest
import typst
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from portal.gateways.pdf import Paper, PaperLine, TypstPress

FOLDER = Path(__file__).parents[2] / "templates" / "pdf"
PRESS = TypstPress(FOLDER)
ISSUED_AT = datetime(2026, 4, 11, 9, 45, tzinfo=UTC)
CONNECTOR = PaperLine(
    label="Salesforce connector",
    notes=("11 Apr 2026 – 1 May 2026", "$49.00 × 20 of 30 days = $32.67"),
    quantity="3",
    amount="$32.67",
    soft=False,
)
VAT = PaperLine("VAT", ("20 % of $32.67 = $6.53",), "", "$6.53", True)
PAPER = Paper(
    lang="en",
    right_to_left=False,
    title="Invoice 000123",
    issuer="Acme Billing",
    standing="Receipt: paid on 11 Apr 2026 with Visa ending 4242.",
    facts=(("Bill to", "Northwind"), ("Date", "11 Apr 2026"), ("Currency", "USD")),
    columns=("What", "Quantity", "Amount"),
    lines=(CONNECTOR, VAT),
    sums=(("Total", "$39.20"), ("Account balance", "-$5.00"), ("Paid", "$34.20")),
    closing="Questions? help@portal.test",
    page="Page {page} of {pages}",
)
HOSTILE = [
    '#import "/etc/passwd": *',
    '#read("fonts/LICENSE-OFL.txt")',
    "#panic() $x$ *bold* _slanted_ `raw`",
    "\\ #{1 + 1} <label> @reference [x] // gone /* gone */",
    "= Heading",
    "- item + item / term: said",
    '"} #sys.inputs {"',
    "{page} ~ -- https://portal.test",
]


def read(content: bytes) -> PdfReader:
    return PdfReader(BytesIO(content))


def text_of(content: bytes) -> str:
    """The words of all pages in one line."""
    pages = (page.extract_text() for page in read(content).pages)
    return " ".join(" ".join(pages).replace("\N{NO-BREAK SPACE}", " ").split())


def tags_of(content: bytes) -> list[str]:
    """The kinds of all elements of the structure."""
    found, waiting = [], [read(content).trailer["/Root"]["/StructTreeRoot"]["/K"]]
    while waiting:
        element = waiting.pop().get_object()
        if isinstance(element, list):
            waiting += element
        elif isinstance(element, dict):
            found.append(str(element.get("/S")))
            waiting += [element["/K"]] if "/K" in element else []
    return found


def is_accessible(content: bytes) -> bool:
    """True when it claims PDF/UA-1, which typst checks before it does."""
    return b"<pdfuaid:part>1</pdfuaid:part>" in content


def billed_to(name: str, **changes: object) -> Paper:
    return replace(PAPER, facts=(("Bill to", name), *PAPER.facts[1:]), **changes)


def test_every_word_of_the_paper_is_on_it():
    text = text_of(PRESS.printed(PAPER, ISSUED_AT))
    lines = [word for line in PAPER.lines for word in (line.label, *line.notes, line.amount)]
    said = [PAPER.title, PAPER.issuer, PAPER.standing, PAPER.closing, *PAPER.columns, *lines]
    said += [word for pair in (*PAPER.facts, *PAPER.sums) for word in pair]
    assert [word for word in said if word not in text] == []
    assert "3 $32.67" in text, "the quantity"
    assert "Page 1 of 1" in text


@pytest.mark.parametrize(("lang", "said"), [("en", "en"), ("pt-BR", "pt-BR"), ("zh-Hant", "zh")])
def test_it_is_tagged_and_says_its_language_and_title(lang, said):
    content = PRESS.printed(replace(PAPER, lang=lang), ISSUED_AT)
    pdf = read(content)
    root = pdf.trailer["/Root"]
    assert is_accessible(content)
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/StructTreeRoot"]["/K"]
    assert root["/Lang"] == said
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert pdf.metadata is not None
    assert (pdf.metadata.title, pdf.metadata.author) == (PAPER.title, PAPER.issuer)
    assert pdf.metadata.creation_date == ISSUED_AT


def test_lines_are_a_table_with_a_heading_row():
    tags = tags_of(PRESS.printed(PAPER, ISSUED_AT))
    assert tags.count("/H1") == 1
    assert tags.count("/TH") == len(PAPER.columns)
    assert tags.count("/Table") == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_is_never_read_as_a_program(name):
    line = replace(CONNECTOR, label=name, notes=(name,))
    paper = billed_to(name, issuer=name, standing=name, lines=(line,), sums=((name, name),))
    content = PRESS.printed(paper, ISSUED_AT)
    assert text_of(content).count(" ".join(name.split())) >= 6
    assert "SIL OPEN FONT LICENSE" not in text_of(content)
    assert is_accessible(content)


@pytest.mark.parametrize("path", ["../secret.txt", "/../secret.txt", "/etc/passwd"])
def test_a_template_reads_nothing_outside_its_folder(tmp_path, path):
    (tmp_path / "secret.txt").write_text("secret")
    folder = tmp_path / "pdf"
    (folder / "fonts").mkdir(parents=True)
    (folder / "invoice.typ").write_text(f"#read({json.dumps(path)})")
    with pytest.raises(typst.TypstError):
        TypstPress(folder).printed(PAPER, ISSUED_AT)


def test_the_same_template_reads_what_is_inside(tmp_path):
    (tmp_path / "fonts").mkdir()
    (tmp_path / "open.txt").write_text("open")
    (tmp_path / "invoice.typ").write_text('#set document(title: "x")\n#read("/open.txt")')
    assert "open" in text_of(TypstPress(tmp_path).printed(PAPER, ISSUED_AT))


@pytest.mark.parametrize("name", ["株式会社サクラ", "Žluťoučký kůň", "Ακμή", "Ромашка"])
def test_names_in_other_scripts_have_glyphs(name):
    content = PRESS.printed(billed_to(name), ISSUED_AT)
    assert is_accessible(content)
    assert name in text_of(content)


@pytest.mark.parametrize("name", ["شركة عربية", "חברה בעמ"])
def test_names_from_right_to_left_have_glyphs(name):
    assert is_accessible(PRESS.printed(billed_to(name), ISSUED_AT))
    turned = billed_to(name, right_to_left=True, lang="ar")
    assert is_accessible(PRESS.printed(turned, ISSUED_AT))


def test_a_character_without_a_glyph_costs_the_claim_and_not_the_invoice():
    content = PRESS.printed(billed_to("한국 Ltd"), ISSUED_AT)
    assert not is_accessible(content)
    assert read(content).trailer["/Root"]["/MarkInfo"]["/Marked"].value is True
    assert "Ltd" in text_of(content)


@pytest.mark.parametrize("name", ["W" * 255, "株" * 255, "word " * 51])
def test_a_very_long_name_stays_on_the_page(name):
    line = replace(CONNECTOR, label=name)
    content = PRESS.printed(billed_to(name, lines=(line,)), ISSUED_AT)
    pages = [page.extract_text() for page in read(content).pages]
    assert len(pages) <= 2
    assert max(len(row) for text in pages for row in text.splitlines()) < 90
    assert "".join("".join(pages).split()).count("".join(name.split())) == 2


def test_forty_lines_fill_pages_that_repeat_the_heading_and_count():
    lines = tuple(replace(CONNECTOR, label=f"Connector number {n:02d}") for n in range(40))
    content = PRESS.printed(replace(PAPER, lines=lines), ISSUED_AT)
    pages = [page.extract_text() for page in read(content).pages]
    assert len(pages) == 4
    for number, text in enumerate(pages, start=1):
        assert f"Page {number} of 4" in text
    assert all("Quantity" in text for text in pages if "Connector number" in text)
    assert all(f"Connector number {n:02d}" in " ".join(pages) for n in range(40))
    assert [n for n, text in enumerate(pages) if "$34.20" in text] == [3]


def test_a_row_is_not_torn_apart():
    lines = tuple(replace(CONNECTOR, label=f"Connector number {n:02d}") for n in range(40))
    for page in read(PRESS.printed(replace(PAPER, lines=lines), ISSUED_AT)).pages:
        text = page.extract_text()
        assert text.count("Connector number") == text.count(CONNECTOR.notes[1])


def test_the_same_paper_has_the_same_bytes():
    again = TypstPress(FOLDER).printed(PAPER, ISSUED_AT)
    assert PRESS.printed(PAPER, ISSUED_AT) == again
    assert PRESS.printed(PAPER, ISSUED_AT + timedelta(seconds=1)) != again
    assert PRESS.printed(billed_to("Southwind"), ISSUED_AT) != again


def test_threads_share_a_press():
    papers = [billed_to(f"Account {n}") for n in range(24)]
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda paper: PRESS.printed(paper, ISSUED_AT), papers))
    assert [n for n, content in enumerate(made) if f"Account {n}" not in text_of(content)] == []


@settings(max_examples=60, deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
def test_any_name_can_be_printed(name):
    content = PRESS.printed(billed_to(name), ISSUED_AT)
    assert "Page 1 of 1" in text_of(content)
