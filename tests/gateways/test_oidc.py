"""What a provider says is believed only when every part of it holds."""

from __future__ import annotations

import base64
import json
import socket
import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from flask import Response
from joserfc import jws, jwt
from joserfc.jwk import RSAKey

from portal.domain.identities import Answer, NotBelieved, ProviderSilent, Trip
from portal.domain.periods import WallNow
from portal.gateways.oidc import KEPT, Client, OidcProvider
from portal.gateways.oidc_documents import LARGEST, ask
from tests.support.identity_provider import (
    CLIENT,
    OTHER_KEYS,
    SECRET,
    STAFF_CLIENT,
    IdentityProvider,
    unsigned,
)
from tests.support.world import APRIL_11

TRIP, BACK, WALL = Trip("written"), "http://portal.test/sign-in/oidc/return", WallNow(APRIL_11)
NOW = int(APRIL_11.timestamp())


@pytest.fixture
def there():
    provider = IdentityProvider(APRIL_11.timestamp)
    yield provider
    provider.stop()


@pytest.fixture
def ours(there) -> OidcProvider:
    return OidcProvider(Client(there.issuer, CLIENT, SECRET, "Acme", frozenset({"mfa", "loa3"})))


def answer_of(there, ours, trip=TRIP, wall=WALL, **who) -> Answer:
    said = parse_qs(urlsplit(there.sign_in(ours.address(trip, BACK, wall), **who)).query)
    return Answer(said["state"][0], said["code"][0], said.get("iss", [""])[0])


def identify(there, ours, wall=WALL, **who):
    return ours.identify(TRIP, answer_of(there, ours, wall=wall, **who), BACK, wall)


def test_whoever_signs_in_there_is_known_by_issuer_and_subject(there, ours):
    found = identify(there, ours, email="a@b.test", name=" Ann ")
    assert (found.issuer, found.subject, found.email, found.name) == (
        there.issuer, "sub-1", "a@b.test", "Ann",
    )  # fmt: skip
    assert not found.has_stepped


@pytest.mark.parametrize(
    ("said", "stepped"),
    [
        ({"amr": ["pwd", "mfa"]}, True), ({"acr": "loa3"}, True), ({"amr": ["pwd"]}, False),
        ({"acr": "loa1"}, False), ({"amr": [{}, 3]}, False), ({"acr": ["mfa"]}, False),
    ],
)  # fmt: skip
def test_a_second_step_is_one_of_the_words_that_were_agreed(said, stepped, there, ours):
    assert identify(there, ours, **said).has_stepped is stepped


def test_without_words_no_second_step_counts(there):
    plain = OidcProvider(Client(there.issuer, CLIENT, SECRET, "Acme", frozenset()))
    assert not identify(there, plain, amr=["mfa"], acr="").has_stepped


@pytest.mark.parametrize("verified", [False, "true", 1, None])
def test_an_address_counts_only_when_it_is_verified(verified, there, ours):
    assert identify(there, ours, email="a@b.test", email_verified=verified).email == ""


@pytest.mark.parametrize("email", ["a\x00@b.test", 3, "a" * 400])
def test_an_address_that_is_none_is_left_out(email, there, ours):
    assert identify(there, ours, email=email).email == ""


WRONG_CLAIMS = {
    "iss": "https://evil.test", "aud": "another", "exp": NOW - 61, "iat": NOW + 61,
    "nonce": "0" * 64, "azp": "another", "sub": "", "nbf": NOW + 61,
}  # fmt: skip
MORE_CLAIMS = [
    *WRONG_CLAIMS.items(), ("aud", []), ("aud", [CLIENT, "another"]), ("sub", 7), ("sub", "\x00"),
    ("sub", "s" * 256), ("iat", NOW - 3600), ("exp", "soon"), ("iat", "then"), ("amr", "mfa"),
    *((name, None) for name in ("iss", "aud", "exp", "iat", "nonce", "sub")),
]  # fmt: skip


@pytest.mark.parametrize(("name", "value"), MORE_CLAIMS)
def test_a_claim_that_is_wrong_or_missing_spoils_the_token(name, value, there, ours):
    there.faults.claims = {name: value}
    with pytest.raises(NotBelieved, match=r"ID token|same person"):
        identify(there, ours, email="a@b.test")


def test_several_audiences_need_to_say_that_it_was_made_for_us(there, ours):
    there.faults.claims = {"aud": [CLIENT, "another"], "azp": CLIENT}
    assert identify(there, ours).subject == "sub-1"


def test_a_token_without_a_signature_or_signed_with_what_is_public_is_refused(there, ours):
    for sign in (unsigned, there.forge):
        there.faults.sign = sign
        with pytest.raises(NotBelieved):
            identify(there, ours)


@pytest.mark.parametrize("header", [{"alg": "PS256"}, {"alg": "RS512"}, {"crit": ["x"], "x": 1}])
def test_no_other_way_of_signing_counts(header, there, ours):
    def sign(head, claims):
        registry = jws.JWSRegistry(algorithms=[head["alg"]], strict_check_header=False)
        body = json.dumps(claims)
        return jws.serialize_compact(head, body, there.key, registry=registry)

    there.faults.header = header
    if "crit" in header:
        there.faults.sign = lambda head, claims: _critical(there, head, claims)
    else:
        there.faults.sign = sign
    with pytest.raises(NotBelieved):
        identify(there, ours)


def _critical(there, head, claims) -> str:
    parts = [base64.urlsafe_b64encode(json.dumps(e).encode()).rstrip(b"=") for e in (head, claims)]
    signed = there.key.private_key.sign(b".".join(parts), PKCS1v15(), SHA256())
    return b".".join([*parts, base64.urlsafe_b64encode(signed).rstrip(b"=")]).decode()


def test_the_critical_header_alone_is_what_is_refused(there, ours):
    there.faults.sign = lambda head, claims: _critical(there, head, claims)
    assert identify(there, ours).subject == "sub-1"


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", OTHER_KEYS)
def test_new_keys_are_looked_up_once_where_one_is_unknown(algorithm, there, ours):
    identify(there, ours)
    there.rotate(OTHER_KEYS[algorithm](), algorithm)
    there.asked.clear()
    assert identify(there, ours).subject == "sub-1"
    assert there.asked.count("/keys") == 1
    identify(there, ours)
    assert there.asked.count("/keys") == 1


def test_a_key_that_is_not_the_providers_is_looked_for_once(there, ours):
    identify(there, ours)
    stranger = RSAKey.generate_key(2048, {"kid": "stranger"})
    there.faults.sign = lambda head, claims: _signed_by(stranger, head, claims)
    there.asked.clear()
    with pytest.raises(NotBelieved):
        identify(there, ours)
    assert there.asked.count("/keys") == 1
    same_name = RSAKey.generate_key(2048, {"kid": "one"})
    there.faults.sign = lambda head, claims: _signed_by(same_name, head, claims)
    with pytest.raises(NotBelieved, match="BadSignature"):
        identify(there, ours)


def _signed_by(key, head, claims) -> str:
    return jwt.encode(head | {"kid": key.kid}, claims, key, algorithms=["RS256"])


def test_a_code_is_good_once_and_only_with_its_own_verifier(there, ours):
    given = answer_of(there, ours)
    ours.identify(TRIP, given, BACK, WALL)
    with pytest.raises(NotBelieved, match="invalid_grant"):
        ours.identify(TRIP, given, BACK, WALL)
    stolen = answer_of(there, ours)
    with pytest.raises(NotBelieved, match="invalid_grant"):
        ours.identify(Trip("another"), stolen, BACK, WALL)


def test_an_answer_of_another_provider_is_not_taken_to_this_one(there, ours):
    """Source: RFC 9207."""
    for named in ("https://evil.test", ""):
        there.faults.answer = {"iss": named}
        there.asked.clear()
        with pytest.raises(NotBelieved, match="another provider"):
            identify(there, ours)
        assert "/token" not in there.asked


def test_a_provider_that_never_names_itself_is_believed_without(there):
    there.faults.document = {"authorization_response_iss_parameter_supported": False}
    there.faults.answer = {"iss": ""}
    plain = OidcProvider(Client(there.issuer, CLIENT, SECRET, "Acme", frozenset()))
    assert identify(there, plain).subject == "sub-1"


def test_a_public_client_has_no_secret(there):
    public = OidcProvider(Client(there.issuer, STAFF_CLIENT, "", "Acme", frozenset()))
    assert identify(there, public).subject == "sub-1"


def test_the_address_is_asked_of_userinfo_where_the_token_lacks_it(there, ours):
    there.faults.claims = {"email": None, "email_verified": None}
    assert identify(there, ours, email="a@b.test").email == "a@b.test"
    there.faults.claims |= {"sub": "sub-2"}
    with pytest.raises(NotBelieved, match="same person"):
        identify(there, ours, email="a@b.test")


def reply(status: int = 200, body: str = "{}", **headers: str) -> Response:
    return Response(body, status, headers, mimetype="application/json")


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token", "/keys"])
@pytest.mark.parametrize(
    "said",
    [
        reply(500), reply(body="no json"), reply(body="[]"), reply(body='"' + "x" * LARGEST + '"'),
        reply(body="[" * 100_000), reply(302, Location="https://evil.test"),
    ],
    ids=["500", "text", "list", "huge", "deep", "redirect"],
)  # fmt: skip
def test_what_is_no_answer_is_none(path, said, there, ours):
    there.faults.replies[path] = said
    with pytest.raises((ProviderSilent, NotBelieved)):
        identify(there, ours)


def test_a_provider_that_is_gone_is_silent(there, ours):
    there.stop()
    with pytest.raises(ProviderSilent):
        ours.address(TRIP, BACK, WALL)


def test_a_provider_that_drips_is_not_waited_for():
    listening = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()

    def drip() -> None:
        line, _ = listening.accept()
        line.recv(1000)
        line.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not stop.wait(0.05):
            try:
                line.sendall(b" ")
            except OSError:
                break
        line.close()

    thread = threading.Thread(target=drip)
    thread.start()
    url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
    try:
        with pytest.raises(ProviderSilent, match="too long"):
            ask(url, secure=False, timeout_s=0.3)
    finally:
        stop.set()
        thread.join()
        listening.close()


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://evil.test"}, {"token_endpoint": None}, {"jwks_uri": 7},
        {"authorization_endpoint": ""},
    ],
)  # fmt: skip
def test_a_document_of_another_issuer_or_without_addresses_is_none(document, there, ours):
    there.faults.document = document
    with pytest.raises(ProviderSilent):
        ours.address(TRIP, BACK, WALL)


def test_documents_are_kept_for_an_hour(there, ours):
    identify(there, ours)
    identify(there, ours)
    assert there.asked.count("/.well-known/openid-configuration") == 1
    ours.address(TRIP, BACK, WallNow(WALL + KEPT + timedelta(seconds=1)))
    assert there.asked.count("/.well-known/openid-configuration") == 2


def test_an_https_issuer_is_never_asked_by_http():
    with pytest.raises(ProviderSilent, match="not https"):
        ask("http://127.0.0.1:9/", secure=True)
