"""`flask staff`: somebody is added, sets both steps up, is given another link, and ended."""

from __future__ import annotations

import pytest

from portal.factory import create_app
from portal.models.base import db
from tests.web.conftest import settings_for
from tests.web.reading import Visitor
from tests.web.staffing import KEYS, AtDesk


@pytest.fixture
def app(world, world_database):
    app = create_app(settings_for(world_database), world.gateway, lambda: world.wall)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def run(app):
    runner = app.test_cli_runner()
    return lambda *words: runner.invoke(args=["staff", *words])


def test_a_life(run, app, world):
    assert "no staff yet" in run("list").output
    made = run("add", "Ann@Staff.test", "--name", "Ann")
    assert made.exit_code == 0, (made.output, made.exception)
    link = made.stdout.strip()
    assert link.startswith("http://127.0.0.1:8420/staff/set-up/")
    assert "once, for 24 hours" in made.stderr
    assert run("list").output.split() == [
        *("waits", "for", "the", "link", "support", "ann@staff.test", "Ann")
    ]
    desk = AtDesk(world, Visitor(app.test_client())).set_up(
        link.removeprefix("http://127.0.0.1:8420")
    )
    assert desk.visitor.get(KEYS, 403)
    said = run("role", "ann@staff.test", "admin").output
    assert "has the role admin, and is signed out everywhere" in said
    assert not desk.is_in()
    desk.password()
    desk.show()
    assert "already: nothing was changed" in run("role", "ann@staff.test", "admin").output
    assert desk.is_in()
    assert run("list").output.startswith("set up ")
    again = run("reset", "ann@staff.test")
    assert again.stdout.strip() != link
    assert not desk.is_in()
    assert run("end", "ann@staff.test").exit_code == 0
    assert "no staff yet" in run("list").output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["add", "ann@staff.test"], "Missing option '--name'"),
        (["add", "ann", "--name", "Ann"], "ann is no e-mail address"),
        (["add", "ann@staff.test", "--name", "Ann", "--role", "king"], "'king' is not one of"),
        (["role", "ann@staff.test", "admin"], "Not done: staff ann@staff.test"),
        (["add", "änn@staff.test", "--name", "Ann"], "änn@staff.test is no e-mail address"),
        (["reset", "ann@staff.test"], "Not done: staff ann@staff.test"),
        (["end", "ann@staff.test"], "Not done: staff ann@staff.test"),
    ],
)
def test_what_cannot_be_says_why(run, words, said):
    done = run(*words)
    assert done.exit_code != 0
    assert said in done.output


def test_nobody_is_added_twice(run):
    run("add", "ann@staff.test", "--name", "Ann")
    done = run("add", "ANN@staff.test", "--name", "Ann")
    assert done.exit_code != 0
    assert "is staff already: flask staff reset" in done.output
