"""An identity provider on this machine: it keeps to OpenID Connect until told otherwise."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask, Response, redirect, request
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from werkzeug.serving import BaseWSGIServer, make_server

CLIENT, SECRET = "portal", "hush & hush"
STAFF_CLIENT = "portal-staff"
LIFE_S = 300


@dataclass
class Faults:
    """What goes wrong from now on; a claim of None is left out."""

    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    document: dict[str, Any] = field(default_factory=dict)
    sign: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    answer: dict[str, str] = field(default_factory=dict)
    replies: dict[str, Response] = field(default_factory=dict)


class IdentityProvider:
    """who: the claims about whoever signs in there. now: its clock, in seconds.

    since: when they signed in there, which counts again until a new sign-in is asked for.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now, self.faults = now, Faults()
        self.who: dict[str, Any] = {}
        self.key: Any = _first_key()
        self.algorithm = "RS256"
        self.since: int | None = None
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.server: BaseWSGIServer = make_server("127.0.0.1", 0, self._app(), threaded=True)
        self.issuer = f"http://127.0.0.1:{self.server.server_port}"
        self._thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self.server.shutdown()
            self._thread.join()
            self.server.server_close()

    def settings(self) -> dict[str, str]:
        """What the portal is started with to use it."""
        return {
            "oidc_issuer": self.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET,
            "oidc_label": "Continue with Acme", "oidc_second_step": "mfa",
            "staff_oidc_issuer": self.issuer, "staff_oidc_client_id": STAFF_CLIENT,
            "staff_oidc_label": "Continue with Acme Staff", "staff_oidc_second_step": "mfa",
        }  # fmt: skip

    def sign_in(self, address: str, **who: Any) -> str:
        """Somebody signs in there: where their browser is sent back to."""
        self.who = {"email_verified": True} | who
        parts = urlsplit(address)
        assert parts.netloc == urlsplit(self.issuer).netloc
        return self._back({k: v[0] for k, v in parse_qs(parts.query).items()})

    def rotate(self, key: Any, algorithm: str) -> None:
        self.key, self.algorithm = key, algorithm

    def forge(self, header: dict[str, Any], claims: dict[str, Any]) -> str:
        """HS256, with the public key as the secret."""
        start = ".".join([_part(header | {"alg": "HS256"}), _part(claims)])
        made = hmac.digest(self.key.as_pem(private=False), start.encode(), "sha256")
        return f"{start}.{_base64(made)}"

    def _back(self, asked: dict[str, str]) -> str:
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert {"openid", "email"} <= set(asked["scope"].split())
        code = secrets.token_urlsafe()
        self.codes[code] = asked | self._asked_for_time(asked)
        answer = {"code": code, "state": asked["state"], "iss": self.issuer} | self.faults.answer
        said = urlencode({k: v for k, v in answer.items() if v})
        return f"{asked['redirect_uri']}?{said}"

    def _app(self) -> Flask:
        app = Flask("identity_provider")
        app.before_request(self._before)
        app.add_url_rule("/.well-known/openid-configuration", "found", self._found)
        app.add_url_rule("/keys", "keys", lambda: {"keys": [self.key.as_dict(private=False)]})
        app.add_url_rule("/authorize", "authorize", lambda: redirect(self._back(request.args)))
        app.add_url_rule("/token", "token", self._token, methods=["POST"])
        app.add_url_rule("/userinfo", "userinfo", lambda: {"sub": "sub-1"} | self.who)
        return app

    def _before(self) -> Response | None:
        self.asked.append(request.path)
        return self.faults.replies.get(request.path)

    def _found(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token",
                 "jwks_uri": "keys", "userinfo_endpoint": "userinfo"}  # fmt: skip
        found = {name: f"{self.issuer}/{path}" for name, path in names.items()}
        more = {"issuer": self.issuer, "authorization_response_iss_parameter_supported": True}
        return found | more | self.faults.document

    def _asked_for_time(self, asked: dict[str, str]) -> dict[str, str]:
        """When they signed in there, where a greatest age is asked for: then it is due."""
        now, oldest = int(self.now()), int(asked.get("max_age", 10**9))
        if self.since is None or asked.get("prompt") == "login" or now - self.since > oldest:
            self.since = now
        return {"auth_time": str(self.since)} if "max_age" in asked else {}

    def _token(self) -> tuple[dict[str, Any], int]:
        form, asked = request.form, self.codes.pop(request.form["code"], None)
        if asked is None or not self._knows(asked["client_id"]):
            return {"error": "invalid_grant" if asked is None else "invalid_client"}, 400
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        kept = form["redirect_uri"] == asked["redirect_uri"]
        if _base64(digest) != asked["code_challenge"] or not kept:
            return {"error": "invalid_grant"}, 400
        return {"access_token": "at", "token_type": "Bearer", "id_token": self._signed(asked)}, 200

    def _knows(self, client_id: str) -> bool:
        """The secret of members' client; staff's is public."""
        if client_id == STAFF_CLIENT:
            return request.form.get("client_id") == client_id
        pair = request.authorization
        return pair is not None and (pair.username, pair.password) == (
            CLIENT, "hush%20%26%20hush",
        )  # fmt: skip

    def _time(self, asked: dict[str, str]) -> dict[str, int]:
        return {"auth_time": int(asked["auth_time"])} if "auth_time" in asked else {}

    def _signed(self, asked: dict[str, str]) -> str:
        now = int(self.now())
        claims = {
            "iss": self.issuer, "aud": asked["client_id"], "sub": "sub-1", "iat": now,
            "exp": now + LIFE_S, "nonce": asked.get("nonce"),
        } | self._time(asked) | self.who | self.faults.claims  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.key.kid} | self.faults.header
        if self.faults.sign is not None:
            return self.faults.sign(header, claims)
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


@cache
def _first_key() -> RSAKey:
    """Made once: it takes a while."""
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


def unsigned(header: dict[str, Any], claims: dict[str, Any]) -> str:
    """alg: none."""
    return f"{_part(header | {'alg': 'none'})}.{_part(claims)}."


def _part(said: dict[str, Any]) -> str:
    return _base64(json.dumps(said).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


OTHER_KEYS = {
    "ES256": lambda: ECKey.generate_key("P-256", {"kid": "two"}),
    "EdDSA": lambda: OKPKey.generate_key("Ed25519", {"kid": "three"}),
}
