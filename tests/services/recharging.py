"""Auto-recharge, as tests say it: agreed to, used up, worked off by the job, and decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from portal.domain.access import Actor
from portal.domain.money import Money
from portal.domain.recharge_decisions import larger_packs
from portal.domain.spending import Mode
from portal.models.mails import MailRow
from portal.models.recharge import RechargeDecisionRow, RechargePolicyRow
from portal.models.spending import SpendMonthRow
from portal.queries.recharge import packs_of
from portal.queries.recharge_pages import Values, rechargings
from portal.services import recharge_policies, recharging, spending
from portal.services.recharge_policies import AmountChanged, Consent, Saved, Wanted
from portal.services.till import till_of
from tests.services.using import report, used
from tests.support.world import World


@dataclass
class Recharge:
    """One world with a worker that works when it is told to."""

    world: World

    def agree(
        self,
        actor: Actor,
        threshold: int = 10_000,
        pack: str = "messages_50k",
        cap: int = 100_000,
        cooldown: timedelta = timedelta(minutes=10),
        amount: int | None = None,
        feature: str = "messages",
    ) -> Saved | AmountChanged:
        """amount: what a pack was said to cost; what it costs, where None."""
        state = self.world.state(actor)
        code = state.account.currency
        charged = next(f for f in state.catalog.features if f.lookup_key == feature)
        packs = packs_of(state, self.world.scope, charged)
        costs = next((p.amount for p in packs if p.add_on == pack), Money.zero(code))
        said = Money(amount, code) if amount is not None else costs
        wanted = Wanted(feature, threshold, pack, Money(cap, code), cooldown)
        chosen = next((p for p in packs if p.add_on == pack), None)
        larger = larger_packs(packs, chosen) if chosen else ()
        consent = Consent(wanted, said, "I agree.", "1", "en", larger=larger)
        with self.world.session() as session:
            return recharge_policies.agree(
                actor, consent, session=session, gateway=self.world.gateway, wall=self.world.wall
            )

    def proposed(self, actor: Actor) -> Values:
        """What the page fills in for messages."""
        state = self.world.state(actor)
        with self.world.session() as session:
            found = rechargings(session, self.world.scope, state)
        values = next(r for r in found if r.feature.lookup_key == "messages").proposed
        assert values is not None
        return values

    def do(self, what: str, actor: Actor) -> None:
        """stop_for_now, go_on or turn_off."""
        with self.world.session() as session:
            getattr(recharge_policies, what)(
                actor, "messages", session=session, gateway=self.world.gateway, wall=self.world.wall
            )

    def work(self) -> int:
        with self.world.session() as session:
            return recharging.run_due(
                session, self.world.scope, gateway=self.world.gateway, wall=self.world.wall
            )

    def use(self, actor: Actor, units: int) -> None:
        """A report, and what follows from it."""
        report(self.world, actor, used("messages", units, self.world.now))
        self.work()

    def limit(self, actor: Actor, mode: Mode, minor: int) -> None:
        """Set the account's ceiling."""
        code = self.world.state(actor).account.currency
        with self.world.session() as session:
            till = till_of(actor, session, self.world.gateway, self.world.wall)
            spending.set_ceiling(till, actor, mode, Money(minor, code))

    def policy(self, actor: Actor) -> RechargePolicyRow:
        with self.world.session() as session:
            mine = select(RechargePolicyRow).filter_by(account_id=actor.account_id)
            return session.scalars(mine).one()

    def decisions(self, actor: Actor) -> list[RechargeDecisionRow]:
        mine = select(RechargeDecisionRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            return list(session.scalars(mine.order_by(RechargeDecisionRow.id)))

    def causes(self, actor: Actor) -> list[str]:
        return [row.cause for row in self.decisions(actor)]

    def months(self, actor: Actor) -> dict[tuple[bool, str], tuple[int, int]]:
        """Reserved and spent by (of the policy, month)."""
        mine = select(SpendMonthRow).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            return {
                (row.policy_id > 0, f"{row.month:%b}"): (row.reserved_minor, row.spent_minor)
                for row in session.scalars(mine)
            }

    def mails(self, actor: Actor) -> list[str]:
        """What was told since it was agreed to."""
        mine = select(MailRow.kind).filter_by(account_id=actor.account_id)
        with self.world.session() as session:
            kinds = session.scalars(mine.order_by(MailRow.id)).all()
            told = [kind for kind in kinds if kind.startswith("recharge")]
            return [kind for kind in told if kind != "recharge_agreed"]
