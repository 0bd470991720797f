"""Stands in for migration, demo, sandbox, portal and worker, so that a start is tested by itself.

`python -m tests.local.stand_in` is `make run` with these; `… serve NAME PORT`, `… stay NAME` and
`… step NAME` are what it then runs, and `app` is behind the real server. All leave what they were
told in DATA_DIR/told-NAME.json.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING
from wsgiref.simple_server import make_server

from portal.local.run import Commands, main

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

ME = (sys.executable, "-m", "tests.local.stand_in")


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """/healthz; /slow takes 1 s; each answers with the process to kill."""
    if environ["PATH_INFO"] == "/slow":
        time.sleep(1)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [str(os.getpid()).encode()]


def remember(name: str) -> None:
    folder = Path(os.environ["DATA_DIR"])
    written = folder / f"telling-{name}"
    written.write_text(json.dumps(dict(os.environ)))
    written.rename(folder / f"told-{name}.json")  # whoever waits for it finds it whole


def step(name: str) -> int:
    """One command that ends: STAND_IN_FAILS names the one that fails, STAND_IN_STUCK that hangs."""
    remember(name)
    if os.environ.get("STAND_IN_STUCK") == name:
        time.sleep(60)
    if os.environ.get("STAND_IN_FAILS") == name:
        print("a reason to read")
        return 3
    return 0


def serve(name: str, port: int) -> int:
    """A server; STAND_IN_DEAF makes it deaf to the first signal."""
    remember(name)
    if os.environ.get("STAND_IN_DEAF") == name:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        make_server("127.0.0.1", port, app).serve_forever()
    except KeyboardInterrupt:
        return 0
    return 1


def stay(name: str) -> int:
    """A process without a port."""
    remember(name)
    try:
        signal.pause()
    except KeyboardInterrupt:
        return 0
    return 1


def commands() -> Commands:
    return Commands(
        migrate=(*ME, "step", "migrate"),
        demo=(*ME, "step", "demo"),
        sandbox=(*ME, "serve", "sandbox", "{sandbox_port}"),
        portal=(*Commands().portal[:-1], "tests.local.stand_in:app"),
        worker=(*ME, "stay", "worker"),
    )


if __name__ == "tests.local.stand_in" and os.environ.get("PORTAL_DEMO"):
    remember("portal")

if __name__ == "__main__":
    match sys.argv[1:]:
        case ["step", name]:
            sys.exit(step(name))
        case ["stay", name]:
            sys.exit(stay(name))
        case ["serve", name, port]:
            sys.exit(serve(name, int(port)))
        case _:
            sys.exit(main(commands()))
