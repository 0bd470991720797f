"""Who may call: secret and restricted test keys, never live ones."""

from __future__ import annotations

import base64
import binascii
import re

from portal.sandbox.errors import ApiError

_TEST_KEY = re.compile(r"^(sk|rk)_test_\w+$")
_LIVE_KEY = re.compile(r"^(sk|rk|pk)_live_")


def check_key(header: str | None) -> None:
    """Raises ApiError 401 unless the Authorization header holds a test key."""
    key = _given(header or "")
    if not key:
        raise ApiError(
            "You did not provide an API key. You need to provide your API key in the Authorization "
            "header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
            401,
        )
    if _LIVE_KEY.match(key):
        raise ApiError(
            "Live key refused: this is a Stripe sandbox, no real card is charged here. Use a key "
            "that starts with sk_test_ or rk_test_.",
            401,
        )
    if not _TEST_KEY.match(key):
        raise ApiError(f"Invalid API Key provided: {key[:7]}****", 401)


def _given(header: str) -> str:
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""
    return ""
