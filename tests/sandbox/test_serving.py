"""The process: one line when ready, this machine only, quiet, gone when told."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from portal.sandbox.app import create_sandbox
from portal.sandbox.serving import bind

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "portal.sandbox"]


def test_the_process():
    process = subprocess.Popen(
        [*COMMAND, "--port", "0"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        line = process.stdout.readline()
        address = re.search(r"http://127\.0\.0\.1:\d+", line)[0]
        with urllib.request.urlopen(f"{address}/healthz") as answer:
            assert answer.status == 200
        with urllib.request.urlopen(address) as answer:
            assert answer.read() == b"Stripe sandbox. No real card is charged.\n"
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--host", "0.0.0.0"], "not a loopback address"),
        (["--webhook-url", "http://127.0.0.1/x"], "go together"),
    ],
)
def test_refused_arguments(words, message):
    done = subprocess.run([*COMMAND, *words], cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert done.returncode == 2
    assert message in done.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "example.com"])
def test_bind_refuses_other_machines(host):
    app = create_sandbox()
    with pytest.raises(ValueError, match="loopback"):
        bind(app, 0, host)
    app.extensions["sandbox"].close()


def test_its_own_failures_are_told_as_stripe_tells_them():
    app = create_sandbox(clock=lambda: float("nan"))  # no request can be dated
    answer = app.test_client().get("/v1/customers", headers={"Authorization": "Bearer sk_test_x"})
    assert (answer.status_code, answer.json["error"]["type"]) == (500, "api_error")
    app.extensions["sandbox"].close()
