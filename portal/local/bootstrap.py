"""Makes the virtual environment and installs what is pinned; run by the system's Python, alone.

`python bootstrap.py runtime` is what `make run` needs, `dev` adds what checks and tests need.
Nothing happens when neither the requirements nor the Python have changed since the last time.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
FILES = {
    "runtime": ("requirements.txt", "constraints.txt"),
    "dev": ("requirements-dev.txt", "requirements.txt", "constraints.txt"),
}


def main(kind: str) -> None:
    """Leave an environment of `kind` in .venv; two starts at once take turns."""
    with (ROOT / "requirements.txt").open() as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if any(_stamp(k).exists() and _works() for k in {kind, "dev"}):
            return
        if not _works():
            _make_venv()
        _install(kind)


def _stamp(kind: str) -> Path:
    """A file whose name changes with the requirements and the Python."""
    digest = hashlib.sha256(sys.version.encode())
    for name in FILES[kind]:
        digest.update((ROOT / name).read_bytes())
    return VENV / f".{kind}-{digest.hexdigest()[:16]}"


def _works() -> bool:
    """False too for the remains of an interrupted start, or of a Python since removed."""
    if not PYTHON.exists():
        return False
    tried = subprocess.run([PYTHON, "-c", "import pip"], capture_output=True)
    return tried.returncode == 0


def _make_venv() -> None:
    if importlib.util.find_spec("ensurepip") is None:
        _install_venv_package()
    _say("Making a virtual environment in .venv")
    shutil.rmtree(VENV, ignore_errors=True)
    _run([sys.executable, "-m", "venv", str(VENV)], "The virtual environment could not be made.")


def _install_venv_package() -> None:
    """Debian keeps a part of venv in a package of its own."""
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    needed = f"Python lacks its venv module: run `apt-get install {package}` as root."
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        sys.exit(needed)
    _say(f"Installing {package}")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "-qq", "update"], env=environment)
    _run(["apt-get", "-qq", "install", "--yes", package], needed, environment)


def _install(kind: str) -> None:
    _say(f"Installing the {kind} requirements into .venv (once; a minute or so)")
    _run(
        [
            *(str(PYTHON), "-m", "pip", "install", "-qq", "--no-input"),
            *("--disable-pip-version-check", "--require-virtualenv"),
            *("-r", str(ROOT / FILES[kind][0]), "-c", str(ROOT / "constraints.txt")),
        ],
        "The requirements could not be installed; the reason is above.",
    )
    for old in VENV.glob(f".{kind}-*"):
        old.unlink()
    _stamp(kind).touch()


def _run(command: list[str], otherwise: str, environment: dict[str, str] | None = None) -> None:
    if subprocess.run(command, env=environment, stdin=subprocess.DEVNULL).returncode:
        sys.exit(otherwise)


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    if sys.argv[1:] not in (["runtime"], ["dev"]):
        sys.exit("usage: bootstrap.py runtime|dev")
    main(sys.argv[1])
