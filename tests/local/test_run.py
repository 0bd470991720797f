"""`make run` as a person meets it: one start, many ways to end, nothing left behind."""

from __future__ import annotations

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import unquote

import pytest

from portal.local.cluster import Cluster
from portal.local.roles import connect
from tests.local.starts import Start


def test_a_start_serves_and_tells_each_process_what_it_needs(folder: Path) -> None:
    with Start(folder) as start:
        start.ready()
        assert start.get("/healthz")[0] == 200
        portal = start.told("portal")
        assert start.get("/healthz", portal["STRIPE_API_BASE"])[0] == 200
        assert portal["DATABASE_URL"].startswith("postgresql+psycopg://portal_app@")
        assert "DATABASE_OWNER_URL" not in portal
        assert "//portal_owner@" in start.told("migrate")["DATABASE_OWNER_URL"]
        assert (portal["PORTAL_ENVIRONMENT"], portal["PORTAL_DEMO"]) == ("development", "1")
        assert portal["STRIPE_SECRET_KEY"].startswith("sk_test_")
        assert len(portal["SECRET_KEY"]) > 40
        assert portal["MAIL_FOLDER"] == str(folder / "mail")
        assert str(folder / "mail") in "".join(start.lines)
        wait_for_file(folder / "told-worker.json")
        assert start.told("worker") == portal
        assert any(line.strip().startswith("Stripe sandbox") for line in start.lines)
        assert "owner@northwind.test" in "".join(start.lines)
        code, said = start.ends(signal.SIGINT)
        assert (code, "Traceback" in said) == (0, False)
        assert start.left_nothing()


def wait_for_file(path: Path) -> None:
    deadline = time.monotonic() + 10
    while not path.exists() and time.monotonic() < deadline:
        time.sleep(0.05)


def test_a_second_start_keeps_data_and_secrets(folder: Path) -> None:
    with Start(folder) as first:
        first.ready()
        with connect(first.told("migrate")["DATABASE_OWNER_URL"]) as owner:
            owner.execute("CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer")
        before = first.told("portal")
        assert first.ends(signal.SIGTERM)[0] == 0
        assert first.left_nothing()
    with Start(folder) as second:
        second.ready()
        with connect(second.told("portal")["DATABASE_URL"]) as app:
            assert app.execute("SELECT answer FROM kept").fetchone() == (42,)
        for name in ("SECRET_KEY", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
            assert second.told("portal")[name] == before[name]
        assert second.ends(signal.SIGHUP)[0] == 0
        assert second.left_nothing()


def test_what_is_private_is_for_its_owner_alone(folder: Path) -> None:
    with Start(folder) as start:
        start.ready()
        for name in ("secrets.json", "environment"):
            assert (folder / name).stat().st_mode & 0o777 == 0o600


def test_a_request_under_way_is_answered(folder: Path) -> None:
    with Start(folder) as start, ThreadPoolExecutor(1) as other:
        start.ready()
        answer = other.submit(start.get, "/slow")
        time.sleep(0.3)
        start.process.send_signal(signal.SIGINT)
        assert answer.result()[0] == 200
        assert start.ends()[0] == 0


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT"])
def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with Start(tmp_path / "none", **{name: port}) as start:
            code, said = start.ends()
    assert (code, said) == (1, f"make run: port {port} is taken; choose another with {name}=…\n")
    assert not (tmp_path / "none").exists()


def test_a_second_start_beside_the_first_is_refused(folder: Path) -> None:
    with Start(folder) as first:
        first.ready()
        with Start(folder) as second:
            code, said = second.ends()
        assert code == 1
        assert "in use by another start" in said
        assert first.get("/healthz")[0] == 200


def test_a_stripe_account_of_ones_own_needs_no_sandbox(folder: Path) -> None:
    with Start(folder, STRIPE_SECRET_KEY="sk_test_mine") as start:
        start.ready()
        told = start.told("portal")
        assert told["STRIPE_SECRET_KEY"] == "sk_test_mine"
        assert "STRIPE_API_BASE" not in told
        assert not any(line.strip().startswith("Stripe sandbox") for line in start.lines)


def test_a_live_key_is_refused(folder: Path) -> None:
    with Start(folder, STRIPE_SECRET_KEY="sk_live_mine") as start:
        code, said = start.ends()
    assert code == 1
    assert "STRIPE_SECRET_KEY is not a test key" in said
    assert "sk_live_mine" not in said


def test_the_embedded_database_is_refused_outside_development(folder: Path) -> None:
    with Start(folder, PORTAL_ENVIRONMENT="production") as start:
        code, said = start.ends()
    assert code == 1
    assert "set DATABASE_URL" in said


def test_a_database_of_ones_own_is_used_as_the_apps_role(folder: Path, kept: Path) -> None:
    with (
        Cluster(kept, durable=False) as own,
        Start(folder, DATABASE_URL=own.admin_url) as start,
    ):
        start.ready()
        assert str(own._socket) in unquote(start.told("portal")["DATABASE_URL"])
        with connect(start.told("portal")["DATABASE_URL"]) as app:
            assert app.execute("SELECT current_user::text").fetchone() == ("portal_app",)
        assert start.ends(signal.SIGINT)[0] == 0


def test_two_urls_of_ones_own_are_used_as_given(folder: Path) -> None:
    given = {"DATABASE_URL": "postgresql://a@h/d", "DATABASE_OWNER_URL": "postgresql://o@h/d"}
    with Start(folder, **given) as start:
        start.ready()
        assert start.told("portal")["DATABASE_URL"] == "postgresql+psycopg://a@h/d"
        assert start.told("migrate")["DATABASE_OWNER_URL"] == "postgresql+psycopg://o@h/d"
