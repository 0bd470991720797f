"""`flask webhooks`: from a new endpoint to its end."""

from __future__ import annotations

import pytest

from portal.domain.webhooks import Answer, secret_of
from portal.factory import create_app
from portal.models.base import db
from portal.services.delivering import deliver_due
from tests.services.hearing import Host
from tests.web.conftest import settings_for


@pytest.fixture
def run(world, world_database):
    app = create_app(settings_for(world_database), world.gateway, lambda: world.wall)
    runner = app.test_cli_runner()
    yield lambda *words: runner.invoke(args=["webhooks", *words])
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


def test_a_life(run, world):
    assert "Nobody is told" in run("list").output
    made = run("add", "https://host.test/hook", "--type", "purchase.settled")
    master = "a secret for tests that is long enough"
    assert made.stdout.strip() == secret_of(master, world.scope.environment_id, 1, 1)
    world.buy(world.account(), "salesforce")
    with world.session() as session:
        host = Host(Answer(500, "out of\norder"))
        deliver_due(session, world.scope, courier=host, now=lambda: world.wall)
    line = run("list").output
    assert "1  active  1 waiting, 0 failed  https://host.test/hook  purchase.settled" in line
    told = run("messages", "1").output
    assert "purchase.settled  purchase:1  queued  1 tries  500  out of order" in told
    assert run("rotate", "1").stdout.strip() == secret_of(master, world.scope.environment_id, 1, 2)
    assert run("pause", "1").exit_code == 0
    assert "paused" in run("list").output
    assert run("resume", "1").exit_code == 0
    assert "0 messages" in run("replay", "1", "--since", "2020-01-01").output
    assert run("remove", "1").exit_code == 0
    assert "Nobody is told" in run("list").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "ftp://x"], "Not done: the address must be"),
        (["add", "https://x.test", "--type", "nothing"], "nothing is called nothing"),
        (["pause", "9"], "Not done: webhook 9"),
        (["rotate", "9"], "Not done: webhook 9"),
        (["replay", "9", "--since", "2026-01-01"], "Not done: webhook 9"),
    ],
)
def test_what_cannot_be_says_why(run, words, said):
    done = run(*words)
    assert done.exit_code == 1
    assert said in done.output
