"""A start waits for its own processes, not for another start's that holds the same port."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from portal.local.children import Children
from portal.local.errors import LocalError


@pytest.fixture
def anothers() -> Iterator[int]:
    """The port of a sandbox that another start began."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Healthy)
    serving = threading.Thread(target=server.serve_forever, args=(0.02,))
    serving.start()
    yield server.server_port
    server.shutdown()
    serving.join()
    server.server_close()


class Healthy(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps({"status": "ok", "process": 1}).encode())

    def log_message(self, *said: object) -> None:
        pass


def test_anothers_sandbox_is_not_taken_for_ones_own(anothers, tmp_path):
    children = Children()
    lost = (sys.executable, "-c", "raise SystemExit('the port is taken')")
    child = children.start("The Stripe sandbox", lost, {}, tmp_path / "log")
    with pytest.raises(LocalError, match=r"sandbox stopped by itself .*\s.*is taken"):
        children.wait_until_ready(child, anothers)
    children.stop()
