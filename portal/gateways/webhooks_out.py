"""Hands messages to the host by HTTP: signed, never redirected, never into our own network."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
from datetime import datetime
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
            connection = self._connect(parts)
            try:
                return self._post(connection, parts, parcel, at)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotDelivered(f"{type(error).__name__}: {error}"[:LONGEST_ANSWER]) from None

    def _post(
        self,
        connection: http.client.HTTPConnection,
        parts: SplitResult,
        parcel: Parcel,
        at: datetime,
    ) -> Answer:
        secrets = tuple(
            secret_of(self._master, parcel.environment_id, parcel.endpoint_id, generation)
            for generation in parcel.generations
        )
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "billing-portal",
            SIGNATURE: signature(secrets, parcel.body, at),
        }
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("POST", target, parcel.body, headers)
        answer = connection.getresponse()
        text = answer.read(LONGEST_ANSWER).decode(errors="replace").replace("\x00", "")
        return Answer(answer.status, text)

    def _connect(self, parts: SplitResult) -> http.client.HTTPConnection:
        """A connection to the very address that was looked at: a name may change its mind."""
        if parts.scheme != "https" and not self._private:
            raise NotDelivered("only https is sent to")
        host = parts.hostname or ""
        port = parts.port or PORTS[parts.scheme]
        line = socket.create_connection(self._address(host, port), self._timeout_s)
        connection = http.client.HTTPConnection(host, port, timeout=self._timeout_s)
        if parts.scheme == "https":
            try:
                line = self._context.wrap_socket(line, server_hostname=host)
            except BaseException:
                line.close()
                raise
        connection.sock = line
        return connection

    def _address(self, host: str, port: int) -> tuple[str, int]:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = [str(each[4][0]) for each in found]
        if not self._private and not all(is_public(each) for each in addresses):
            raise NotDelivered(f"{host} is not an address of the public internet")
        return addresses[0], port


def is_public(address: str) -> bool:
    """False for loopback, private, link-local, multicast and reserved ones, mapped ones too."""
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    return mapped.is_global and not mapped.is_multicast
