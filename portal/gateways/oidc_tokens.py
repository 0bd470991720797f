"""Whether an ID token holds: its signature, and every claim that OpenID Connect asks for."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet, import_key

from portal.domain.identities import NotBelieved, Trip
from portal.domain.periods import WallNow

ALGORITHMS = ("RS256", "ES256", "EdDSA", "Ed25519")
KEY_KINDS = ("RSA", "EC", "OKP")
LEEWAY_S, OLDEST = 60, timedelta(minutes=15)
LONGEST_SUBJECT = 255


class UnknownKey(NotBelieved):
    """Signed with a key that is not among those known: there may be newer ones."""


def key_set(document: dict[str, Any]) -> KeySet:
    """The provider's keys that sign; those of kinds we do not speak are left out."""
    keys, raw = [], document.get("keys")
    for each in raw if isinstance(raw, list) else []:
        if isinstance(each, dict) and each.get("kty") in KEY_KINDS and each.get("use") != "enc":
            with suppress(JoseError, ValueError, TypeError, KeyError):
                keys.append(import_key(each))
    return KeySet(keys)


def claims_of(
    token: str, keys: KeySet, issuer: str, client_id: str, trip: Trip, wall: WallNow
) -> dict[str, Any]:
    """What the token says. Raises NotBelieved, and UnknownKey where newer keys may help.

    Source: OpenID Connect Core 3.1.3.7.
    """
    try:
        found = jwt.decode(token, keys, algorithms=ALGORITHMS)
        said = CodeIDToken(
            found.claims,
            found.header,
            {
                "iss": {"essential": True, "value": issuer},
                "aud": {"essential": True, "value": client_id},
            },
            {"nonce": trip.nonce, "client_id": client_id},
        )
        said.validate(now=int(wall.timestamp()), leeway=LEEWAY_S)
    except InvalidKeyIdError as error:
        raise UnknownKey(str(error)) from None
    except (JoseError, ValueError, TypeError, AttributeError) as error:
        raise NotBelieved(f"ID token: {type(error).__name__}: {error}") from None
    _check_the_rest(found.claims, wall)
    return found.claims


def proved_at_of(claims: dict[str, Any], wall: WallNow) -> WallNow | None:
    """When somebody signed in there, not later than now; None where the token does not say."""
    said = claims.get("auth_time")
    if isinstance(said, bool) or not isinstance(said, int | float) or not said > 0:
        return None
    return WallNow(datetime.fromtimestamp(min(said, wall.timestamp()), UTC))


def _check_the_rest(claims: dict[str, Any], wall: WallNow) -> None:
    """What the library leaves to us: age, and whom it is about."""
    subject = claims.get("sub")
    if claims["iat"] < (wall - OLDEST).timestamp():
        raise NotBelieved("ID token: made long ago")
    if not isinstance(subject, str) or not subject.isprintable():
        raise NotBelieved("ID token: a subject that is no text")
    if not 0 < len(subject) <= LONGEST_SUBJECT:
        raise NotBelieved("ID token: about nobody")
