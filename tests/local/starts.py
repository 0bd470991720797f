"""Runs `make run` with its stand-ins, as a process of its own, and looks at it from outside."""

from __future__ import annotations

import http.client
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Self

from tests.local.processes import descendants, gone_within
from tests.support.database import ROOT

PATIENCE = 60.0
OURS = ("DATABASE_", "STRIPE_", "PORTAL_", "SECRET_KEY", "PUBLIC_URL", "STAND_IN_", "MAKE")


def environment(folder: Path, more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without anything that speaks to the portal, and free ports."""
    plain = {k: v for k, v in os.environ.items() if not k.startswith(OURS)}
    return plain | {"DATA_DIR": str(folder), "PORT": "0", "SANDBOX_PORT": "0"} | dict(more)


class Start:
    """One start: use it in `with`, which kills what is left at the end."""

    command: tuple[str, ...] = (sys.executable, "-m", "tests.local.stand_in")

    def __init__(self, folder: Path, **more: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            env=environment(folder, more),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines: list[str] = []
        self.pids: list[int] = []
        self._said: queue.Queue[str | None] = queue.Queue()
        self._listener = threading.Thread(target=self._listen)
        self._listener.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in (self.process.pid, *descendants(self.process.pid), *self.pids):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self._listener.join()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        with self.process.stdout as lines:
            for line in lines:
                self._said.put(line)
        self._said.put(None)

    def wait_for(self, words: str) -> str:
        """The first line with `words`; remembers the processes there are by then."""
        while (line := self._said.get(timeout=PATIENCE)) is not None:
            self.lines.append(line)
            if words in line:
                self.pids = descendants(self.process.pid)
                return line
        raise AssertionError(f"ended without saying {words!r}:\n{''.join(self.lines)}")

    def ready(self) -> Self:
        self.wait_for("Ctrl-C stops everything")
        return self

    def ends(self, signum: signal.Signals | None = None) -> tuple[int, str]:
        """Wait for the end, asked for by `signum`: the exit code, and all that was said."""
        if signum is not None:
            self.process.send_signal(signum)
        while (line := self._said.get(timeout=PATIENCE)) is not None:
            self.lines.append(line)
        return self.process.wait(PATIENCE), "".join(self.lines)

    def left_nothing(self) -> bool:
        return gone_within(5, *self.pids) and not (self.folder / "environment").exists()

    def told(self, name: str) -> dict[str, str]:
        told: dict[str, str] = json.loads((self.folder / f"told-{name}.json").read_text())
        return told

    def get(self, path: str, url: str | None = None) -> tuple[int, str]:
        """Ask the portal, or the server at `url`: status and text."""
        address = (url or self.told("portal")["PUBLIC_URL"]).removeprefix("http://")
        with closing(http.client.HTTPConnection(address, timeout=PATIENCE)) as connection:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
