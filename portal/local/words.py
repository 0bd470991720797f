"""`make words`: brings every catalog of words up to date with the source, and compiles it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "translations"
METHODS = (("portal/**.py", "python"), ("templates/**.html", "jinja2"))
OPTIONS = {"templates/**.html": {"extensions": "jinja2.ext.i18n"}}
EVER = datetime(2026, 1, 1, tzinfo=UTC)
"""The date in a compiled catalog, whose bytes change with its words and with nothing else."""


def extracted() -> Catalog:
    """Every message of the source."""
    catalog = Catalog()
    found = extract_from_dir(ROOT, METHODS, OPTIONS, directory_filter=_is_source)
    for _file, _line, message, _comments, context in found:
        catalog.add(message, context=context)
    return catalog


def _is_source(folder: str) -> bool:
    return Path(folder).relative_to(ROOT).parts[0] in ("portal", "templates")


def translated(language: str) -> Catalog:
    with (FOLDER / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=language)


def main() -> None:
    template = extracted()
    for folder in sorted(FOLDER.iterdir()):
        catalog = translated(folder.name)
        catalog.update(template, no_fuzzy_matching=True)
        catalog.obsolete.clear()
        catalog.creation_date = catalog.revision_date = EVER
        catalog.fuzzy = False
        place = folder / "LC_MESSAGES"
        with (place / "messages.po").open("wb") as file:
            write_po(file, catalog, width=0, omit_header=True)
        with (place / "messages.mo").open("wb") as file:
            write_mo(file, catalog)
        missing = sum(1 for each in catalog if each.id and not is_translated(each))
        sys.stdout.write(f"{folder.name}: {len(catalog)} messages, {missing} to translate\n")


def is_translated(message: Message) -> bool:
    words = message.string
    return all(words) if isinstance(words, (tuple, list)) else bool(words)


if __name__ == "__main__":
    main()
