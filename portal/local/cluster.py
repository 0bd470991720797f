"""The embedded PostgreSQL: one data folder per major version, a unix socket, no TCP."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self
from urllib.parse import quote

from portal.local.binaries import Binaries, choose, executable_by
from portal.local.errors import LocalError
from portal.local.processes import RunAs, dies_with_parent, unprivileged

ADMIN = "postgres"
SOCKETS = Path("/tmp")  # noqa: S108  (short, and open to every user; what is ours in it is 0700)
START_SECONDS = 60.0
STOP_SECONDS = 20.0
SETTINGS = {"listen_addresses": "", "max_connections": "100", "timezone": "UTC"}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Cluster:
    """A PostgreSQL server on the data kept in `folder`, running between start() and stop()."""

    def __init__(
        self, folder: Path, *, durable: bool = True, using: Binaries | None = None
    ) -> None:
        """`durable` False trades safety of the data for speed; `using` None: as the data needs."""
        self.folder = folder.resolve()
        self.durable = durable
        self.using = using
        self.process: subprocess.Popen[bytes] | None = None
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def admin_url(self) -> str:
        """The superuser's SQLAlchemy URL of the maintenance database."""
        return f"postgresql+psycopg://{ADMIN}@/postgres?host={quote(str(self._socket))}"

    @property
    def log(self) -> Path:
        return self.home / "log"

    def start(self) -> None:
        """Make the data folder when there is none, end a server left over, start one, wait.

        Raises LocalError when PostgreSQL is missing, in use, or does not come up.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        binaries = self.using or choose(_kept_major(self.folder))
        self.home = self.folder / f"pg{binaries.major}"
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._run_as = _run_as(self.home)
        self._binaries = executable_by(self._run_as, binaries)
        self._lock()
        end_leftover(self.home / "data")
        self._socket = self._socket_folder()
        if not (self.home / "data").exists():
            self._initialise()
        self._launch()
        self._wait_until_ready()

    def stop(self, signum: signal.Signals = signal.SIGINT) -> None:
        """Stop the server: SIGINT in good order, SIGQUIT at once (the next start recovers)."""
        if self.process is not None:
            _end(self.process, signum)
            self.process = None
        self._undo.close()

    def _lock(self) -> None:
        """Hold the folder for as long as we run, so that a second start does not end our server."""
        lock = os.open(self.home, os.O_RDONLY | os.O_DIRECTORY)
        self._undo.callback(os.close, lock)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(
                f"{self.folder} is in use by another start; stop that one, or choose DATA_DIR=…"
            ) from None

    def _seen(self) -> tuple[Path, tuple[int, ...]]:
        """The home as the server sees it, and the descriptors it needs for that.

        Where root has dropped its rights a folder above may be closed (a clone below
        /root): an open descriptor leads past it, and the data can stay where it belongs.
        """
        if self._run_as.uid is None:
            return self.home, ()
        descriptor = os.open(self.home, os.O_RDONLY | os.O_DIRECTORY)
        self._undo.callback(os.close, descriptor)
        return Path(f"/proc/self/fd/{descriptor}"), (descriptor,)

    def _socket_folder(self) -> Path:
        """A short path, for the kernel cuts a socket's name at 107 bytes; the same at each start,
        so that a start that was killed leaves nothing that the next does not clear away.
        """
        key = hashlib.sha256(str(self.home).encode()).hexdigest()[:12]
        folder = SOCKETS / f"portal-pg-{key}"
        ours = (os.geteuid(), self._run_as.uid)
        with suppress(FileNotFoundError):
            if stat.S_ISDIR(folder.lstat().st_mode) and folder.lstat().st_uid in ours:
                shutil.rmtree(folder)
        try:
            folder.mkdir(mode=0o700)
        except FileExistsError:  # somebody else's: never trust what it holds
            folder = Path(tempfile.mkdtemp(prefix="portal-pg-", dir=SOCKETS))
        self._undo.callback(shutil.rmtree, folder, ignore_errors=True)
        if self._run_as.uid is not None:
            os.chown(folder, self._run_as.uid, self._run_as.gid or 0)
        return folder

    def _initialise(self) -> None:
        """Build the data folder under another name, so that a broken attempt is never started."""
        shutil.rmtree(self.home / "draft", ignore_errors=True)
        seen, descriptors = self._seen()
        command = [
            str(self._binaries.program("initdb")),
            *("-D", str(seen / "draft"), "-U", ADMIN, "-A", "trust"),
            *("-E", "UTF8", "--locale=C.UTF-8"),
            *(() if self.durable else ("--no-sync",)),
        ]
        made = subprocess.run(
            command,
            cwd="/",
            env=_environment(),
            pass_fds=descriptors,
            user=self._run_as.uid,
            group=self._run_as.gid,
            extra_groups=self._run_as.groups,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise LocalError(f"PostgreSQL could not make its data folder:\n{made.stderr.strip()}")
        (self.home / "draft").rename(self.home / "data")

    def _launch(self) -> None:
        seen, descriptors = self._seen()
        settings = SETTINGS | {"unix_socket_directories": str(self._socket)}
        if not self.durable:
            settings |= NOT_DURABLE
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                _server_command(self._binaries, seen / "data", settings),
                cwd="/",
                env=_environment(),
                pass_fds=descriptors,
                user=self._run_as.uid,
                group=self._run_as.gid,
                extra_groups=self._run_as.groups,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is ours to pass on, to the database last
                preexec_fn=dies_with_parent(signal.SIGINT),
            )

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        process = self.process
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            if _is_ready(self.home / "data", process.pid):
                return
            time.sleep(0.02)
        log = self.log.read_text(errors="replace").strip().splitlines()
        raise LocalError("PostgreSQL did not start:\n" + "\n".join(log[-15:]))


def _kept_major(folder: Path) -> int | None:
    """The major version of the data there; of several, the one last used."""
    kept = [p for p in folder.glob("pg*/data") if p.parent.name[2:].isdigit()]
    if not kept:
        return None
    return int(max(kept, key=_last_used).parent.name[2:])


def _last_used(data: Path) -> float:
    written_at_start = data / "postmaster.opts"
    return written_at_start.stat().st_mtime if written_at_start.exists() else 0.0


def _run_as(home: Path) -> RunAs:
    """Whose server this is; makes `home` theirs.

    Raises LocalError when the data belongs to somebody whom we cannot become.
    """
    owner = home.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise LocalError(f"{home} belongs to user {owner}: start as that user, or set DATA_DIR")
    run_as = unprivileged(owner)
    if run_as is None:
        raise LocalError("PostgreSQL does not run as root: start as an ordinary user")
    if run_as.uid is not None:
        os.chown(home, run_as.uid, run_as.gid or 0)
    return run_as


def _environment() -> dict[str, str]:
    ours = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
    return ours | {"LC_ALL": "C.UTF-8"}


def _server_command(binaries: Binaries, data: Path, settings: Mapping[str, str]) -> list[str]:
    command = [str(binaries.program("postgres")), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    return command


def _is_ready(data: Path, pid: int) -> bool:
    """The server writes its state as the eighth line of postmaster.pid."""
    with suppress(FileNotFoundError):
        lines = (data / "postmaster.pid").read_text().splitlines()
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"
    return False


def _end(process: subprocess.Popen[bytes], signum: signal.Signals) -> None:
    for step in (signum, signal.SIGQUIT, signal.SIGKILL):
        process.send_signal(step)
        with suppress(subprocess.TimeoutExpired):
            process.wait(STOP_SECONDS)
            return


def end_leftover(data: Path) -> None:
    """End a server whose parent was killed before it could stop it, and forget a stale pid file.

    A number in the file proves nothing (numbers are used again): the process
    must also stand in this very folder.
    """
    pid_file = data / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = int(pid_file.read_text().split("\n", 1)[0] or 0)
    for signum in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if not _stands_in(data, pid):
            break
        os.kill(pid, signum)
        _wait_until_gone(data, pid)
    pid_file.unlink(missing_ok=True)


def _stands_in(data: Path, pid: int) -> bool:
    with suppress(OSError):
        return pid > 0 and Path(f"/proc/{pid}/cwd").resolve(strict=True) == data
    return False


def _wait_until_gone(data: Path, pid: int) -> None:
    deadline = time.monotonic() + STOP_SECONDS
    while _stands_in(data, pid) and time.monotonic() < deadline:
        time.sleep(0.02)
