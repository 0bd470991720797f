"""`python -m portal.sandbox`: run the Stripe sandbox as a process of its own."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

from portal.sandbox.app import create_sandbox
from portal.sandbox.serving import bind, check_loopback
from portal.sandbox.webhooks import Endpoint


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portal.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8420, help="0 takes any free port")
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument("--state", type=Path, help="SQLite file; without it nothing is kept")
    parser.add_argument("--webhook-url", help="where events are delivered")
    parser.add_argument("--webhook-secret", help="whsec_... that signs them")
    parser.add_argument("--public-base", help="how browsers reach it, if not by the API's address")
    parser.add_argument("--verbose", action="store_true", help="log every request")
    given = parser.parse_args(words)
    if bool(given.webhook_url) != bool(given.webhook_secret):
        parser.error("--webhook-url and --webhook-secret go together")
    try:
        check_loopback(given.host)
    except ValueError as error:
        parser.error(str(error))
    return given


def main() -> None:
    given = arguments()
    endpoint = Endpoint(given.webhook_url, given.webhook_secret) if given.webhook_url else None
    app = create_sandbox(given.state, endpoint, public_base=given.public_base)
    server = bind(app, given.port, given.host, given.verbose)

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    print(f"Stripe sandbox ready on http://{server.host}:{server.port}", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        server.server_close()
        app.extensions["sandbox"].close()


if __name__ == "__main__":
    main()
