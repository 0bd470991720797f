"""The processes of one start: started in order, watched, stopped in the opposite order."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from portal.local.errors import LocalError
from portal.local.places import HOST, ROOT
from portal.local.processes import dies_with_parent

READY_SECONDS = 60.0
STOP_SECONDS = 15.0  # above the 10 that the server gives its own workers
PAUSE = 0.05
NAMED = re.compile(rb'"process": ?(\d+)')


class Stopped(Exception):
    """Somebody asked for the end: Ctrl-C, a closed terminal, SIGTERM."""


@dataclass(slots=True)
class Child:
    """One process in a session of its own, so that Ctrl-C reaches it only through us."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path | None = None
    last: signal.Signals = signal.SIGKILL

    def stop(self) -> None:
        """One signal to the main process alone: sent to the whole group it hangs the server."""
        with suppress(subprocess.TimeoutExpired):
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGINT)
            self.process.wait(STOP_SECONDS)
        self.kill()
        self.process.wait()

    def kill(self) -> None:
        """End it and whatever it has started, now, by its `last` signal."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, self.last)

    def said(self) -> str:
        """The end of its log, for a message."""
        if self.log is None:
            return ""
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return "".join(f"\n  {line}" for line in lines[-20:])


@dataclass(slots=True)
class Children:
    """All of them, and how often the end was asked for: the second time kills."""

    running: list[Child] = field(default_factory=list)
    asked: int = 0

    def listen(self) -> None:
        """Take over the signals that mean the end."""
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, self._on_signal)

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self.asked += 1
        if self.asked > 1:
            for child in self.running:
                child.kill()

    def check(self) -> None:
        if self.asked:
            raise Stopped

    def start(
        self, name: str, command: Sequence[str], told: Mapping[str, str], log: Path | None = None
    ) -> Child:
        """Start a process that is to live as long as we do; `log` None: it writes to our terminal.

        Raises Stopped instead, once the end was asked for.
        """
        self.check()
        with (log or Path(os.devnull)).open("wb") as written:
            output: Any = written if log else None
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=told,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGINT),
            )
        child = Child(name, process, log)
        self.running.append(child)
        return child

    def finish(self, name: str, command: Sequence[str], told: Mapping[str, str], log: Path) -> None:
        """Run a command to its end.

        Raises LocalError with the end of its log when it fails.
        """
        child = self.start(name, command, told, log)
        while (code := child.process.poll()) is None:
            self.check()
            time.sleep(PAUSE)
        self.running.remove(child)
        if code:
            raise LocalError(f"{name} failed ({_ending(code)}):{child.said()}")

    def wait_until_ready(self, child: Child, port: int) -> None:
        """Ask /healthz until it answers 200, and not from a process that another start began.

        Raises LocalError when a process ends first, or after READY_SECONDS.
        """
        deadline = time.monotonic() + READY_SECONDS
        while not _is_healthy(port, child.process.pid):
            self.check()
            self._all_alive()
            if time.monotonic() > deadline:
                raise LocalError(f"{child.name} does not answer on port {port}:{child.said()}")
            time.sleep(PAUSE)

    def watch(self) -> None:
        """Stay until the end is asked for (Stopped) or a process is gone (LocalError)."""
        while True:
            self.check()
            self._all_alive()
            time.sleep(PAUSE)

    def _all_alive(self) -> None:
        for child in self.running:
            code = child.process.poll()
            if code is not None:
                self.check()
                raise LocalError(f"{child.name} stopped by itself ({_ending(code)}){child.said()}")

    def stop(self) -> None:
        """Stop all, the last started first."""
        while self.running:
            self.running[-1].stop()
            self.running.pop()


def _is_healthy(port: int, expected: int) -> bool:
    """expected: the process that the answer names, where it names one."""
    connection = http.client.HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    named = NAMED.search(said)
    return answer.status == http.HTTPStatus.OK and (not named or int(named[1]) == expected)


def _ending(code: int) -> str:
    return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
