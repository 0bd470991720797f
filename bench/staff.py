"""Staff's page of activity among 100,000 events, by each of its filters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlencode

from bench.places import Place
from bench.rounds import Way, measure
from portal.local.roles import connect
from tests.services.staffing import StaffDoor

ACTIVITY = "/staff/activity"
WAYS: dict[str, dict[str, str]] = {
    "staff's activity": {},
    "of one of the staff": {"doer": "staff:1"},
    "of members": {"doer": "person"},
    "of one account": {"account": "Account1"},
    "of support": {"kind": "support"},
    "20 days back": {"before": "{at}_1"},
}
EVENTS = 100_000
FILL = """
INSERT INTO events (environment_id, account_id, actor, name, subject, at)
SELECT %(environment)s, n %% 10 + 1, CASE n %% 2 WHEN 0 THEN 'person:1' ELSE 'stripe' END,
       CASE n %% 2 WHEN 0 THEN 'session:started' ELSE 'invoice:paid' END, 'account:1',
       %(now)s - n * interval '25 seconds'
FROM generate_series(1, %(events)s) n
"""


def activity(here: Place, rounds: int) -> dict[str, Callable[[], None]]:
    """What was measured, by name."""
    client = here.app.test_client()
    client.set_cookie("staff", StaffDoor(here.world).set_up())
    given = {"environment": here.world.scope.environment_id, "now": here.world.now}
    with connect(here.owner_url) as owner:
        owner.execute(FILL, given | {"events": EVENTS})
        owner.execute("ANALYZE events")
        owner.commit()
    old = (here.world.now - timedelta(days=20)).isoformat()

    def get(asked: dict[str, str]) -> Callable[[], None]:
        url = f"{ACTIVITY}?{urlencode({k: v.format(at=old) for k, v in asked.items()})}"

        def once() -> None:
            reply = client.get(url)
            if reply.status_code != 200:
                raise RuntimeError(f"{url}: {reply.status}")

        return once

    ways = {name: get(asked) for name, asked in WAYS.items()}
    measure(
        f"Staff's activity, {EVENTS:,} events",
        [
            Way("/healthz (one empty query)", lambda: client.get("/healthz"), 60),
            *(Way(name, once, 8) for name, once in ways.items()),
        ],
        rounds,
    )
    return ways
