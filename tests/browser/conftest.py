"""A browser, a portal to point it at, and a watch over what the pages do behind one's back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from portal.local.browser import ensure
from portal.web.views import clock
from tests.browser.stack import Stack
from tests.support.database import clone

QUIET = (
    "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
REFUSED = (
    "Failed to load resource: the server responded with a status",
    "Response Status Error Code 403",
)
"""As the browser says it, and as htmx does."""
PATIENCE_MS = 20_000
"""How long a page may take to show what is expected of it, on a machine with much else to do."""
AS_ROOT = ("--no-sandbox", "--disable-dev-shm-usage")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    args = [*QUIET, *(AS_ROOT if os.geteuid() == 0 else ())]
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(ensure()), args=args)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def stack(demo_template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The portal for one module; whatever it said to Stripe has to please the checker."""
    with clone(demo_template) as database:
        stack = Stack(database, tmp_path_factory.mktemp("recorded")).start()
        yield stack
        stack.stop()
        assert stack.conformance_errors() == []


@pytest.fixture(autouse=True)
def clock_in_one_spell(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test clock arrives in one request, however slow the machine is."""
    monkeypatch.setattr(clock, "SPELL_S", 25.0)


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open a page in a fresh profile; at the end nothing may have gone wrong in any of them."""
    contexts, wrong = [], []

    def open_page(width: int = 1180, scripts: bool = True, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            java_script_enabled=scripts,
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
        )
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda said: _note(said, wrong))
        page.on("request", lambda request: _stay_here(request.url, wrong))
        return page

    yield open_page
    for context in contexts:
        _arrived(context)
        context.close()
    assert wrong == []


def _arrived(context: BrowserContext) -> None:
    """Wait for what its pages still load: the server leaves files open whose reader is gone."""
    for page in context.pages:
        page.wait_for_load_state()


def _note(said, wrong: list[str]) -> None:
    """A refused form is an error to the console, not to us."""
    expected = said.text.startswith(REFUSED)
    if said.type in ("error", "warning") and not expected:
        wrong.append(said.text)


def _stay_here(url: str, wrong: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme.startswith("http") and parts.hostname != "127.0.0.1":
        wrong.append(f"left this machine: {url}")
