"""Prints papers as tagged PDF with typst, which gets every word as JSON and none as source."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import structlog
import typst

log = structlog.get_logger()
_ACCESSIBLE: typst.PDFStandard = "ua-1"


@dataclass(frozen=True, slots=True)
class PaperLine:
    """notes: small print below the label. soft: tax and the like, which nobody ordered."""

    label: str
    notes: tuple[str, ...]
    quantity: str
    amount: str
    soft: bool


@dataclass(frozen=True, slots=True)
class Paper:
    """Every word of an invoice in one language, in the order in which it is read.

    lang: as in HTML. standing: whether it is paid, and how. columns: over label, quantity and
    amount. sums: label and amount, the last one what counts. page: with {page} and {pages}.
    """

    lang: str
    right_to_left: bool
    title: str
    issuer: str
    standing: str
    facts: tuple[tuple[str, str], ...]
    columns: tuple[str, str, str]
    lines: tuple[PaperLine, ...]
    sums: tuple[tuple[str, str], ...]
    closing: str
    page: str


class TypstPress:
    """folder: the template and its fonts; typst can read nothing outside it."""

    def __init__(self, folder: Path) -> None:
        self._template, self._folder = folder / "invoice.typ", folder
        self._fonts = typst.Fonts(
            include_system_fonts=False,
            include_embedded_fonts=True,
            font_paths=[str(folder / "fonts")],
        )

    def printed(self, paper: Paper, at: datetime) -> bytes:
        """The same bytes for the same paper and instant: PDF/UA-1, or tagged where no font of
        ours has one of its characters."""
        try:
            return self._compiled(paper, at, [_ACCESSIBLE])
        except typst.TypstError as error:
            log.warning("pdf_not_accessible", title=paper.title, reason=error.message)
            return self._compiled(paper, at, [])

    def _compiled(self, paper: Paper, at: datetime, standards: list[typst.PDFStandard]) -> bytes:
        press = typst.Compiler(
            input=str(self._template),
            root=str(self._folder),
            font_paths=self._fonts,
            ignore_system_fonts=True,
            sys_inputs={"paper": json.dumps(asdict(paper))},
        )
        content = press.compile(
            format="pdf", pdf_standards=standards, timestamp=int(at.timestamp())
        )
        if not isinstance(content, bytes):
            raise TypeError("typst made no PDF")
        return content
