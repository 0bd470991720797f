"""Puts a sandbox on a port of this machine, and on no other machine's way."""

from __future__ import annotations

import ipaddress

from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of requests that were answered."""


def check_loopback(host: str) -> None:
    """Raises ValueError for an address that other machines could reach."""
    try:
        local = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise ValueError(f"{host} is not a loopback address: the sandbox serves this machine only")


def bind(
    app: Flask, port: int = 0, host: str = "127.0.0.1", verbose: bool = False
) -> BaseWSGIServer:
    """A server that has its port (0: any free one) and waits for serve_forever()."""
    check_loopback(host)
    handler = WSGIRequestHandler if verbose else _Quiet
    return make_server(host, port, app, threaded=True, request_handler=handler)
