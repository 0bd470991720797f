"""A newcomer's first minutes: make run, sign in with a demo account, buy, look again."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect

from portal.queries.demo import DEMO_PASSWORD as PASSWORD
from portal.queries.demo import DEMO_STAFF
from tests.browser.portal_pages import Portal
from tests.browser.soundness import sound
from tests.browser.three_months import live_three_months

ROOT = Path(__file__).parents[2]


@dataclass
class Running:
    """said: what it told the person who started it."""

    folder: Path
    url: str
    sandbox: str
    said: str

    def mails(self) -> list[EmailMessage]:
        """What was written so far, once there is something."""
        deadline = time.monotonic() + 20
        while not (files := sorted(self.folder.glob("mail/*.eml"))):
            assert time.monotonic() < deadline, "no mail came"
            time.sleep(0.1)
        parse = BytesParser(policy=default).parsebytes
        return [parse(file.read_bytes()) for file in files]

    def taken(self) -> list[int]:
        """Amounts of all charges that succeeded, oldest first, by the sandbox's own books."""
        secret = json.loads((self.folder / "secrets.json").read_text())["STRIPE_SECRET_KEY"]
        url = f"{self.sandbox}/v1/charges?limit=100"
        found = requests.get(url, auth=(secret, ""), timeout=10).json()["data"]
        return [c["amount"] for c in reversed(found) if c["status"] == "succeeded"]


def start(folder: Path) -> tuple[subprocess.Popen[str], Running]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PORTAL_", "STRIPE_"))}
    told = kept | {"PORT": "0", "SANDBOX_PORT": "0", "DATA_DIR": str(folder)}
    told.pop("DATABASE_URL", None)
    process = subprocess.Popen(
        [sys.executable, "-m", "portal.local.run"],
        cwd=ROOT,
        env=told,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    urls = re.findall(r"http://127\.0\.0\.1:\d+", said)
    assert len(urls) == 2, said
    return process, Running(folder, *urls, said)


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    assert process.stdout is not None
    process.stdout.read()
    process.stdout.close()
    return process.wait(60)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    process, running = start(tmp_path_factory.mktemp("data"))
    yield running
    assert stop(process) == 0


def test_the_northwind_owner_buys_a_pack_and_a_connector(running, open_page):
    portal = Portal(open_page(), running.url)
    portal.page.goto(running.url)
    expect(portal.page.locator("main")).to_contain_text("owner@northwind.test")
    portal.sign_in("owner@northwind.test", PASSWORD)
    before = running.taken()
    meter = portal.open("usage").meter("Messages")
    button = portal.choose("100,000 message pack")
    expect(button).to_have_text("Pay $49.00 now")
    button.click()
    expect(portal.page.locator("#purchases-receipt")).to_contain_text("$49.00")
    assert portal.meter("Messages") == meter + 100_000
    button = portal.choose("Salesforce connector")
    said = button.inner_text()
    button.click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    after = running.taken()[len(before) :]
    assert after[0] == 4900
    if said.startswith("Pay"):  # in the last hours of a cycle it is carried instead
        amount = re.search(r"\$([\d.]+)", said)
        assert amount is not None
        assert after[1:] == [int(amount.group(1).replace(".", ""))]


def test_a_cancelled_connector_is_confirmed_by_mail(running, open_page):
    portal = Portal(open_page(), running.url).sign_in("owner@northwind.test", PASSWORD)
    portal.open("add-ons/active")
    portal.row("Salesforce connector").get_by_role("link", name="Cancel").click()
    portal.page.locator("main").get_by_role("button", name="Cancel").click()
    expect(portal.row("Salesforce connector")).to_contain_text("Ends")
    told = [m for m in running.mails() if m["Subject"] == "You cancelled Salesforce connector"]
    assert [m["To"] for m in told] == ["owner@northwind.test"]


def test_the_northwind_member_sees_the_same_with_reasons(running, open_page):
    portal = Portal(open_page(), running.url).sign_in("member@northwind.test", PASSWORD)
    card = portal.card("100,000 message pack")
    expect(card.get_by_role("button", name="Add to plan")).to_be_disabled()
    expect(card).to_contain_text("Your role may look but not buy")


def test_support_staff_come_in_by_what_the_pages_show(running, open_page):
    page = open_page()
    page.goto(running.url)
    page.get_by_role("link", name=DEMO_STAFF).click()
    account = page.get_by_role("region", name="Demo account")
    sound(page)
    assert page.get_by_label("E-mail").input_value() == DEMO_STAFF
    page.get_by_label("Password").fill(account.locator("code").first.inner_text())
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("Code").fill(account.locator("code").last.inner_text())
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Find an account")).to_be_visible()


def test_the_command_for_an_administrator_works_in_a_fresh_shell(running):
    """As it was told, by a shell that knows nothing else."""
    told = re.search(r"^ +cd .*\n.*flask staff add .*$", running.said, re.MULTILINE)
    assert told is not None, running.said
    bare = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        ["sh", "-c", told.group()], cwd="/", env=bare, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{running.url}/staff/set-up/")


def test_three_months_of_northwind(running, open_page):
    portal = Portal(open_page(), running.url).sign_in("owner@northwind.test", PASSWORD)
    assert len(set(live_three_months(portal, running.taken))) > 1


@pytest.mark.parametrize("scripts", [True, False], ids=["script", "no script"])
def test_the_sakura_owner_without_a_card_buys_in_yen(running, open_page, scripts):
    portal = Portal(open_page(scripts=scripts), running.url)
    portal.sign_in("owner@sakura.test", PASSWORD)
    portal.open("add-ons/sms_10k/purchase")
    if portal.page.get_by_label("Visa ending 4242").count():  # saved by the other run
        portal.page.get_by_label("Another card").check()
    portal.page.get_by_role("button", name="Pay ¥14,900 now").click()
    portal.page.get_by_role("button", name="Visa 4242").click()
    portal.page.get_by_role("button", name="Pay ¥14,900", exact=True).click()
    expect(portal.page.locator("#purchases-receipt")).to_contain_text("¥14,900")
    assert running.taken()[-1] == 14900


def test_the_alpen_owners_card_declines_and_another_one_pays(running, open_page):
    portal = Portal(open_page(), running.url).sign_in("owner@alpen.test", PASSWORD)
    label = portal.choose("10,000 SMS credits").inner_text()
    portal.paying_button.click()
    expect(portal.page.get_by_role("alert").first).to_contain_text("did not go through")
    portal.page.get_by_label("Another card").check()
    portal.page.get_by_role("button", name=label).click()
    portal.page.get_by_role("button", name="Mastercard 4444").click()
    amount = label.removeprefix("Pay ").removesuffix(" now")
    portal.page.get_by_role("button", name=f"Pay {amount}", exact=True).click()
    expect(portal.page.locator("#purchases-receipt")).to_contain_text(amount)
    portal.open("payment-methods")
    card = portal.page.get_by_role("article", name="Mastercard ending 4444")
    expect(card).to_contain_text("Default")


def test_a_second_start_keeps_the_data(tmp_path, open_page):
    first, at = start(tmp_path / "data")
    portal = Portal(open_page(), at.url).sign_in("owner@northwind.test", PASSWORD)
    portal.choose("100,000 message pack").click()
    expect(portal.page.locator("#purchases-receipt")).to_be_visible()
    assert stop(first) == 0
    again, at = start(tmp_path / "data")
    portal = Portal(open_page(), at.url).sign_in("owner@northwind.test", PASSWORD)
    portal.open("add-ons/active")
    expect(portal.row("100,000 message pack")).to_be_visible()
    assert stop(again) == 0
