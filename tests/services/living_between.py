"""What may happen once an agreed change of plan has come, and before its renewal has run."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from portal.domain.access import Actor
from portal.domain.errors import Conflict, NotFound, PaymentsUnavailable
from portal.domain.periods import Interval
from portal.models.accounts import AccountRow
from portal.services.recording import Doer
from portal.services.renewing import take_step
from portal.services.till import Till as Desk
from tests.services.changing import ANNUAL, MONTHLY, Office
from tests.services.leaving import cancel_add_on, keep_add_on
from tests.services.time_passing import subscription
from tests.support.world import World

SOLD = ("advanced_webhooks", "salesforce", "storage_100gb", "members_5", "messages_10k")
ACTS = st.lists(st.tuples(st.sampled_from(("buy", "buy", "cancel", "keep")), st.integers(0, 5)),
                max_size=4)  # fmt: skip
LOWER = ("starter", "growth")
AFTER = (timedelta(0), timedelta(seconds=20), timedelta(days=40))


class Between(RuleBasedStateMachine):
    """Of an account whose clock can be set."""

    world: World
    office: Office
    actor: Actor

    @rule(
        first=st.sampled_from(("business", "business", None)),
        held=st.lists(st.sampled_from(SOLD), max_size=2),
        plan=st.sampled_from(LOWER),
        late=st.sampled_from(AFTER),
        acts=ACTS,
    )
    def a_change_comes_before_its_renewal(self, first, held, plan, late, acts) -> None:
        """Whatever is done in between, all that is due is done by the renewal."""
        if first is not None and (own := self.world.state(self.actor).subscription):
            self._change(first, own.price.interval)
        for add_on in held:
            self._try_to_buy(add_on)
        self._agree_to(plan)
        agreed = self.world.state(self.actor).agreed
        if agreed is None:
            return
        self._stand_at(max(agreed.effective_at + late, self.world.state(self.actor).now))
        for act, place in acts:
            self._act(act, place)
        self._renew()

    def _agree_to(self, plan: str) -> None:
        own = self.world.state(self.actor).subscription
        if own is None or self.world.state(self.actor).agreed is not None:
            return
        lower = own.plan.lookup_key if own.price.interval == ANNUAL else plan
        self._change(lower, MONTHLY)

    def _change(self, plan: str, interval: Interval) -> None:
        with suppress(Conflict, NotFound, PaymentsUnavailable, ValueError):
            self.office.change(self.actor, plan, interval)

    def _act(self, act: str, place: int) -> None:
        if act == "buy":
            self._try_to_buy(SOLD[place % len(SOLD)])
            return
        mine = [i for i in self.world.state(self.actor).instances if i.price.is_recurring]
        if mine and act in ("cancel", "keep"):
            chosen = mine[place % len(mine)].id
            with suppress(Conflict, NotFound):
                (cancel_add_on if act == "cancel" else keep_add_on)(self.world, self.actor, chosen)

    def _try_to_buy(self, add_on: str) -> None:
        with suppress(Conflict, NotFound, PaymentsUnavailable, ValueError):
            self.world.buy(self.actor, add_on)

    def _stand_at(self, at) -> None:
        """Time moves, and nothing runs."""
        with self.world.session() as session:
            key = (self.world.scope.environment_id, self.actor.account_id)
            session.get_one(AccountRow, key).test_clock_at = at
            session.commit()

    def _renew(self) -> None:
        """Nothing stays due."""
        world, row = self.world, subscription(self.world, self.actor)
        with world.session() as session:
            desk = Desk(session, world.gateway, world.scope, world.wall, Doer("renewal"))
            for _ in range(200):
                if not take_step(desk, row.id):
                    break
        row = subscription(world, self.actor)
        state = world.state(self.actor)
        assert row.ended_at is not None or row.next_due_at > state.now
        assert not state.is_changing or row.status == "suspended"
