"""What a template may not contain, each rule shown to bite on a bad sample."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "templates"
STATIC = ROOT / "static"
LONGEST = 60
FOREIGN = {
    "sandbox",
    "host",
    "mail",
    "pdf",
}  # no htmx, no policy of the portal, or no browser at all
PATHS = sorted(
    path
    for path in TEMPLATES.rglob("*.html")
    if path.relative_to(TEMPLATES).parts[0] not in FOREIGN
)
PARTIALS = [path for path in PATHS if path.name.startswith("_")]

JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.S)
COMMENT = re.compile(r"{#.*?#}", re.S)
FORM = re.compile(r"<form\b(?P<attributes>[^>]*)>(?P<body>.*?)</form>", re.S)
TOKEN = re.compile(r"csrf_token|hidden_tag")

FORBIDDEN = {
    "unescaped output": r"\|\s*safe\b|\bMarkup\(|autoescape\s+false",
    "inline style": r"\sstyle\s*=|<style\b",
    "inline script": r"<script(?![^>]*\ssrc=)|javascript:",
    "event attribute": r"<[a-z][^>]*\son[a-z]+\s*=",
    "hx-on": r"hx-on\b",
    "evaluated values": r"""["']js:""",
    "trigger filter": r"""hx-trigger\s*=\s*["'][^"']*\[""",
    "unprefixed htmx attribute": r"(?<![\w-])hx-[a-z-]+\s*=",
}
BAD = {
    "unescaped output": "{{ name|safe }}",
    "inline style": '<p style="color:red">',
    "inline script": "<script>go()</script>",
    "event attribute": '<button class="btn" onclick="go()">',
    "hx-on": '<p data-hx-on:click="go()">',
    "evaluated values": "<p data-hx-vals='js:{a: 1}'>",
    "trigger filter": '<p data-hx-trigger="click[ctrlKey]">',
    "unprefixed htmx attribute": '<p hx-get="/x">',
}


def forbidden(source: str) -> list[str]:
    text = COMMENT.sub("", source)
    return [name for name, pattern in FORBIDDEN.items() if re.search(pattern, text)]


def forms(source: str) -> list[str]:
    """GET forms that would put the token into the address; POST forms without one."""
    found = []
    for form in FORM.finditer(COMMENT.sub("", source)):
        posts = re.search(r'method\s*=\s*["\']post', form["attributes"], re.I)
        if bool(posts) != bool(TOKEN.search(form["body"])):
            found.append("POST form without a token" if posts else "GET form with a token")
    return found


def partial(source: str, folder: str, stem: str) -> list[str]:
    """A partial says what it needs and is one element, named after its file."""
    found = []
    if not re.match(r"{#-? ?needs: ", source):
        found.append("first line does not say what it needs")
    if "{% extends" in source:
        found.append("extends a layout")
    html = re.sub(r"{#.*?#}|{%.*?%}", "", source, flags=re.S).strip()
    name = f"{folder}-{stem.removeprefix('_').replace('_', '-')}"
    root = re.match(r"<([a-z0-9]+)\b[^>]*>", html)
    if not root or f'id="{name}"' not in root.group():
        found.append(f"the root element is not #{name}")
    elif not html.endswith(f"</{root[1]}>") or second_root(html, root[1]):
        found.append("more than one root element")
    return found


def second_root(html: str, tag: str) -> bool:
    """True when the element opened first is closed before the end."""
    depth = 0
    for match in re.finditer(rf"<(/?){tag}\b[^>]*>", html):
        depth += -1 if match[1] else 1
        if depth == 0:
            return match.end() < len(html)
    return False


def untranslated(source: str) -> list[str]:
    """Words a reader would see that never pass through gettext."""
    text = re.sub(r"{%-?\s*trans\b.*?endtrans\s*-?%}", "", COMMENT.sub("", source), flags=re.S)
    calls = re.sub(r"\b(?:_|n?gettext|pgettext)\((?:[^()]|\([^()]*\))*\)", "", text)
    literals = [
        word
        for expression in re.findall(r"{{.*?}}|{%.*?%}", calls, re.S)
        for word in re.findall(r"""["']([A-Z][a-z]+(?![A-Za-z])[^"']*)["']""", expression)
    ]
    html = JINJA.sub("", text)
    attributes = re.findall(r'\b(?:aria-label|placeholder|title|alt)="([^"]*[^\W\d_][^"]*)"', html)
    html = re.sub(r"<(script|style|code)\b.*?</\1>", "", html, flags=re.S)
    words = re.findall(r"[^\W\d_]+", re.sub(r"<[^>]*>|&\w+;", " ", html))
    return literals + attributes + words


def classes(source: str) -> set[str]:
    """Class names written out in a template; composed ones are the safelist's business."""
    whole = re.findall(r'\bclass="([^"]*)"', JINJA.sub("\0", COMMENT.sub("", source)))
    return {name for value in whole for name in value.split() if "\0" not in name}


def icons(source: str) -> set[str]:
    return set(re.findall(r'\b(?:icon|tile|empty_state)\("([a-z0-9-]+)"', source))


def test_there_are_templates() -> None:
    assert len(PATHS) > 15
    assert PARTIALS


@pytest.mark.parametrize("path", PATHS, ids=lambda path: str(path.relative_to(TEMPLATES)))
class TestEachTemplate:
    def test_holds_nothing_the_policy_forbids(self, path: Path) -> None:
        assert forbidden(path.read_text()) == []

    def test_is_short(self, path: Path) -> None:
        assert len(path.read_text().splitlines()) <= LONGEST

    def test_sends_tokens_by_post_only(self, path: Path) -> None:
        assert forms(path.read_text()) == []

    def test_says_nothing_untranslated(self, path: Path) -> None:
        assert untranslated(path.read_text()) == []

    def test_uses_classes_and_icons_that_were_built(self, path: Path) -> None:
        css = (STATIC / "css/portal.css").read_text()
        known = set(re.findall(r"\.(-?[A-Za-z_][\w-]*)", css))
        sprite = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "icons.svg").read_text()))
        assert classes(path.read_text()) - known == set(), "run make css"
        assert icons(path.read_text()) - sprite == set(), "add it to static/build/icons.txt"


@pytest.mark.parametrize("path", PARTIALS, ids=lambda path: str(path.relative_to(TEMPLATES)))
def test_a_partial_is_one_named_element(path: Path) -> None:
    assert partial(path.read_text(), path.parent.name, path.stem) == []


def compressed() -> Iterator[Path]:
    yield from sorted(path for path in STATIC.rglob("*.gz") if "node_modules" not in path.parts)


def test_compressed_files_say_the_same() -> None:
    found = list(compressed())
    assert STATIC / "css/portal.css.gz" in found
    for path in found:
        assert gzip.decompress(path.read_bytes()) == path.with_suffix("").read_bytes(), path


class TestTheRulesBite:
    @pytest.mark.parametrize("name", FORBIDDEN)
    def test_forbidden(self, name: str) -> None:
        assert name in forbidden(BAD[name])
        assert forbidden('<p data-hx-get="/x" data-hx-trigger="change">{{ name }}</p>') == []

    @pytest.mark.parametrize(
        "source",
        [
            '<form method="get">{{ form.csrf_token }}</form>',
            "<form>{{ form.hidden_tag() }}</form>",
            '<form method="post"><button></button></form>',
        ],
    )
    def test_forms(self, source: str) -> None:
        assert forms(source)

    @pytest.mark.parametrize(
        "source",
        [
            '<p id="usage-meters"></p>',
            '{#- needs: x -#}<p id="usage-other"></p>',
            '{#- needs: x -#}<p id="usage-meters"></p><p></p>',
            '{#- needs: x -#}<p id="usage-meters"></p><b></b>',
            '{#- needs: x -#}{% extends "a" %}<p id="usage-meters"></p>',
        ],
    )
    def test_partial(self, source: str) -> None:
        assert partial(source, "usage", "_meters")

    @pytest.mark.parametrize(
        "source",
        [
            "<p>Hello</p>",
            '<p aria-label="Plan"></p>',
            '{{ link("Add to plan", url) }}',
            "{% call alert('danger', 'Declined') %}{% endcall %}",
        ],
    )
    def test_untranslated(self, source: str) -> None:
        assert untranslated(source)

    @pytest.mark.parametrize(
        ("read", "source"), [(classes, '<p class="nowhere">'), (icons, '{{ icon("nowhere") }}')]
    )
    def test_built(self, read: Callable[[str], set[str]], source: str) -> None:
        assert read(source) == {"nowhere"}

    def test_translated_text_is_let_through(self) -> None:
        good = "{{ _('Add') }}{% trans n=1 %}Two words{% endtrans %}{{ f(_('A (b)'), \"POST\") }}"
        assert untranslated(good) == []
