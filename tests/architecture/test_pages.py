"""Pages and their fragments: every template that is named is there, and a page holds its own."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import PRODUCT, ROOT, Source, dotted

TEMPLATES = ROOT / "templates"
WEB = [source for source in PRODUCT if source.name.startswith("portal/web/")]
INCLUDE = re.compile(r"{%-?\s*include\s+['\"]([^'\"]+)['\"]")


def named(source: Source) -> set[str]:
    """Every template that a file of the web layer names, by whatever way it renders it."""
    return {
        node.value
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and re.fullmatch(r"[\w/]+\.html", node.value)
    }


def pairs(source: Source) -> list[tuple[str, str]]:
    """Page and fragment of each call of `htmx.page`."""
    found = []
    for call in source.calls():
        if dotted(call.func) == "htmx.page":
            page, partial = call.args[0], call.args[1]
            assert isinstance(page, ast.Constant), f"{source.name}:{call.lineno}"
            assert isinstance(partial, ast.Constant), f"{source.name}:{call.lineno}"
            found.append((str(page.value), str(partial.value)))
    return found


def included(template: str) -> set[str]:
    """What a template includes, and what that includes."""
    found: set[str] = set()
    waiting = [template]
    while waiting:
        for name in INCLUDE.findall((TEMPLATES / waiting.pop()).read_text()):
            if name not in found:
                found.add(name)
                waiting.append(name)
    return found


def test_every_template_that_is_named_is_there():
    assert {name for s in WEB for name in named(s) if not (TEMPLATES / name).exists()} == set()


def test_a_page_includes_the_fragment_that_htmx_gets_instead():
    found = {pair for source in WEB for pair in pairs(source)}
    assert len(found) >= 8
    assert {pair for pair in found if pair[1] not in included(pair[0])} == set()
    assert {
        partial for _, partial in found if not partial.rpartition("/")[2].startswith("_")
    } == set()


def test_every_page_template_is_shown_by_somebody():
    pages = {
        path.relative_to(TEMPLATES).as_posix()
        for path in TEMPLATES.rglob("*.html")
        if "{% extends" in path.read_text() and path.parent.name not in ("layouts", "sandbox")
    }
    shown = {name for source in WEB for name in named(source)}
    assert pages - shown == set()


@pytest.mark.parametrize("code", ["htmx.page(name, '_a.html')", "htmx.page('a.html', partial)"])
def test_a_page_is_named_in_plain_words(code):
    with pytest.raises(AssertionError, match=r"bad\.py:1"):
        pairs(Source("bad.py", code))
