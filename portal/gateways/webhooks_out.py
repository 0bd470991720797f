"""Hands messages to the host by HTTP: signed, never redirected, never into our own network."""

from __future__ import annotations

import http.client
import io
import ipaddress
import socket
import ssl
import time
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

from portal.domain.webhooks import (
    LONGEST_ANSWER,
    SIGNATURE,
    Answer,
    NotDelivered,
    Parcel,
    secret_of,
    signature,
)

TIMEOUT_S = 10.0
"""For a whole try, however it drips; only the name is looked up in the resolver's own time."""
BODY_S = 2.0
"""For what the answer says, once its status is there."""
PORTS = {"http": 80, "https": 443}


class HttpCourier:
    """master: what the endpoints' secrets are made of.

    private: whether addresses that are not of the public internet may be sent to; without it
    http is refused too.
    """

    def __init__(
        self,
        master: str,
        *,
        private: bool = False,
        timeout_s: float = TIMEOUT_S,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._master = master
        self._private = private
        self._timeout_s = timeout_s
        self._context = context or ssl.create_default_context()

    def send(self, parcel: Parcel, at: datetime) -> Answer:
        """What the endpoint answers. Raises NotDelivered."""
        parts = urlsplit(parcel.url)
        try:
            line = self._connect(parts)
            try:
                return self._post(line, parts, parcel, at)
            finally:
                line.hang_up()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}"[:LONGEST_ANSWER]) from None

    def _post(self, line: _Line, parts: SplitResult, parcel: Parcel, at: datetime) -> Answer:
        secrets = tuple(
            secret_of(self._master, parcel.environment_id, parcel.endpoint_id, generation)
            for generation in parcel.generations
        )
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "billing-portal",
            SIGNATURE: signature(secrets, parcel.body, at),
        }
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        connection.sock = line
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, parcel.body, headers)
        answer = connection.getresponse()
        line.ends_at = min(line.ends_at, time.monotonic() + BODY_S)
        return Answer(answer.status, _beginning(answer).decode(errors="replace").replace("\0", ""))

    def _connect(self, parts: SplitResult) -> _Line:
        """A line to the very address that was looked at: a name may change its mind."""
        if parts.scheme != "https" and not self._private:
            raise NotDelivered("only https is sent to")
        host = parts.hostname or ""
        address = self._address(host, parts.port or PORTS[parts.scheme])
        ends_at = time.monotonic() + self._timeout_s
        line = _Line(socket.create_connection(address, self._timeout_s), ends_at)
        if parts.scheme == "https":
            try:
                line.wrap(self._context, host)
            except BaseException:
                line.hang_up()
                raise
        return line

    def _address(self, host: str, port: int) -> tuple[str, int]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(each[4][0]) for each in found]
        if not self._private and not all(is_public(each) for each in addresses):
            raise NotDelivered(f"{host} is not an address of the public internet")
        return addresses[0], port


class _Line:
    """A socket, as much of it as http.client uses, on which everything ends by `ends_at`."""

    def __init__(self, line: socket.socket, ends_at: float) -> None:
        self._line = line
        self.ends_at = ends_at

    def wrap(self, context: ssl.SSLContext, host: str) -> None:
        self._line = context.wrap_socket(self._in_time(), server_hostname=host)

    def sendall(self, said: bytes) -> None:
        self._in_time().sendall(said)

    def recv_into(self, into: Any) -> int:
        return self._in_time().recv_into(into)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Incoming(self))

    def close(self) -> None:
        """Not yet: http.client asks for it before the body is read."""

    def hang_up(self) -> None:
        self._line.close()

    def _in_time(self) -> socket.socket:
        left_s = self.ends_at - time.monotonic()
        if left_s <= 0:
            raise TimeoutError("it took too long")
        self._line.settimeout(left_s)
        return self._line


class _Incoming(io.RawIOBase):
    def __init__(self, line: _Line) -> None:
        super().__init__()
        self._from = line

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any) -> int:
        return self._from.recv_into(into)


def _beginning(answer: http.client.HTTPResponse) -> bytes:
    """What comes of the body in time; the status has come, and is what counts."""
    found = b""
    try:
        while piece := answer.read1(LONGEST_ANSWER - len(found)):
            found += piece
    except (OSError, http.client.HTTPException):
        pass
    return found


def is_public(address: str) -> bool:
    """False for loopback, private, link-local, multicast and reserved ones, mapped ones too."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_global and not mapped.is_multicast
