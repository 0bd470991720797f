"""`bench/ingest.py`: reports of usage against a bare INSERT of the same events in the same run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from decimal import Decimal
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.places import Place, place
from bench.rounds import Way, measure
from portal.domain.access import Actor
from portal.domain.usage import Usage
from portal.local.roles import connect
from portal.services.quota import check
from portal.services.usage import ingest
from portal.services.verifying_usage import verify_usage

SIZES = (1, 100, 1000)
BARE = """
    CREATE TABLE bare_events (account_id bigint, event_id text, feature_id bigint, units numeric,
        occurred_at timestamptz, dimensions jsonb, PRIMARY KEY (account_id, event_id))
"""
INSERT = """
    INSERT INTO bare_events SELECT %s, e, 1, u, %s, '{"channel": "mail"}'
    FROM unnest(%s::text[], %s::numeric[]) AS x(e, u)
"""
_ids = count(1)


def events(here: Place, size: int) -> list[Usage]:
    now = here.world.now
    return [
        Usage(f"event-{next(_ids)}", "messages", Decimal(7), now, {"channel": "mail"})
        for _ in range(size)
    ]


def report(here: Place, actor: Actor, sent: list[Usage]) -> None:
    with here.world.session() as session:
        ingest(session, here.world.scope, actor.account_id, sent, wall=here.world.wall)


def sizes(here: Place, rounds: int) -> None:
    """One account, one connection, one report after the other."""
    actor = here.world.account()
    here.world.buy(actor, "messages_100k_recurring")
    with connect(here.owner_url) as owner:
        owner.execute(BARE)

        def bare(size: int) -> Callable[[], None]:
            def once() -> None:
                sent = events(here, size)
                ids, units = [e.event_id for e in sent], [e.units for e in sent]
                owner.execute(INSERT, (actor.account_id, here.world.now, ids, units))

            return once

        for size in SIZES:
            same = events(here, size)
            measure(
                f"Reports of {size}, durable",
                [
                    Way("bare INSERT (limit)", bare(size), 40 if size < 1000 else 10),
                    Way(
                        "counted, drawn, rolled up",
                        lambda size=size: report(here, actor, events(here, size)),  # type: ignore[misc]
                        40 if size < 1000 else 10,
                    ),
                    Way(
                        "the same report again",
                        lambda same=same: report(here, actor, same),  # type: ignore[misc]
                        40 if size < 1000 else 10,
                    ),
                ],
                rounds,
            )


def checking(here: Place, rounds: int) -> None:
    actor = here.world.account()
    report(here, actor, events(here, 1))
    counter = "SELECT used FROM counters WHERE account_id = %s"

    def asked() -> None:
        with here.world.session() as session:
            check(session, here.world.scope, actor.account_id, "messages", wall=here.world.wall)

    with here.connection() as bare:
        measure(
            "May it be used?",
            [
                Way(
                    "one prepared query (limit)",
                    lambda: bare.execute(counter, (actor.account_id,), prepare=True).fetchone(),
                    200,
                ),
                Way("check", asked, 20),
            ],
            rounds,
        )


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--rounds", type=int, default=5)
    rounds = asked.parse_args().rounds
    with place() as here:
        for part in (sizes, checking):
            part(here, rounds)
        with here.world.session() as session:
            wrong = verify_usage(session, here.world.scope)
    for each in wrong:
        print(each, file=sys.stderr)
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
