"""An OpenID Connect provider: found by its discovery document, asked by code with PKCE."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc.jwk import KeySet

from portal.domain.identities import Answer, Identity, NotBelieved, ProviderSilent, Trip
from portal.domain.periods import WallNow
from portal.gateways.oidc_documents import ask
from portal.gateways.oidc_tokens import UnknownKey, claims_of, key_set, proved_at_of

KEPT = timedelta(hours=1)
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
SCOPE = "openid email profile"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Client:
    """Who we are to a provider. steps: words of `amr` or `acr` that stand for a second step."""

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    label: str
    steps: frozenset[str]


class OidcProvider:
    """Documents are kept for an hour; keys are looked up once more for one that is unknown."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._kept: dict[str, tuple[WallNow, dict[str, Any]]] = {}

    @property
    def issuer(self) -> str:
        return self._client.issuer

    @property
    def label(self) -> str:
        return self._client.label

    def address(
        self, trip: Trip, back: str, wall: WallNow, max_age: timedelta | None = None
    ) -> str:
        """Where the browser goes. Raises ProviderSilent. Source: OpenID Connect Core 3.1.2.1."""
        age = {} if max_age is None else {"max_age": f"{max_age.total_seconds():.0f}"}
        anew = {"prompt": "login"} if max_age == timedelta(0) else {}
        where: str = prepare_grant_uri(
            self._found(wall)["authorization_endpoint"],
            self._client.client_id,
            "code",
            back,
            SCOPE,
            trip.state,
            nonce=trip.nonce,
            code_challenge=create_s256_code_challenge(trip.verifier),
            code_challenge_method="S256",
            **age,
            **anew,
        )
        return where

    def identify(self, trip: Trip, answer: Answer, back: str, wall: WallNow) -> Identity:
        """Who came back. Raises NotBelieved and ProviderSilent."""
        found = self._found(wall)
        names_itself = found.get("authorization_response_iss_parameter_supported") is True
        if answer.issuer != self.issuer and (answer.issuer or names_itself):
            raise NotBelieved("the answer is another provider's")
        tokens = self._exchange(found, trip, answer.code, back)
        claims = self._claims(str(tokens.get("id_token", "")), trip, wall)
        more = self._more(found, claims, tokens.get("access_token"))
        return self._identity(claims | more, wall)

    def _found(self, wall: WallNow) -> dict[str, Any]:
        """The discovery document. Raises ProviderSilent."""
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        found = self._document(url, wall)
        if found.get("issuer") != self.issuer:
            self._kept.clear()
            raise ProviderSilent("the discovery document is another provider's")
        schemes = ("https://",) if self._secure else ("https://", "http://")
        if not all(str(found.get(name)).startswith(schemes) for name in ENDPOINTS):
            raise ProviderSilent("an address in the discovery document is missing, or not https")
        return found

    def _exchange(self, found: dict[str, Any], trip: Trip, code: str, back: str) -> dict[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "code_verifier": trip.verifier,
        }
        known, secret = quote(self._client.client_id, ""), self._client.secret
        headers = dict(FORM)
        speaks = found.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        if secret and "client_secret_basic" in speaks:
            pair = b64encode(f"{known}:{quote(secret, '')}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        else:
            form |= {"client_id": self._client.client_id}
            form |= {"client_secret": secret} if secret else {}
        status, said = ask(found["token_endpoint"], urlencode(form), headers, secure=self._secure)
        if status >= 500:
            raise ProviderSilent(f"the token endpoint answers {status}")
        if status != 200:
            raise NotBelieved(f"the code was refused: {str(said.get('error', status))[:80]}")
        return said

    def _claims(self, token: str, trip: Trip, wall: WallNow) -> dict[str, Any]:
        given = self.issuer, self._client.client_id, trip, wall
        try:
            return claims_of(token, self._keys(wall), *given)
        except UnknownKey:
            self._kept.pop(self._found(wall)["jwks_uri"], None)
            return claims_of(token, self._keys(wall), *given)

    def _keys(self, wall: WallNow) -> KeySet:
        return key_set(self._document(self._found(wall)["jwks_uri"], wall))

    def _more(self, found: dict[str, Any], claims: dict[str, Any], access: Any) -> dict[str, Any]:
        """E-mail address and name, where the ID token leaves them to the userinfo endpoint."""
        url = found.get("userinfo_endpoint")
        if "email" in claims or not isinstance(url, str) or not isinstance(access, str):
            return {}
        headers = {"Authorization": f"Bearer {access}"}
        status, said = ask(url, headers=headers, secure=self._secure)
        if status != 200 or said.get("sub") != claims["sub"]:
            raise NotBelieved("userinfo is not about the same person")
        return {name: said.get(name) for name in ("email", "email_verified", "name")}

    def _identity(self, claims: dict[str, Any], wall: WallNow) -> Identity:
        methods = claims.get("amr")
        said = [*(methods if isinstance(methods, list) else ()), claims.get("acr")]
        is_verified = claims.get("email_verified") is True
        return Identity(
            issuer=self.issuer,
            subject=claims["sub"],
            email=_text(claims.get("email"), 320) if is_verified else "",
            name=_text(claims.get("name"), 255),
            has_stepped=any(isinstance(each, str) and each in self._client.steps for each in said),
            proved_at=proved_at_of(claims, wall),
        )

    def _document(self, url: str, wall: WallNow) -> dict[str, Any]:
        """What is there, not more than an hour old. Raises ProviderSilent."""
        kept = self._kept.get(url)
        if kept is not None and abs(wall - kept[0]) < KEPT:
            return kept[1]
        status, said = ask(url, secure=self._secure)
        if status != 200:
            raise ProviderSilent(f"{url} answers {status}")
        self._kept[url] = wall, said
        return said

    @property
    def _secure(self) -> bool:
        return self.issuer.startswith("https://")


def _text(said: Any, most: int) -> str:
    """Empty for what is no text, or longer than a column holds."""
    fits = isinstance(said, str) and said.isprintable() and len(said.strip()) <= most
    return said.strip() if fits else ""
