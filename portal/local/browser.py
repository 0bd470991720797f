"""Finds Chromium for the browser tests, and gets it when there is none."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from portal.local.errors import LocalError

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DOWNLOAD_SECONDS = 60
WHERE = (
    "from playwright.sync_api import sync_playwright\n"
    "with sync_playwright() as p: print(p.chromium.executable_path)"
)
MISSING = (
    "No Chromium for the browser tests. Install one (Debian: apt-get install chromium), "
    "or name it: CHROMIUM_PATH=/path/to/chromium make test"
)


def chromium() -> Path | None:
    """The first that runs of: CHROMIUM_PATH, Playwright's own, the system's."""
    return next((path for path in _candidates() if _runs(path)), None)


def _candidates() -> Iterator[Path]:
    if named := os.environ.get("CHROMIUM_PATH"):
        yield Path(named)
    asked = subprocess.run([sys.executable, "-c", WHERE], capture_output=True, text=True)
    if asked.returncode == 0:
        yield Path(asked.stdout.strip())
    for name in NAMES:
        if found := shutil.which(name):
            yield Path(found)


def _runs(program: Path) -> bool:
    """A download without the system's libraries is there, and yet no browser."""
    try:
        return subprocess.run([program, "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def ensure() -> Path:
    """Chromium, downloaded by Playwright or installed by apt (as root) when there is none.

    Raises LocalError when neither is possible.
    """
    for get in (None, _download, _install):
        if get is not None:
            get()
        if found := chromium():
            return found
    raise LocalError(MISSING)


def _download() -> None:
    """Playwright's own; given up soon, since a closed network answers with silence."""
    _say("Downloading Chromium …")
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    patience = {"PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT": "10000"}
    try:
        subprocess.run(
            command, env=os.environ | patience, timeout=DOWNLOAD_SECONDS, capture_output=True
        )
    except subprocess.TimeoutExpired:
        _say(f"… not within {DOWNLOAD_SECONDS} s")


def _install() -> None:
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return
    _say("Installing the package chromium …")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", "update"], env=environment)
    subprocess.run(["apt-get", "-qq", "install", "--yes", "chromium"], env=environment)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        print(f"Browser tests use {ensure()}")
    except LocalError as reason:
        sys.exit(str(reason))
