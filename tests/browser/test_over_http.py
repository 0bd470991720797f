"""What no single browser can do: twelve clients at once, and a process that dies in the middle."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from portal.models.invoices import InvoiceRow
from portal.models.purchases import PurchaseRow
from portal.models.subscriptions import InstanceRow
from tests.browser.stack import KEY, Stack
from tests.support.world import PASSWORD

ROOT = Path(__file__).parents[2]
CONNECTOR = "/settings/billing/add-ons/salesforce/purchase"


def field(html: str, name: str) -> str:
    found = re.findall(rf'name="{name}"[^>]*value="([^"]+)"', html)
    assert found, f"no {name}"
    return found[-1]


class Client:
    """A signed-in browser without a window."""

    def __init__(self, stack: Stack, mail: str) -> None:
        self.url = stack.url
        self.session = requests.Session()
        page = self.get("/sign-in")
        given = {"email": mail, "password": PASSWORD, "csrf_token": field(page, "csrf_token")}
        assert self.post("/sign-in", given) in (200, 302, 303)

    def get(self, path: str) -> str:
        return self.session.get(self.url + path, timeout=30).text

    def post(self, path: str, data: dict[str, str]) -> int:
        reply = self.session.post(self.url + path, data, timeout=60, allow_redirects=False)
        return reply.status_code

    def close(self) -> None:
        self.session.close()

    def form(self) -> dict[str, str]:
        page = self.get(CONNECTOR)
        return {name: field(page, name) for name in ("csrf_token", "token")}


def test_12_concurrent_clients_with_one_form_buy_once(stack):
    actor = stack.world.account()
    client = Client(stack, f"owner@account{stack.world.key_of(actor)}.test")
    form = client.form()
    cookies = client.session.cookies.get_dict()

    def post(_number: int) -> int:
        reply = requests.post(
            stack.url + CONNECTOR, form, cookies=cookies, timeout=60, allow_redirects=False
        )
        return reply.status_code

    with ThreadPoolExecutor(12) as pool:
        codes = list(pool.map(post, range(12)))
    client.close()
    assert set(codes) == {303}
    assert stack.charges(actor.account_id) == [(3333, "usd")]
    mine = {"account_id": actor.account_id}
    assert stack.world.rows(InstanceRow, **mine) == stack.world.rows(InvoiceRow, **mine) == 1


DIES = """
import os, sys
from datetime import datetime, UTC
from portal.domain.access import Actor, Role, Scope
from portal.gateways.stripe_payments import StripePayments, stripe_client
from tests.support.world import World

database, base, key, account, person, scope, nonce = sys.argv[1:]

class DiesAfterwards(StripePayments):
    def charge(self, charge):
        super().charge(charge)
        os.kill(os.getpid(), 9)

tenant, environment = map(int, scope.split("/"))
world = World(database, gateway=DiesAfterwards(stripe_client(key, base)))
actor = Actor(int(person), int(account), Scope(tenant, environment), Role.OWNER)
world.confirm(actor, world.accept(world.quote(actor, "salesforce"), nonce))
"""


def die_between_charge_and_settle(stack: Stack, actor, nonce: str) -> None:
    scope = f"{actor.scope.tenant_id}/{actor.scope.environment_id}"
    told = [stack.database.app_url, stack.api_base, KEY]
    told += [str(actor.account_id), str(actor.person_id), scope, nonce]
    died = subprocess.run([sys.executable, "-c", DIES, *told], cwd=ROOT, capture_output=True)
    assert died.returncode == -9, died.stderr.decode()


def settled(stack: Stack, account_id: int) -> int:
    return stack.world.rows(PurchaseRow, account_id=account_id, status="settled")


@pytest.fixture
def held_webhooks(stack):
    requests.post(f"{stack.sandbox_url}/_test/webhooks", json={"mode": "hold"}, timeout=10)
    yield
    requests.post(f"{stack.sandbox_url}/_test/webhooks", json={"mode": "deliver"}, timeout=10)


def test_killed_after_the_charge_the_webhook_settles_it_once(stack):
    actor = stack.world.account()
    die_between_charge_and_settle(stack, actor, "killed-webhook")
    deadline = time.monotonic() + 20
    while not settled(stack, actor.account_id) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert settled(stack, actor.account_id) == 1
    assert stack.charges(actor.account_id) == [(3333, "usd")]
    assert [i.add_on.lookup_key for i in stack.world.state(actor).held] == ["salesforce"]


def test_killed_after_the_charge_the_repeated_form_settles_it_once(stack, held_webhooks):
    actor = stack.world.account()
    quote = stack.world.quote(actor, "salesforce")
    die_between_charge_and_settle(stack, actor, "killed-form")
    assert settled(stack, actor.account_id) == 0
    assert stack.world.state(actor).held == ()
    for _ in range(2):
        stack.world.confirm(actor, stack.world.accept(quote, "killed-form"))
    assert settled(stack, actor.account_id) == 1
    assert stack.charges(actor.account_id) == [(3333, "usd")]
    assert stack.world.rows(InvoiceRow, account_id=actor.account_id) == 1
