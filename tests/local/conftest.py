"""What the tests of the local servers share."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from portal.local.cluster import Cluster


@pytest.fixture
def reachable() -> Iterator[Path]:
    """A short folder that every user may enter, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="portal-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster that has been started and stopped once: to copy, never to start."""
    folder = tmp_path_factory.mktemp("initialised")
    with Cluster(folder, durable=False):
        pass
    return folder


@pytest.fixture
def kept(initialised: Path, tmp_path: Path) -> Path:
    """A folder with a stopped cluster in it, for one test."""
    subprocess.run(["cp", "-a", f"{initialised}/.", tmp_path], check=True)
    return tmp_path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """One data folder for all starts of a module: every one but the first is a second start."""
    folder = tmp_path_factory.mktemp("run")
    yield folder
    with Cluster(folder):  # clears away what a start that was killed has left
        pass
