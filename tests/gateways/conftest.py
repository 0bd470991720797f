"""A sandbox process for the run, and the processors as parameters."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from portal.domain.money import Money
from portal.domain.payments import Charge
from tests.gateways.processors import (
    FakeProcessor,
    FaultyProcessor,
    Processor,
    SandboxProcessor,
    StripeProcessor,
    fresh,
)

ROOT = Path(__file__).resolve().parents[2]
TEST_KEY = os.environ.get("STRIPE_TEST_KEY", "")


@pytest.fixture(scope="session")
def sandbox_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("sandbox") / "errors.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "portal.sandbox", "--port", "0"],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    with process, process.stdout:
        ready = re.search(r"http://\S+", process.stdout.readline())
        try:
            assert ready, f"the sandbox did not start:\n{log.read_text()}"
            yield ready[0]
        finally:
            process.terminate()


@pytest.fixture
def sandbox(sandbox_url: str) -> Iterator[SandboxProcessor]:
    processor = SandboxProcessor(sandbox_url)
    yield processor
    assert processor.faults_waiting() == 0, "a fault was set that no request met"


@pytest.fixture(params=["fake", "sandbox", "stripe test mode"])
def processor(request: pytest.FixtureRequest) -> Processor:
    """The three that must behave alike; Stripe itself only with STRIPE_TEST_KEY."""
    if request.param == "fake":
        return FakeProcessor()
    if request.param == "sandbox":
        sandbox: SandboxProcessor = request.getfixturevalue("sandbox")
        return sandbox
    if not TEST_KEY:
        pytest.skip("set STRIPE_TEST_KEY to run the contract against Stripe itself")
    assert "_test_" in TEST_KEY, "STRIPE_TEST_KEY is not a key of Stripe's test mode"
    return StripeProcessor(TEST_KEY)


@pytest.fixture(params=["fake", "sandbox"])
def faulty(request: pytest.FixtureRequest) -> FaultyProcessor:
    """The two that can be told to fail."""
    if request.param == "fake":
        return FakeProcessor()
    sandbox: SandboxProcessor = request.getfixturevalue("sandbox")
    return sandbox


ChargeFor = Callable[..., Charge]


@pytest.fixture
def charge_for() -> ChargeFor:
    """Makes charges with a new key and label each."""

    def make(customer_ref: str, card_ref: str, minor: int = 4900, currency: str = "usd") -> Charge:
        attempt = fresh("attempt")
        return Charge(
            key=attempt,
            customer_ref=customer_ref,
            card_ref=card_ref,
            amount=Money(minor, currency),
            description="Advanced analytics, 1 Nov to 1 Dec 2026",
            labels={"attempt_id": attempt, "account": "northwind"},
        )

    return make
