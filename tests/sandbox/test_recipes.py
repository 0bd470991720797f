"""The player of Stripe's recipes: it believes no exit status, and leaves nothing behind."""

from __future__ import annotations

import sys

import pytest

from portal.local.errors import LocalError
from tests.sandbox import recipes

HELP = """Supported events:
  charge.captured
  customer.created
  customer.deleted
  customer.updated
  invoice.paid

Usage:
  stripe trigger customer.created
"""
SEEN = ("HOME", "HTTPS_PROXY", "STRIPE_API_KEY", "NO_PROXY")
STANDING_IN = """#!{python}
import json, os, sys, urllib.request
if sys.argv[1] == "version":
    print("stripe version {version}")
elif sys.argv[2] == "--help":
    print({help!r})
elif sys.argv[2] == "customer.created":
    key = {{"Authorization": "Bearer " + sys.argv[6]}}
    urllib.request.urlopen(urllib.request.Request(sys.argv[4] + "/v1/customers", b"", key))
elif sys.argv[2] == "customer.deleted":
    sys.exit("Trigger failed: " + json.dumps({{name: os.environ.get(name) for name in {seen!r}}}))
"""


def program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
    return path


@pytest.fixture
def tool(tmp_path):
    """One recipe works, one does nothing, one fails and says what it was started with."""
    text = STANDING_IN.format(python=sys.executable, version=recipes.VERSION, help=HELP, seen=SEEN)
    return recipes.Tool(program(tmp_path / "stripe", text), tmp_path)


def test_each_recipe_is_judged_by_its_event(tool, capsys):
    assert recipes.play_all(tool) is False
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(maxsplit=1)[0] for line in lines[:3]] == [
        "customer.created",
        "customer.deleted",
        "customer.updated",
    ]
    assert lines[0].endswith(" ok")
    assert "status 1: Trigger failed" in lines[1]
    assert lines[2].endswith("no such event is listed")
    assert lines[3].startswith("1 of 3 recipes passed. Left out, because not built: manual capture")


def test_all_must_pass_and_there_must_be_some(tool, monkeypatch):
    for names, passed in ((["customer.created"], True), ([], False)):
        monkeypatch.setattr(recipes, "offered", lambda words, names=names: names)
        assert recipes.play_all(tool) is passed


def test_the_tool_sees_nothing_of_the_persons_and_reaches_nobody(tool, monkeypatch):
    monkeypatch.setenv("STRIPE_API_KEY", "sk_live_of_the_person")
    monkeypatch.setenv("NO_PROXY", "*")
    said = tool.run("trigger", "customer.deleted").stderr
    assert '"STRIPE_API_KEY": null, "NO_PROXY": null' in said
    assert f'"HOME": "{tool.home}"' in said
    assert f'"HTTPS_PROXY": "{recipes.NOWHERE}"' in said


def test_no_npm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LocalError, match="need npm"):
        recipes.install(tmp_path)


NPM = """#!{python}
import os, pathlib, sys
folder = pathlib.Path(sys.argv[sys.argv.index("--prefix") + 1])
assert sys.argv[-1] == "@stripe/cli@{version}"
place = folder / "node_modules" / ".bin" / "stripe"
place.parent.mkdir(parents=True)
place.write_text("#!/bin/sh\\necho stripe version {installed}\\n")
place.chmod(0o755)
"""


@pytest.mark.parametrize(
    ("npm", "words"),
    [
        ("#!/bin/sh\necho 'npm error 404' >&2\nexit 1\n", "could not install .*\nnpm error 404"),
        (
            NPM.format(python=sys.executable, version=recipes.VERSION, installed="0.1"),
            "does not run on this machine",
        ),
    ],
    ids=["refused", "another version"],
)
def test_npm_does_not_bring_it(monkeypatch, tmp_path, npm, words):
    program(tmp_path / "bin" / "npm", npm)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    with pytest.raises(LocalError, match=words):
        recipes.install(tmp_path / "folder")


def test_npm_brings_it(monkeypatch, tmp_path):
    text = NPM.format(python=sys.executable, version=recipes.VERSION, installed=recipes.VERSION)
    program(tmp_path / "bin" / "npm", text)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    tool = recipes.install(tmp_path / "folder")
    assert recipes.VERSION in tool.run("version").stdout
