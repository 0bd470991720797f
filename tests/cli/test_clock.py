"""`flask clock`: moves an account's time on, and says when somebody else does so already."""

from __future__ import annotations

from datetime import timedelta

from portal.services import clock
from portal.services.recording import Doer
from portal.services.till import Till


def test_it_moves_and_says_how_far_it_has_come(world, commands):
    actor = world.account()
    done = commands("clock", "advance", "account1", "--to", "2026-05-02")
    assert done.exit_code == 0, done.output
    assert "2026-05-01 00:00 UTC: 1 step" in done.output
    assert "account1: now 2026-05-02 00:00 UTC, 1 step taken." in done.output
    assert world.state(actor).now.isoformat() == "2026-05-02T00:00:00+00:00"


def test_beside_another_it_moves_nothing_and_says_so(world, commands):
    actor, said = world.account(), []

    def meanwhile() -> bool:
        said.append(commands("clock", "advance", "account1", "--to", "2026-09-01"))
        return True

    with world.session() as session:
        desk = Till(session, world.gateway, world.scope, world.wall, Doer("x", actor.account_id))
        clock.advance(desk, actor.account_id, world.now + timedelta(days=1), enough=meanwhile)
    assert said[0].exit_code == 1
    assert "The clock of account1 is being moved already." in said[0].output
    assert world.state(actor).now == world.now + timedelta(days=1)
