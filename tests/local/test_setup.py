"""The way from a bare python3 to an environment: what is checked, made, and left alone."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from portal.local import bootstrap, browser
from portal.local.errors import LocalError
from tests.support.database import ROOT

Run = list[list[str]]
OLD = """#!/bin/sh
[ "$1" = --version ] && echo "Python 3.9.2" && exit 0
exit 1
"""


def set_up(folder: Path, *old: str) -> tuple[int, str]:
    """Run setup.sh beside a bootstrap that only speaks; the Pythons named `old` are too old."""
    shutil.copy(ROOT / "portal/local/setup.sh", folder)
    (folder / "bootstrap.py").write_text("import sys; print('bootstrap', *sys.argv[1:])")
    (folder / "dirname").symlink_to("/usr/bin/dirname")
    for name in old:
        (folder / name).write_text(OLD)
        (folder / name).chmod(0o755)
    done = subprocess.run(
        ["/bin/sh", str(folder / "setup.sh"), "runtime"],
        env={"PATH": f"{folder}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def test_an_old_python_is_named(tmp_path: Path) -> None:
    code, said = set_up(tmp_path, "python3")
    assert code == 1
    assert "needs Python 3.11 or newer; found Python 3.9.2" in said


def test_no_python_is_said(tmp_path: Path) -> None:
    code, said = set_up(tmp_path)
    assert code == 1
    assert "found no python3 at all" in said


def test_a_newer_python_beside_an_old_one_is_found(tmp_path: Path) -> None:
    (tmp_path / "python3.12").symlink_to(sys.executable)
    assert set_up(tmp_path, "python3") == (0, "bootstrap runtime\n")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A project of three requirement files whose commands are recorded, pip's included."""
    ran: Run = []

    def record(command: list[str], otherwise: str, environment: object = None) -> None:
        ran.append(command)
        if command[1:3] == ["-m", "venv"]:
            (tmp_path / ".venv/bin").mkdir(parents=True)
            (tmp_path / ".venv/bin/python").symlink_to(sys.executable)

    for name in bootstrap.FILES["dev"]:
        (tmp_path / name).write_text("flask==1\n")
    monkeypatch.setattr(bootstrap, "ROOT", tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(bootstrap, "PYTHON", tmp_path / ".venv/bin/python")
    monkeypatch.setattr(bootstrap, "_run", record)
    return ran


def test_the_environment_is_made_once(project: Run) -> None:
    bootstrap.main("runtime")
    assert [command[2] for command in project] == ["venv", "pip"]
    assert project[1][-4:] == [
        "-r",
        str(bootstrap.ROOT / "requirements.txt"),
        "-c",
        str(bootstrap.ROOT / "constraints.txt"),
    ]
    bootstrap.main("runtime")
    assert len(project) == 2


def test_tests_need_more_and_what_has_more_has_enough(project: Run) -> None:
    bootstrap.main("runtime")
    bootstrap.main("dev")
    assert [command[2] for command in project] == ["venv", "pip", "pip"]
    bootstrap.main("runtime")
    assert len(project) == 3


@pytest.mark.parametrize("name", ["requirements.txt", "constraints.txt"])
def test_a_changed_pin_is_installed(project: Run, name: str) -> None:
    bootstrap.main("dev")
    (bootstrap.ROOT / name).write_text("flask==2\n")
    bootstrap.main("dev")
    assert [command[2] for command in project] == ["venv", "pip", "pip"]


def test_an_environment_whose_python_is_gone_is_made_again(project: Run) -> None:
    bootstrap.main("runtime")
    bootstrap.PYTHON.unlink()
    bootstrap.PYTHON.symlink_to("/nowhere/python")
    bootstrap.main("runtime")
    assert [command[2] for command in project] == ["venv", "pip", "venv", "pip"]


def test_debian_without_venv_is_told_the_package(
    project: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match=r"apt-get install python3\.\d+-venv"):
        bootstrap.main("runtime")
    assert project == []


def test_every_requirement_is_pinned() -> None:
    for name in bootstrap.FILES["dev"]:
        for line in (ROOT / name).read_text().splitlines():
            assert line.startswith(("#", "-r ")) or "==" in line, f"{name}: {line}"


@pytest.fixture
def own_browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program that answers to --version, the only one called chromium on PATH."""
    program = tmp_path / "chromium"
    program.write_text("#!/bin/sh\necho Chromium 1\n")
    program.chmod(0o755)
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    return program


def test_the_systems_browser_serves_where_playwright_has_none(own_browser: Path) -> None:
    assert browser.ensure() == own_browser


def test_a_named_browser_comes_first(
    own_browser: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = tmp_path / "mine"
    named.write_bytes(own_browser.read_bytes())
    named.chmod(0o755)
    monkeypatch.setenv("CHROMIUM_PATH", str(named))
    assert browser.chromium() == named


def test_a_browser_that_does_not_run_is_none(
    own_browser: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own_browser.write_text("#!/bin/sh\nexit 127\n")
    tried: list[str] = []
    monkeypatch.setattr(browser, "_download", lambda: tried.append("download"))
    monkeypatch.setattr(browser, "_install", lambda: tried.append("install"))
    with pytest.raises(LocalError, match="CHROMIUM_PATH"):
        browser.ensure()
    assert tried == ["download", "install"]
