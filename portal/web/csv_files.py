"""Tables as CSV files that no spreadsheet takes for formulas."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

from flask import Response

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a cell may not begin with, the full-width twins included."""


def csv_file(name: str, head: Sequence[str], rows: Iterable[Sequence[object]]) -> Response:
    """A download; the mark in front of it tells spreadsheets that it is UTF-8."""
    text = io.StringIO()
    writer = csv.writer(text)
    for row in (head, *rows):
        writer.writerow([cell(each) for each in row])
    return Response(
        text.getvalue().encode("utf-8-sig"),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


def cell(value: object) -> str:
    """Text that begins a formula gets a quote in front of it; numbers stay numbers, below zero too.

    Source: OWASP, CSV Injection.
    """
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        plain = f"{value.normalize():f}"
        return "0" if plain == "-0" else plain
    said = str(value)
    begins = said.startswith(FORMULA) or said.lstrip().startswith(FORMULA)
    return f"'{said}" if begins else said
