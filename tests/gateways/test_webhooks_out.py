"""Messages to the host over real HTTP: signed as Stripe signs, never redirected, never inward."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
import stripe

from portal.domain.webhooks import NotDelivered, Parcel, secret_of
from portal.gateways.webhooks_out import HttpCourier, is_public

MASTER = "k" * 32
NOW = datetime.now(UTC)
BODY = json.dumps({"id": "msg_1", "type": "purchase.settled", "name": "Ünal"}).encode()


class Answering(BaseHTTPRequestHandler):
    def do_POST(self):
        self.server.got.append((self.path, dict(self.headers), self.rfile.read(
            int(self.headers["Content-Length"]))))  # fmt: skip
        self.server.answer(self)

    def log_message(self, *_):
        pass


def say(status, text=b"", **headers):
    def answer(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(text)

    return answer


@pytest.fixture
def host() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.got, server.answer = [], say(200, b"thanks")
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def parcel(host, path="/hook?a=b", generations=(1,), name="127.0.0.1"):
    url = f"http://{name}:{host.server_port}{path}"
    return Parcel(7, 3, url, generations, BODY)


def courier(**options):
    return HttpCourier(MASTER, **({"private": True} | options))


def test_stripes_own_library_accepts_the_signature(host):
    """At this very moment: its tolerance is counted by the machine's clock."""
    answer = courier().send(parcel(host, generations=(2, 1)), datetime.now(UTC))
    assert (answer.status, answer.text, answer.is_thanks) == (200, "thanks", True)
    ((path, headers, body),) = host.got
    assert (path, body) == ("/hook?a=b", BODY)
    assert headers["Content-Type"] == "application/json"
    signed = headers["Portal-Signature"]
    for generation in (1, 2):
        secret = secret_of(MASTER, 7, 3, generation)
        assert stripe.WebhookSignature.verify_header(body.decode(), signed, secret, 300)
    for wrong in (secret_of(MASTER, 7, 3, 3), secret_of(MASTER, 8, 3, 1), secret_of("x", 7, 3, 1)):
        with pytest.raises(stripe.SignatureVerificationError):
            stripe.WebhookSignature.verify_header(body.decode(), signed, wrong, 300)
    changed = body.decode().replace("1", "2")
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.WebhookSignature.verify_header(changed, signed, secret_of(MASTER, 7, 3, 1), 300)


def test_a_redirect_is_an_answer_and_is_not_followed(host):
    host.answer = say(307, Location=f"http://127.0.0.1:{host.server_port}/elsewhere")
    answer = courier().send(parcel(host), NOW)
    assert (answer.status, answer.is_thanks) == (307, False)
    assert [path for path, _, _ in host.got] == ["/hook?a=b"]


def test_a_long_answer_is_cut_and_an_odd_one_is_read(host):
    host.answer = say(500, b"\xff\x00" + b"x" * 100_000)
    answer = courier().send(parcel(host), NOW)
    assert len(answer.text) < 1001
    assert "\x00" not in answer.text


def test_what_is_said_after_the_status_is_read(host):
    def slowly(handler):
        handler.send_response(500)
        handler.end_headers()
        time.sleep(0.2)
        handler.wfile.write(b"too late for this")

    host.answer = slowly
    assert courier().send(parcel(host), NOW).text == "too late for this"


def test_silence_ends(host):
    host.answer = lambda _: time.sleep(1)
    began = time.monotonic()
    with pytest.raises(NotDelivered, match="TimeoutError"):
        courier(timeout_s=0.2).send(parcel(host), NOW)
    assert time.monotonic() - began < 0.9


class Dripping:
    """Says `first`, then a byte at a time until it is left, or has said them all."""

    def __init__(self, first):
        self.first, self.left = first, False
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.server_port = self.listening.getsockname()[1]
        self.thread = Thread(target=self._drip)
        self.thread.start()

    def _drip(self):
        line, _ = self.listening.accept()
        with line:
            line.recv(10_000)
            line.sendall(self.first)
            try:
                for _ in range(80):
                    time.sleep(0.05)
                    line.sendall(b"x")
                line.sendall(b"\r\n\r\n")
            except OSError:
                self.left = True

    def stop(self):
        self.thread.join()
        self.listening.close()


@pytest.mark.parametrize("first", [b"", b"HTTP/1.1 200 OK\r\nX: "])
def test_an_endpoint_that_drips_is_left(first):
    host = Dripping(first)
    with pytest.raises(NotDelivered, match="TimeoutError"):
        courier(timeout_s=0.3).send(parcel(host), NOW)
    host.stop()
    assert host.left


def test_once_the_status_is_there_the_rest_is_not_waited_for():
    host = Dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nfine ")
    answer = courier(timeout_s=30).send(parcel(host), NOW)
    host.stop()
    assert (answer.is_thanks, answer.text[:6]) == (True, "fine x")
    assert host.left


def test_nobody_there_says_why():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    with pytest.raises(NotDelivered, match="ConnectionRefused"):
        courier().send(Parcel(1, 1, url, (1,), BODY), NOW)
    with pytest.raises(NotDelivered, match="gaierror"):
        courier().send(Parcel(1, 1, "https://nowhere.invalid/", (1,), BODY), NOW)


def test_nothing_goes_inward_or_in_the_clear_unless_allowed(host):
    strict = courier(private=False)
    with pytest.raises(NotDelivered, match="https"):
        strict.send(parcel(host), NOW)
    for name in ("127.0.0.1", "localhost", "[::1]", "0.0.0.0", "[::ffff:127.0.0.1]", "2130706433"):
        inward = Parcel(1, 1, f"https://{name}:{host.server_port}/", (1,), BODY)
        with pytest.raises(NotDelivered, match="public internet"):
            strict.send(inward, NOW)
    assert host.got == []


def test_a_name_that_leads_inward_is_refused_and_the_checked_address_is_the_one_used(
    host, monkeypatch
):
    answers = [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"]]

    def resolve(*_, **__):
        return [(0, 0, 0, "", (each, 0)) for each in answers.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    for _ in range(2):
        with pytest.raises(NotDelivered, match="public internet"):
            courier(private=False).send(Parcel(1, 1, "https://host.test/", (1,), BODY), NOW)
    seen = []
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(0, 0, 0, "", ("9.9.9.9", 0))])
    monkeypatch.setattr(socket, "create_connection", lambda to, _: seen.append(to) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        courier(private=False).send(Parcel(1, 1, "https://host.test/", (1,), BODY), NOW)
    assert seen == [("9.9.9.9", 443)]


@pytest.mark.parametrize(
    ("address", "public"),
    [("93.184.216.34", True), ("2606:2800:220:1::1", True), ("10.1.2.3", False),
     ("172.16.0.1", False), ("192.168.1.1", False), ("169.254.169.254", False), ("::1", False),
     ("fe80::1%eth0", False), ("fd00::1", False), ("::ffff:10.0.0.1", False), ("224.0.0.1", False),
     ("100.64.0.1", False), ("0.0.0.0", False)],
)  # fmt: skip
def test_what_is_public(address, public):
    assert is_public(address) is public


def test_a_certificate_that_is_not_trusted_is_no_delivery(host):
    wrapped = Parcel(1, 1, f"https://127.0.0.1:{host.server_port}/", (1,), BODY)
    with pytest.raises(NotDelivered, match="SSL"):
        courier().send(wrapped, NOW)
