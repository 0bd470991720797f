"""`make host`: the demo host beside a `make run` that is running."""

from __future__ import annotations

import argparse
import os
import shlex
import subprocess
import sys
from pathlib import Path

from werkzeug.serving import make_server

from portal.host.app import create_host
from portal.host.billing import Billing

HOST = "127.0.0.1"
CREATE_KEY = (*(sys.executable, "-m", "flask", "--app", "app"), "keys", "create", "demo host")


def main() -> int:
    """Serve until stopped; 1, with the reason, when there is no portal to talk to."""
    parser = argparse.ArgumentParser(prog="make host")
    parser.add_argument("--port", type=int, default=int(os.environ.get("HOST_PORT", "8430")))
    parser.add_argument("--account", default="northwind")
    parser.add_argument("--email", default="owner@northwind.test")
    asked = parser.parse_args()
    noted = Path(os.environ.get("DATA_DIR") or ".data") / "environment"
    if not noted.exists():
        print("make host: start the portal first, in another terminal: make run", file=sys.stderr)
        return 1
    told = os.environ | _read(noted)
    key = os.environ.get("PORTAL_KEY") or _new_key(told)
    billing = Billing(told["PUBLIC_URL"], key, asked.account, asked.email)
    server = make_server(HOST, asked.port, create_host(billing), threaded=True)
    print(f"\n  The demo host is at  http://{HOST}:{server.port}\n  Ctrl-C stops it.\n", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    return 0


def _read(noted: Path) -> dict[str, str]:
    """The variables that `make run` notes for others."""
    words = shlex.split(noted.read_text(encoding="utf-8"))
    return dict(word.split("=", 1) for word in words)


def _new_key(told: dict[str, str]) -> str:
    made = subprocess.run(  # noqa: S603  (this very program's own command)
        [*CREATE_KEY, "--access", "write", "--portal-sessions", "--days", "1"],
        env=told, text=True, capture_output=True, check=True,
    )  # fmt: skip
    return next(word for word in made.stdout.split() if word.startswith("portal_"))


if __name__ == "__main__":
    sys.exit(main())
