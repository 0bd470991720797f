"""Child processes that never outlive this one, and the account they run as."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)


@dataclass(frozen=True, slots=True)
class RunAs:
    """The system account of a child; `uid` None keeps our own."""

    uid: int | None = None
    gid: int | None = None

    @property
    def groups(self) -> list[int] | None:
        return None if self.uid is None else []


def unprivileged(owner: int | None = None) -> RunAs | None:
    """Whom root becomes to run PostgreSQL, which refuses to run as root.

    An existing data folder's `owner` comes first. None: no such account.
    """
    if os.geteuid() != 0:
        return RunAs()
    if owner:
        return RunAs(owner, _group_of(owner))
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return RunAs(entry.pw_uid, entry.pw_gid)
    return None


def _group_of(uid: int) -> int:
    try:
        return pwd.getpwuid(uid).pw_gid
    except KeyError:  # a bind mount from another machine: ids without names
        return uid


def end_with_parent(signum: signal.Signals) -> None:
    """Ask the kernel for `signum` when the process that started this one is gone."""
    _libc.prctl(PR_SET_PDEATHSIG, signum)


def dies_with_parent(signum: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `signum` when this process is gone, however it went."""
    parent = os.getpid()

    def ask_kernel() -> None:
        end_with_parent(signum)
        if os.getppid() != parent:  # gone before the kernel was asked
            os._exit(1)

    return ask_kernel


def may_execute(program: Path, run_as: RunAs) -> bool:
    """Whether `run_as` reaches `program` through every folder above it."""
    found = subprocess.run(
        ["test", "-x", program],
        cwd="/",
        user=run_as.uid,
        group=run_as.gid,
        extra_groups=run_as.groups,
    )
    return found.returncode == 0
