"""Two workers over many due subscriptions, one of them killed in the middle: each renewed once."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sqlalchemy import create_engine

from bench.places import Place, place
from portal.domain.access import Scope
from portal.domain.periods import WallNow
from portal.gateways.fake_payments import FakePayments
from portal.local.roles import connect
from portal.models.session import open_session
from portal.services.reconciling import reconcile
from portal.services.renewing import run_due
from portal.services.verifying import verify

MAY_1 = WallNow(datetime(2026, 5, 1, tzinfo=UTC))
ONE_DECLINES = 20
COPIES = """
    WITH made AS (
        INSERT INTO accounts (environment_id, key, name, currency, stripe_customer_id)
        SELECT %(env)s, 'many' || n, 'Many ' || n, 'usd', 'cus_many' || n
        FROM generate_series(1, %(count)s) n RETURNING id, stripe_customer_id),
    cards AS (
        INSERT INTO payment_methods (environment_id, account_id, stripe_payment_method_id, brand,
            last4, exp_month, exp_year, fingerprint, is_default)
        SELECT %(env)s, id, 'pm_card_' || CASE WHEN id %% %(declines)s = 0
            THEN 'chargeCustomerFail' ELSE 'visa' END || '.' || stripe_customer_id || '.one',
            'visa', '4242', 12, 2030, 'one' || id, true FROM made)
    INSERT INTO subscriptions (environment_id, account_id, plan_id, price_id, status,
        billing_anchor_at, quota_anchor_at, started_at, plan_paid_from_at, billed_until_at,
        use_billed_until_at, next_due_at)
    SELECT s.environment_id, made.id, s.plan_id, s.price_id, 'active', s.billing_anchor_at,
        s.quota_anchor_at, s.started_at, s.plan_paid_from_at, s.billed_until_at,
        s.use_billed_until_at, s.next_due_at
    FROM made, subscriptions s WHERE s.account_id = %(like)s
"""


def work(app_url: str, scope: Scope, wall: WallNow) -> None:
    """One worker, until nothing is due: what another one held is looked at in the next round, as
    the worker does each minute."""
    engine, gateway = create_engine(app_url), FakePayments()
    with open_session(engine, scope.environment_id) as session:
        while run_due(session, scope, gateway=gateway, wall=wall).subscriptions:
            pass
    engine.dispose()


def fill(here: Place, count: int) -> None:
    like = here.world.account()
    given = {"env": here.world.scope.environment_id, "count": count, "declines": ONE_DECLINES,
             "like": like.account_id}  # fmt: skip
    with connect(here.owner_url) as owner:
        owner.execute(COPIES, given)
        owner.execute("ANALYZE")


def renew(here: Place, count: int) -> float:
    """Seconds until all are billed, one worker having been killed half-way."""
    start, context = time.perf_counter(), multiprocessing.get_context("spawn")
    told = (here.app_url, here.world.scope, MAY_1)
    workers = [context.Process(target=work, args=told) for _ in range(2)]
    for worker in workers:
        worker.start()
    with connect(here.owner_url) as owner:
        while _count(owner, "invoices") < count // 3:
            time.sleep(0.05)
        workers[0].kill()
        workers[0].join()
    workers[1].join()
    return time.perf_counter() - start


def _count(owner: object, what: str, where: str = "true") -> int:
    row = owner.execute(f"SELECT count(*) FROM {what} WHERE {where}").fetchone()  # type: ignore[attr-defined]  # noqa: S608
    return int(row[0])


def check(here: Place, count: int) -> list[str]:
    """What is not as it has to be, once reconcile has looked at what the killed one left."""
    with here.world.session() as session:
        later = WallNow(MAY_1 + timedelta(minutes=5))
        reconcile(session, here.world.scope, gateway=FakePayments(), wall=later)
        wrong = verify(session, here.world.scope)
    with connect(here.owner_url) as owner:
        facts = {
            "invoices": _count(owner, "invoices"),
            "subscriptions billed": _count(
                owner, "(SELECT DISTINCT subscription_id FROM invoices) x"
            ),
            "highest number": _count(
                owner, "generate_series(1, (SELECT max(number) FROM invoices))"
            ),
            "open or paid": _count(owner, "collections"),
        }
        unanswered = _count(owner, "payment_attempts", "status = 'started'")
        declined = _count(owner, "collections", "status = 'open'")
        paid = _count(owner, "payment_attempts", "status = 'succeeded'")
        refusing = _count(owner, "payment_methods", "stripe_payment_method_id ~ 'Fail'")
    wrong += [f"{declined} declined, not {refusing}"] if declined != refusing else []
    wrong += [f"{paid} charges, not {count - refusing}"] if paid != count - refusing else []
    wrong += [f"{name}: {found}, not {count}" for name, found in facts.items() if found != count]
    wrong += [f"{unanswered} charges without an answer"] if unanswered else []
    print(f"{paid} paid, {declined} declined and past due")
    return wrong


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=5000)
    count = asked.parse_args().count
    with place() as here:
        fill(here, count - 1)  # and the one they are like
        took = renew(here, count)
        print(f"{count} due subscriptions, two workers, one killed: {took:.1f} s,")
        print(f"{count / took:,.0f} a second on this machine, fsync on")
        wrong = check(here, count)
    for each in wrong:
        print(each, file=sys.stderr)
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
