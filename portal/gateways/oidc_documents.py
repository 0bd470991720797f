"""Asks an identity provider for JSON: in time, not too much of it, and nowhere else."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from typing import Any
from urllib.parse import urlsplit

from portal.domain.identities import ProviderSilent

TIMEOUT_S = 5.0
LARGEST = 256 * 1024
PIECE = 16 * 1024


def ask(
    url: str,
    body: str | None = None,
    headers: dict[str, str] | None = None,
    *,
    secure: bool,
    timeout_s: float = TIMEOUT_S,
) -> tuple[int, dict[str, Any]]:
    """The status and the JSON object that it answers with; a redirect is not followed.

    secure: whether only https will do. Raises ProviderSilent.
    """
    parts = urlsplit(url)
    if parts.scheme not in (("https",) if secure else ("https", "http")) or not parts.hostname:
        raise ProviderSilent("an address of the provider is not https")
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    more: dict[str, Any] = {"context": ssl.create_default_context()}
    connection = kind(
        parts.hostname, parts.port, timeout=timeout_s, **(more if parts.scheme == "https" else {})
    )
    end = time.monotonic() + timeout_s
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        wanted = {"Accept": "application/json", "User-Agent": "billing-portal"} | (headers or {})
        connection.request("POST" if body is not None else "GET", target, body, wanted)
        answer = connection.getresponse()
        return answer.status, _object(_read(answer, end))
    except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
        raise ProviderSilent(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()


def _read(answer: http.client.HTTPResponse, end: float) -> bytes:
    """The body, however slowly it drips. Raises ProviderSilent when it is too large or too slow."""
    said = b""
    while piece := answer.read1(PIECE):
        said += piece
        if len(said) > LARGEST or time.monotonic() > end:
            raise ProviderSilent("the answer is too large, or takes too long")
    return said


def _object(said: bytes) -> dict[str, Any]:
    found = json.loads(said)
    if not isinstance(found, dict):
        raise ProviderSilent("the answer is no JSON object")
    return found
