"""Where a start puts itself, and what is refused before anything has started."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from portal.local.environment import for_children, kept_secrets, wants_sandbox
from portal.local.errors import LocalError
from portal.local.places import Places, places
from portal.local.roles import Urls

AT = Places(8420, 8421, Path("/nowhere"))
URLS = Urls(owner="postgresql+psycopg://portal_owner@/d", app="postgresql+psycopg://portal_app@/d")


@pytest.mark.parametrize("value", ["http", "-1", "65536", "8420.5", "²"])
def test_what_is_no_port_is_refused(value: str) -> None:
    with pytest.raises(LocalError, match=f"PORT={value} is not a port"):
        places({"PORT": value})


def test_zero_finds_two_free_ports() -> None:
    found = places({"PORT": "0", "SANDBOX_PORT": "0"})
    for port in {found.port, found.sandbox_port}:
        with socket.create_server(("127.0.0.1", port)):
            assert port > 1023


def test_both_on_one_port_is_refused() -> None:
    free = str(places({"PORT": "0", "SANDBOX_PORT": "0"}).port)
    with pytest.raises(LocalError, match="both"):
        places({"PORT": free, "SANDBOX_PORT": free})


def test_a_port_shared_on_purpose_is_taken_all_the_same() -> None:
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(LocalError, match="is taken"):
            places({"PORT": str(other.getsockname()[1]), "SANDBOX_PORT": "0"})


def test_what_the_person_set_wins_except_over_the_database_role(tmp_path: Path) -> None:
    given = {
        "SECRET_KEY": "mine",
        "PUBLIC_URL": "https://billing.example",
        "DATABASE_URL": "postgresql://me@/d",
        "DATABASE_OWNER_URL": "postgresql://me@/d",
        "STRIPE_WEBHOOK_SECRET": "",
    }
    kept = kept_secrets(tmp_path)
    told = for_children(given, AT, URLS, kept)
    assert (told["SECRET_KEY"], told["PUBLIC_URL"]) == ("mine", "https://billing.example")
    assert told["DATABASE_URL"] == URLS.app
    assert "DATABASE_OWNER_URL" not in told
    assert told["STRIPE_WEBHOOK_SECRET"] == kept["STRIPE_WEBHOOK_SECRET"]
    assert told["STRIPE_API_BASE"] == "http://127.0.0.1:8421"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({}, True),
        ({"STRIPE_SECRET_KEY": ""}, True),
        ({"STRIPE_SECRET_KEY": "sk_test_mine"}, False),
        ({"STRIPE_SECRET_KEY": "rk_test_mine"}, False),
        ({"STRIPE_API_BASE": "http://127.0.0.1:1"}, False),
    ],
)
def test_the_sandbox_starts_unless_somebody_brings_their_own(
    given: dict[str, str], wanted: bool
) -> None:
    assert wants_sandbox(given) is wanted
