"""How a `make run` ends: by itself, by force, half way; and that nothing outlives it."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from tests.local.processes import gone_within
from tests.local.starts import Start


def test_when_one_process_dies_the_rest_is_stopped(folder: Path) -> None:
    with Start(folder) as start:
        start.ready()
        sandbox = int(start.get("/pid", start.told("portal")["STRIPE_API_BASE"])[1])
        os.kill(sandbox, signal.SIGKILL)
        code, said = start.ends()
        assert code == 1
        assert "The Stripe sandbox stopped by itself (SIGKILL)" in said
        assert start.left_nothing()


def test_when_the_database_dies_the_rest_is_stopped(folder: Path) -> None:
    with Start(folder) as start:
        start.ready()
        (pid_file,) = folder.glob("pg*/data/postmaster.pid")
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGINT)
        code, said = start.ends()
        assert code == 1
        assert "PostgreSQL stopped by itself (exit code 0)" in said
        assert start.left_nothing()


def test_a_failing_migration_says_why_and_serves_nothing(folder: Path) -> None:
    with Start(folder, STAND_IN_FAILS="migrate") as start:
        code, said = start.ends()
    assert code == 1
    assert "The migration failed (exit code 3):\n  a reason to read" in said
    assert "The portal is at" not in said


def test_a_start_can_be_stopped_half_way(folder: Path) -> None:
    with Start(folder, STAND_IN_STUCK="demo") as start:
        while not (folder / "told-demo.json").exists():
            time.sleep(0.05)
        (folder / "told-demo.json").unlink()
        while not (folder / "told-demo.json").exists():
            time.sleep(0.05)
        asked = time.monotonic()
        assert start.ends(signal.SIGINT)[0] == 0
        assert time.monotonic() - asked < 5
        assert start.left_nothing()


def test_the_second_signal_kills(folder: Path) -> None:
    with Start(folder, STAND_IN_DEAF="sandbox") as start:
        start.ready()
        start.process.send_signal(signal.SIGINT)
        start.wait_for("Stopping")
        time.sleep(1)
        assert start.process.poll() is None
        asked = time.monotonic()
        assert start.ends(signal.SIGINT)[0] == 0
        assert time.monotonic() - asked < 5
        assert start.left_nothing()


def test_nothing_outlives_a_start_that_was_killed(folder: Path) -> None:
    with Start(folder) as start:
        start.ready()
        start.process.kill()
        assert gone_within(8, *start.pids)
    with Start(folder) as again:
        again.ready()
        assert again.ends(signal.SIGINT)[0] == 0


class Make(Start):
    """A start through `make`, by the recipe in the file RECIPE."""

    command = ("sh", "-c", 'exec make -f "$RECIPE" run')


def test_nothing_outlives_a_make_that_was_killed(folder: Path, tmp_path: Path) -> None:
    recipe = tmp_path / "Makefile"
    recipe.write_text(f".PHONY: run\nrun:\n\t@exec {sys.executable} -m tests.local.stand_in\n")
    with Make(folder, RECIPE=str(recipe)) as start:
        start.ready()
        start.process.kill()
        assert start.left_nothing()
