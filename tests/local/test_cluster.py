"""The embedded server: starts, keeps, stops, recovers, whoever runs it and wherever it lies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from portal.local import binaries, cluster
from portal.local.binaries import Binaries, choose, executable_by, installed
from portal.local.cluster import Cluster
from portal.local.errors import LocalError
from portal.local.processes import may_execute, unprivileged
from portal.local.roles import connect
from tests.local.processes import alive, gone_within
from tests.support.database import ROOT

INSTALLED = list(installed())


def server_pid(running: Cluster) -> int:
    assert running.process is not None
    return running.process.pid


@pytest.mark.parametrize("each", INSTALLED, ids=lambda each: f"{each.major}")
def test_every_installation_keeps_data_over_a_restart(each: Binaries, tmp_path: Path) -> None:
    with Cluster(tmp_path, durable=False, using=each) as first, connect(first.admin_url) as admin:
        assert admin.info.server_version // 10000 == each.major
        admin.execute("CREATE TABLE kept AS SELECT 42 AS answer")
    with Cluster(tmp_path, durable=False) as second, connect(second.admin_url) as admin:
        assert admin.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_the_wheel_brings_a_server() -> None:
    assert any(binaries.WHEEL in str(each.folder) for each in INSTALLED)


def test_debian_comes_first_unless_the_wheel_is_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    first_of_debian = sorted(binaries.DEBIAN.glob("*/bin/initdb"))
    assert (binaries.DEBIAN in INSTALLED[0].folder.parents) == bool(first_of_debian)
    monkeypatch.setenv("PG_FORCE_WHEEL", "1")
    assert binaries.WHEEL in str(choose(None).folder)


def test_an_ordinary_user_can_start_it(reachable: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.local.ordinary_user", str(reachable)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["answer"] == 42
    assert said["owner"] == said["us"] != 0


def test_root_drops_its_rights_even_below_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with Cluster(closed / "in", durable=False) as running:
        assert Path(f"/proc/{server_pid(running)}").stat().st_uid != 0
        assert Path(f"/proc/{server_pid(running)}/cwd").resolve() == running.home / "data"


def test_programs_below_a_closed_folder_are_copied_for_the_dropped_user(
    tmp_path: Path, reachable: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(binaries, "COPIES", reachable / "copies")
    original = next(each for each in INSTALLED if binaries.WHEEL in str(each.folder))
    package = original.folder.parents[1]
    site = tmp_path / "site"
    site.mkdir(mode=0o700)
    for name in (f"{package.name}/{original.folder.parent.name}", f"{package.name}.libs"):
        (site / name).parent.mkdir(exist_ok=True)
        subprocess.run(["cp", "-a", package.parent / name, site / name], check=True)
    closed = Binaries(site / original.folder.relative_to(package.parent), original.major)
    run_as = unprivileged()
    assert run_as is not None
    usable = executable_by(run_as, closed)
    assert may_execute(usable.program("postgres"), run_as)
    assert (usable.folder == closed.folder) == (os.geteuid() != 0)
    subprocess.run(
        [usable.program("initdb"), "--version"],
        check=True,
        capture_output=True,
        user=run_as.uid,
        group=run_as.gid,
    )
    assert executable_by(run_as, closed) == usable


def test_the_programs_match_the_data(tmp_path: Path) -> None:
    oldest = min(INSTALLED, key=lambda each: each.major)
    (tmp_path / f"pg{oldest.major}" / "data").mkdir(parents=True)
    assert cluster._kept_major(tmp_path) == oldest.major
    assert choose(oldest.major).major == oldest.major


def test_data_of_a_version_that_is_gone_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "pg9" / "data").mkdir(parents=True)
    with pytest.raises(LocalError, match="PostgreSQL 9, which is no longer installed"):
        Cluster(tmp_path).start()
    assert [p.name for p in tmp_path.iterdir()] == ["pg9"]


def test_of_two_versions_of_data_the_one_last_used_is_taken(tmp_path: Path) -> None:
    for major, used in ((15, 200), (18, 100)):
        data = tmp_path / f"pg{major}" / "data"
        data.mkdir(parents=True)
        (data / "postmaster.opts").touch()
        os.utime(data / "postmaster.opts", (used, used))
    assert cluster._kept_major(tmp_path) == 15


def test_an_interrupted_initdb_is_done_again(tmp_path: Path) -> None:
    home = tmp_path / f"pg{choose(None).major}"
    (home / "draft").mkdir(parents=True)
    (home / "draft" / "PG_VERSION").write_text("half")
    with Cluster(tmp_path, durable=False) as running, connect(running.admin_url) as admin:
        assert admin.execute("SELECT 1").fetchone() == (1,)


def test_a_server_left_over_is_ended_and_a_new_one_started(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "dies_with_parent", lambda signum: None)
    orphan = Cluster(kept, durable=False)
    orphan.start()
    left = server_pid(orphan)
    orphan._undo.close()  # as if its parent had been killed: the lock goes, the server stays
    assert alive(left)
    with Cluster(kept, durable=False) as running, connect(running.admin_url) as admin:
        assert admin.execute("SELECT 1").fetchone() == (1,)
        assert not alive(left)
    orphan.stop()


def test_a_stale_pid_file_harms_nobody(kept: Path) -> None:
    (data,) = kept.glob("pg*/data")
    innocent = subprocess.Popen(["sleep", "60"])
    try:
        (data / "postmaster.pid").write_text(f"{innocent.pid}\n{data}\n")
        with Cluster(kept, durable=False) as running, connect(running.admin_url) as admin:
            assert admin.execute("SELECT 1").fetchone() == (1,)
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_the_server_ends_when_its_parent_is_killed(kept: Path) -> None:
    code = (
        "import sys, time, pathlib; from portal.local.cluster import Cluster\n"
        "c = Cluster(pathlib.Path(sys.argv[1]), durable=False); c.start()\n"
        "print(c.process.pid, flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", code, str(kept)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        pid = int(holder.stdout.readline())
        holder.kill()
    assert gone_within(5, pid)
    with Cluster(kept, durable=False) as again:
        socket = again._socket
    assert not socket.exists()


def test_a_second_start_on_the_same_data_is_refused(kept: Path) -> None:
    with Cluster(kept, durable=False) as first:
        with pytest.raises(LocalError, match="in use by another start"):
            Cluster(kept, durable=False).start()
        assert alive(server_pid(first))


def test_stop_leaves_no_process_and_no_socket(kept: Path) -> None:
    running = Cluster(kept, durable=False)
    running.start()
    pid, socket = server_pid(running), running._socket
    assert list(socket.glob(".s.PGSQL.*"))
    running.stop(signal.SIGQUIT)
    assert not alive(pid)
    assert not socket.exists()


def test_a_server_that_cannot_start_says_why(kept: Path) -> None:
    (settings,) = kept.glob("pg*/data/postgresql.conf")
    settings.write_text("no_such_setting = 1\n")
    with pytest.raises(LocalError, match="no_such_setting"):
        Cluster(kept, durable=False).start()
