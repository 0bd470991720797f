"""The documents name only what is there, and all of the settings."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import stripe

from portal.gateways.stripe_webhooks import EVENT_TYPES
from portal.settings import Settings
from tests.architecture.sources import ROOT

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_IN_THE_TREE = (".data/", ".venv/", "/", "~", "http", "..")
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name[0] != "."}
FILE = re.compile(r"[\w./*<>-]+\.(?:py|md|html|css|js|svg|png|yaml|toml|txt|sh|json|ini|cfg)")
FEWEST_DECISIONS, LONGEST_DECISION = 9, 60


def mentioned(text: str) -> set[str]:
    """Paths in backticks and targets of links that claim to be in this repository."""
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    quoted = {each for span in re.findall(r"`([^`\n]+)`", text) for each in span.split()}
    paths = {each.strip(",;()") for each in quoted if _looks_like_a_path(each.strip(",;()"))}
    links = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", text)}
    return {each for each in paths | links if each and not each.startswith(NOT_IN_THE_TREE)}


def _looks_like_a_path(word: str) -> bool:
    return "/" in word and word.partition("/")[0] in FOLDERS


def is_there(document: Path, mention: str) -> bool:
    pattern = re.sub(r"<\w+>|…", "*", mention).rstrip("/")
    return any(any(base.glob(pattern)) for base in (ROOT, document.parent))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_document_mentions_only_what_is_there(document):
    found = mentioned(document.read_text())
    assert {mention for mention in found if not is_there(document, mention)} == set()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("see `portal/nowhere.py` and `make run`", {"portal/nowhere.py"}),
        ("[glossary](docs/no.md#words), [there](https://example.test/a.md)", {"docs/no.md"}),
        ("in `.data/environment`, `/healthz`, `tests/services`", {"tests/services"}),
    ],
)
def test_a_mention_is_found(text, found):
    assert mentioned(text) == found
    assert not is_there(ROOT / "README.md", "portal/nowhere.py")


def test_operations_explains_every_setting_and_no_other():
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.partition("## Settings")[2].partition("\n## ")[0]
    listed = set(re.findall(r"^\| `([A-Z_]+)` \|", section, re.M))
    assert listed == {name.upper() for name in Settings.model_fields}


def test_operations_subscribes_to_every_event_and_no_other():
    text = (ROOT / "docs" / "operations.md").read_text()
    listed = re.findall(r'EVENTS="([^"]+)"', text)
    assert len(listed) == 1
    assert sorted(listed[0].split()) == sorted(EVENT_TYPES)


def test_operations_pins_the_version_of_the_library():
    text = (ROOT / "docs" / "operations.md").read_text()
    assert re.findall(r"api_version=(\S+)", text) == [stripe.api_version]


def test_decisions_are_numbered_without_gaps_and_short():
    decisions = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [int(path.name[:4]) for path in decisions]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= FEWEST_DECISIONS
    for path in decisions:
        lines = path.read_text().splitlines()
        assert lines[0].startswith(f"# {path.name[:4]} "), path.name
        assert len(lines) <= LONGEST_DECISION, path.name


def test_nobodys_machine_is_in_the_tree():
    """No absolute path of the machine that something was written on."""
    places = re.compile(r"(?<![\w.])/(?:home|root|Users)/\w+")
    kept = [
        *DOCUMENTS,
        *(ROOT / "portal").rglob("*.py"),
        ROOT / "Makefile",
        ROOT / "pyproject.toml",
    ]
    found = {path.name: places.findall(path.read_text()) for path in kept}
    assert {name: paths for name, paths in found.items() if paths} == {}
