"""`python -m tests.sandbox.recipes`: the recipes of Stripe's own tool, played on the sandbox."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from portal.local.errors import LocalError
from portal.local.places import ROOT
from portal.sandbox.app import create_sandbox
from portal.sandbox.serving import bind

VERSION = "1.52.0"
FOLDER = ROOT / ".venv" / "stripe-cli"
KEY = "sk_test_recipes_of_stripe"
NOWHERE = "http://127.0.0.1:9"
"""A proxy that is not there: else the tool asks GitHub for its newest version at each start."""
PATIENCE = 30.0  # seconds that one recipe may take
FAMILIES = (
    "charge.",
    "checkout.session.",
    "customer.",
    "payment_intent.",
    "payment_method.",
    "price.",
    "product.",
    "refund.",
    "setup_intent.",
)
NOT_BUILT = {
    "manual capture": ("charge.captured", "payment_intent.amount_capturable_updated"),
    "methods other than cards": (
        "checkout.session.async_payment_failed",
        "checkout.session.async_payment_succeeded",
        "customer.source.created",
        "customer.source.updated",
        "payment_intent.partially_funded",
        "payment_intent.processing",
    ),
    "subscriptions": (
        "customer.subscription.created",
        "customer.subscription.deleted",
        "customer.subscription.paused",
        "customer.subscription.trial_will_end",
        "customer.subscription.updated",
        "price.created",
        "price.updated",
    ),
    "discounts": (
        "customer.discount.created",
        "customer.discount.deleted",
        "customer.discount.updated",
    ),
    "changing products": ("product.deleted", "product.updated"),
}
"""Why a recipe of our families is left out -> those recipes."""


@dataclass(frozen=True, slots=True)
class Tool:
    """The installed program, and a folder that is its whole home."""

    program: Path
    home: Path

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run it cut off from this person's settings, and from every other machine."""
        surroundings = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CONFIG_HOME": str(self.home),
            "STRIPE_CLI_TELEMETRY_OPTOUT": "1",
            "STRIPE_CLI_NO_PLUGIN_AUTO_INSTALL": "1",
            "DBUS_SESSION_BUS_ADDRESS": "disabled:",
            "HTTPS_PROXY": NOWHERE,
        }
        return subprocess.run(
            [str(self.program), *words],
            env=surroundings,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )


def install(folder: Path = FOLDER) -> Tool:
    """Stripe's tool, brought by npm into this folder. Raises LocalError if that cannot be."""
    npm = shutil.which("npm")
    if npm is None:
        raise LocalError("The recipes need npm, which comes with Node.js: install that first.")
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    places = ["--prefix", str(folder), "--cache", str(folder / "cache"), "--prefer-offline"]
    quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--no-update-notifier"]
    wanted = f"@stripe/cli@{VERSION}"
    done = subprocess.run([npm, "install", *places, *quiet, wanted], capture_output=True, text=True)
    if done.returncode:
        raise LocalError(f"npm could not install {wanted}:\n{done.stderr.strip()}")
    tool = Tool(folder / "node_modules" / ".bin" / "stripe", home)
    if VERSION not in tool.run("version").stdout:
        raise LocalError(f"{wanted} does not run on this machine.")
    return tool


def offered(words: str) -> list[str]:
    """The recipes of our families among those that `stripe trigger --help` lists."""
    listed = words.partition("Supported events:")[2].partition("Usage:")[0].split()
    left_out = {name for names in NOT_BUILT.values() for name in names}
    return [name for name in listed if name.startswith(FAMILIES) and name not in left_out]


@contextmanager
def sandbox() -> Iterator[str]:
    """The address of a sandbox that forgets everything at the end."""
    app = create_sandbox()
    server = bind(app)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://{server.host}:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
    app.extensions["sandbox"].close()


def play(tool: Tool, url: str, name: str) -> str | None:
    """Why this recipe failed; None if its event is listed afterwards."""
    _ask(f"{url}/_test/reset", b"")
    try:
        done = tool.run("trigger", name, "--api-base", url, "--api-key", KEY)
    except subprocess.TimeoutExpired:
        return f"not within {PATIENCE:.0f} s"
    if done.returncode:
        said = " ".join(f"{done.stdout} {done.stderr}".split())
        return f"status {done.returncode}: {said[-300:]}"
    listed = _ask(f"{url}/v1/events?{urllib.parse.urlencode({'type': name})}")
    return None if listed["data"] else "no such event is listed"


def _ask(url: str, body: bytes | None = None) -> dict[str, Any]:
    request = urllib.request.Request(url, body, {"Authorization": f"Bearer {KEY}"})
    with urllib.request.urlopen(request) as answer:
        return dict(json.load(answer))


def play_all(tool: Tool) -> bool:
    """One line for each recipe and a total; whether every one of them passed."""
    names = offered(tool.run("trigger", "--help").stdout)
    passed = 0
    with sandbox() as url:
        for name in names:
            failure = play(tool, url, name)
            passed += failure is None
            print(f"{name:<35} {failure or 'ok'}", flush=True)
    print(f"{passed} of {len(names)} recipes passed. Left out, because not built: ", end="")
    print(", ".join(f"{why} ({len(left)})" for why, left in NOT_BUILT.items()))
    return 0 < passed == len(names)


def main() -> None:
    try:
        sys.exit(0 if play_all(install()) else 1)
    except LocalError as reason:
        sys.exit(str(reason))


if __name__ == "__main__":
    main()
