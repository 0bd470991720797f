"""What may be used in any order besides the rest: within the allowance, beyond it, and late."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.services.living_between import Between
from tests.services.living_quantities import Counted
from tests.services.using import correction, fates, used


class Using(Counted, Between):
    @rule(
        units=st.sampled_from((1, 3, 90_000, 600_000, 1_500_000)),
        hours=st.sampled_from((0, 0, 1, 20, 30)),
    )
    def use_messages(self, units: int, hours: int) -> None:
        """Now, or some hours ago, in a window that may be over."""
        at = self.world.state(self.actor).now - timedelta(hours=hours)
        assert fates(self.world, self.actor, used("messages", units, at))[0] in ("counted", "late")

    @rule(units=st.sampled_from((1, 50_000, 700_000)))
    def take_use_back(self, units: int) -> None:
        at = self.world.state(self.actor).now
        told = fates(self.world, self.actor, correction("messages", units, at))
        assert told[0] in ("counted", "more_than_used")
