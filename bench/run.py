"""`make bench`: ratios of pages, purchases and reads to what they could cost at best."""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Callable
from itertools import cycle
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.places import Place, counted, place
from bench.rounds import Way, measure
from bench.staff import WAYS, activity
from portal.domain.quotes import Request
from portal.local.roles import connect
from portal.models.base import db
from portal.queries.accounts import account_state
from portal.queries.usage import meters
from portal.services import purchases
from portal.services.capacity import open_windows_now
from portal.services.charging import Settled

BILLING = "/settings/billing"
GRID = f"{BILLING}/add-ons"
CONFIRM = f"{GRID}/salesforce/purchase"
STATEMENTS = {
    "account_state": 7,
    GRID: 14,
    CONFIRM: 19,
    f"{GRID}/active": 17,
    f"{BILLING}/usage": 22,
    **dict.fromkeys(WAYS, 16),
}
"""Most statements that one may send; a page also finds its environment and its member."""
ACCOUNTS = 10


def pages(here: Place, rounds: int) -> None:
    """Through Flask's test client: no server and no network, the whole rest of a request."""
    actor = here.world.account()
    client = here.signed_in(f"owner@account{here.world.count}.test")
    here.world.buy(actor, "members_5")

    def get(url: str, **headers: str) -> Callable[[], None]:
        def once() -> None:
            here.world.pass_time(seconds=1)  # nobody is paced who looks once a second
            reply = client.get(url, headers=headers)
            if reply.status_code != 200:
                raise RuntimeError(f"{url}: {reply.status}")

        return once

    state = here.world.state(actor)
    measure(
        "Pages, on PostgreSQL",
        [
            Way("/healthz (one empty query)", get("/healthz"), 60),
            Way("add-ons grid", get(GRID), 8),
            Way("add-ons grid, fragment", get(GRID, **{"HX-Request": "true"}), 8),
            Way("confirm page with its quote", get(CONFIRM), 8),
            Way("active add-ons", get(f"{GRID}/active"), 8),
            Way("usage", get(f"{BILLING}/usage"), 8),
            Way(
                "the quote alone, no page, no query",
                lambda: purchases.offer(state, Request("salesforce", 1, True)),
                60,
            ),
        ],
        rounds,
    )

    def state_alone() -> None:
        with here.world.session() as session:
            account_state(session, here.world.scope, actor.account_id, here.world.wall)

    urls = (GRID, CONFIRM, f"{GRID}/active", f"{BILLING}/usage")
    _count_statements(here, {"account_state": state_alone} | {url: get(url) for url in urls})


def _count_statements(here: Place, acts: dict[str, Callable[[], object]]) -> None:
    print(f"\n{'Statements sent':44} {'found':>10} {'at most':>9}")
    with here.app.app_context():
        engine = db.engine
    for name, act in acts.items():
        most = STATEMENTS[name]
        with counted(here.world.engine) as beside, counted(engine) as sent:
            act()
        found = len(beside) + len(sent)
        verdict = "" if found <= most else "  TOO MANY"
        print(f"{name:44} {found:10} {most:9}{verdict}")


def staff(here: Place, rounds: int) -> None:
    """Each page is recorded too, and sealed."""
    _count_statements(here, activity(here, rounds))


def buying(here: Place, rounds: int) -> None:
    """A pack from quote to unlocked, with a processor that answers at once."""
    actors = cycle([here.world.account() for _ in range(ACCOUNTS)])
    with connect(here.owner_url) as owner:
        owner.execute("CREATE TABLE bench_rows (id bigint GENERATED ALWAYS AS IDENTITY, said text)")

        def three_commits() -> None:
            for _ in range(3):
                with owner.transaction():
                    owner.execute("INSERT INTO bench_rows (said) VALUES ('x')")

        def buy() -> None:
            done = here.world.buy(next(actors), "messages_10k")
            if not isinstance(done, Settled):
                raise RuntimeError(f"not bought: {done}")

        measure(
            "Purchases, durable",
            [
                Way("3 commits of one row (limit)", three_commits, 40),
                Way("quote, reserve, charge, settle", buy, ACCOUNTS),
            ],
            rounds,
        )


def quota(here: Place, rounds: int) -> None:
    """What is left of one feature, asked the bare way and the page's way."""
    world = here.world
    actor = world.account()
    state = world.state(actor)
    with world.session() as session:
        open_windows_now(session, world.scope, state)
    feature = next(f for f in state.catalog.features if f.lookup_key == "messages")
    key = (world.scope.environment_id, actor.account_id, feature.id, state.now, state.now)
    left = (
        "SELECT sum(remaining) FROM lots WHERE environment_id = %s AND account_id = %s"
        " AND feature_id = %s AND effective_at <= %s AND (expires_at IS NULL OR expires_at > %s)"
    )

    def all_meters() -> None:
        with world.session() as session:
            meters(session, world.scope, state)

    def state_and_meters() -> None:
        with world.session() as session:
            fresh = account_state(session, world.scope, actor.account_id, world.wall)
            meters(session, world.scope, fresh)

    with here.connection() as bare:
        measure(
            "Quota: what is left",
            [
                Way(
                    "one prepared query (limit)",
                    lambda: bare.execute(left, key, prepare=True).fetchone(),
                    300,
                ),
                Way("every meter of a known account", all_meters, 40),
                Way("the account's state, then every meter", state_and_meters, 8),
            ],
            rounds,
        )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=5)
    rounds = asked.parse_args().rounds
    with place() as here, here.connection() as bare:
        version = bare.info.server_version // 10000
        print(f"Python {platform.python_version()}, PostgreSQL {version}, {os.cpu_count()} cores,")
        print(
            f"{rounds} interleaved rounds; ratio: median over rounds to the first row of its table;"
        )
        print("CPU: of this process alone, without PostgreSQL.")
        for part in (pages, buying, quota, staff):
            part(here, rounds)


if __name__ == "__main__":
    main()
