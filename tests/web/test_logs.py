"""What the log says of a failure: where and under which id, neither address nor parameters."""

from __future__ import annotations

import json

import pytest
import structlog
from sqlalchemy import text

from portal.models.base import db
from portal.web.logs import redact

SECRET = "s3cret-of-somebody"


@pytest.fixture
def failing(app):
    """A page that a database error breaks, and one that names secrets to the log."""

    def broken(written: str) -> str:
        db.session.execute(text("select length(:typed) / 0"), {"typed": written})
        return written

    app.add_url_rule("/sign-in/broken/<written>", "broken", broken, methods=["GET"])
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app.test_client()


def test_a_failure_is_one_line_with_the_id_that_the_page_shows(failing, capsys):
    reply = failing.get(f"/sign-in/broken/{SECRET}")
    assert reply.status_code == 500
    written = capsys.readouterr()
    lines = [json.loads(line) for line in written.out.splitlines()]
    [said] = [line for line in lines if line["event"] == "failure"]
    assert said["request_id"] in reply.text
    assert (said["method"], said["endpoint"]) == ("GET", "broken")
    assert "division by zero" in said["exception"]
    assert SECRET not in written.out + written.err


@pytest.mark.parametrize("name", ["password", "csrf_token", "client_secret", "Authorization"])
def test_no_line_carries_a_value_whose_name_speaks_of_a_secret(name, app, capsys):
    structlog.get_logger().info("said", **{name: SECRET, "page": "usage"})
    line = json.loads(capsys.readouterr().out)
    assert (line[name], line["page"]) == ("[redacted]", "usage")
    assert redact(None, "info", {name: SECRET})[name] == "[redacted]"
