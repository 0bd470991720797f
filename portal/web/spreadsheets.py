"""Tables as CSV files that a spreadsheet opens, whatever a name in them holds."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from decimal import Decimal
from io import StringIO

from flask import Response

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet takes a text that begins so for."""


def csv_reply(
    name: str, header: Sequence[str], rows: Iterable[Sequence[str | Decimal]]
) -> Response:
    """A download called `name`. Numbers are written plain; a text is never a formula."""
    table = StringIO()
    writer = csv.writer(table)
    writer.writerow([cell(each) for each in header])
    writer.writerows([cell(each) for each in row] for row in rows)
    reply = Response("\N{ZERO WIDTH NO-BREAK SPACE}" + table.getvalue(), mimetype="text/csv")
    reply.headers.set("Content-Disposition", "attachment", filename=name)
    return reply


def cell(value: str | Decimal) -> str:
    """With a mark in front where a spreadsheet would calculate."""
    if isinstance(value, Decimal):
        plain = f"{value.normalize():f}"
        return "0" if plain == "-0" else plain
    return f"'{value}" if value.lstrip(" ").startswith(FORMULAS) else value
