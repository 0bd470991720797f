"""What scanners look for, as rules of our own: each names what is dangerous, and who may do it."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.sources import PRODUCT, ROOT, Source, dotted

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
UNESCAPED = re.compile(
    r"\|\s*safe\b|autoescape\s+false|\bMarkup\(|\bon[a-z]+=\"|\sstyle=\"|javascript:"
)
MARKUP = {"Markup", "markupsafe.Markup", "flask.Markup", "render_template_string"}
EXECUTES = {"eval", "exec", "compile", "os.system", "pickle.loads", "yaml.load", "marshal.loads"}
EXEMPTS = {"csrf.exempt"}
MAY_EXEMPT = {"portal/web/security.py", "portal/web/views/webhooks.py"}
REDIRECTS = {"redirect", "htmx.go", "htmx.leave", "go", "leave"}
ASKED = re.compile(r"\brequest\.(args|form|values|referrer|headers|full_path|url|host)")
BUILDS_SQL = {"text", "sqlalchemy.text", "exec_driver_sql", "literal_column"}
MAY_BUILD_SQL = {"portal/services/drawing.py", "portal/services/correcting.py"}
"""They join constants of their own; values are bound."""
UNSCOPED = {"EnvironmentRow", "TenantRow"}


def dangers(source: Source) -> set[str]:
    found = set()
    for call in source.calls():
        name = dotted(call.func)
        if name in MARKUP | EXECUTES:
            found.add(name)
        if name in BUILDS_SQL or name.endswith(".exec_driver_sql"):
            found |= {"SQL built from parts"} if _is_built(call) else set()
        if name in REDIRECTS and any(_leads_where_asked(each) for each in call.args):
            found.add("redirect to what was asked")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Attribute) and dotted(node) in EXEMPTS:
            found.add("csrf.exempt")
    return found - _allowed(source)


def _allowed(source: Source) -> set[str]:
    allowed = {"csrf.exempt"} if source.name in MAY_EXEMPT else set()
    return allowed | ({"SQL built from parts"} if source.name in MAY_BUILD_SQL else set())


def _is_built(call: ast.Call) -> bool:
    """Whether the statement is more than words: an f-string, a sum, a format."""
    return any(
        isinstance(node, ast.FormattedValue)
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod))
        or (isinstance(node, ast.Attribute) and node.attr == "format")
        for node in ast.walk(call.args[0] if call.args else call)
    )


def _leads_where_asked(argument: ast.expr) -> bool:
    """Whether a part of the request goes in as it is; `safe_next` and `url_for` make it ours."""
    if isinstance(argument, ast.Call) and dotted(argument.func) in {"safe_next", "url_for"}:
        return False
    return bool(ASKED.search(ast.unparse(argument)))


@pytest.mark.parametrize("source", PRODUCT, ids=lambda source: source.name)
def test_nothing_dangerous_is_done(source):
    assert dangers(source) == set()


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_template_lets_markup_through(path):
    assert UNESCAPED.findall(path.read_text()) == []


def test_rows_of_an_environment_are_fetched_with_it():
    """`session.get(Row, id)` with an id alone names no environment."""
    wrong = [
        f"{source.name}:{call.lineno}"
        for source in PRODUCT
        if source.name.startswith(("portal/services/", "portal/queries/", "portal/jobs/"))
        for call in source.calls()
        if dotted(call.func).endswith(("session.get", "session.get_one", "database().get"))
        and len(call.args) == 2
        and ast.unparse(call.args[0]) not in UNSCOPED
        and isinstance(call.args[1], ast.Constant | ast.Attribute)
    ]
    assert wrong == []


def test_a_job_is_told_its_environment_or_a_time_and_nothing_else():
    """The job engine's tables are without row security. Source: ADR 0002."""
    told = {
        (source.name, ", ".join(map(ast.unparse, [*call.args, *call.keywords])))
        for source in PRODUCT
        for call in source.calls()
        if dotted(call.func).endswith((".defer", ".defer_async", ".batch_defer"))
    }
    assert told == {("portal/gateways/queue.py", "environment_id=environment_id")}


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ("Markup(name)", {"Markup"}),
        ("text(f'select {name}')", {"SQL built from parts"}),
        ("text('select ' + name)", {"SQL built from parts"}),
        ("text('select 1')", set()),
        ("redirect(request.args['next'])", {"redirect to what was asked"}),
        ("htmx.go(request.referrer or '/')", {"redirect to what was asked"}),
        ("htmx.go(safe_next(request.form.get('next'), '/'))", set()),
        ("@csrf.exempt\ndef view(): pass", {"csrf.exempt"}),
        ("eval(typed)", {"eval"}),
    ],
)
def test_a_danger_is_found(code, found):
    assert dangers(Source("portal/web/views/bad.py", code)) == found


@pytest.mark.parametrize(
    "html", ["{{ x|safe }}", "{{ x | safe }}", '<a onclick="x()">', '<p style="x">']
)
def test_markup_that_gets_through_is_found(html):
    assert UNESCAPED.search(html)
