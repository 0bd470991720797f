"""`flask keys`: from a new key to its end."""

from __future__ import annotations

from functools import partial

import pytest


@pytest.fixture
def run(commands):
    return partial(commands, "keys")


def test_a_life(run, world):
    assert "no key yet" in run("list").output
    made = run("create", "chat host", "--access", "write", "--days", "90")
    assert made.exit_code == 0, (made.output, made.exception)
    written = made.stdout.strip()
    prefix = written.split("_")[2]
    assert "cannot be shown again" in made.stderr
    line = run("list").output
    assert line.split()[:2] == [prefix, "write"]
    assert "until 2026-07-10" in line
    assert "never used" in line
    assert "chat host" in line
    assert written not in line
    new = run("rotate", prefix, "--overlap", "1")
    assert new.stdout.strip().startswith("portal_development_")
    assert new.stdout.strip() != written
    world.pass_time(hours=1)
    assert "expired" in run("list").output
    assert "portal-sessions" not in run("list").output, "to write is not to sign members in"
    other = new.stdout.strip().split("_")[2]
    assert run("revoke", other).exit_code == 0
    assert "revoked" in run("list").output


def test_signing_members_in_is_asked_for_and_goes_on_in_a_rotated_key(run):
    made = run("create", "button", "--access", "read", "--portal-sessions")
    prefix = made.stdout.strip().split("_")[2]
    assert run("list").output.split()[:3] == [prefix, "read", "+portal-sessions"]
    run("rotate", prefix)
    assert run("list").output.count("read +portal-sessions") == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["revoke", "nothing"], "Not revoked: key nothing"),
        (["rotate", "nothing"], "Not rotated: key nothing"),
        (["create", "x"], "Missing option '--access'"),
        (["create", "x", "--access", "all"], "'all' is not one of"),
        (["create", "x", "--access", "portal-sessions"], "'portal-sessions' is not one of"),
        (["rotate", "x", "--overlap", "169"], "169 is not in the range"),
    ],
)
def test_what_cannot_be_says_why(run, words, said):
    done = run(*words)
    assert done.exit_code != 0
    assert said in done.output
