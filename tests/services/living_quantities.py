"""What may happen to quantities in any order besides the rest: more, fewer, taken back, cut off."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from portal.domain.errors import Conflict, NotFound, PaymentsUnavailable
from portal.domain.quotes import Start
from portal.queries.subscriptions import Instance
from portal.services.ways import CardChoice
from tests.services.counting import Counter
from tests.services.living import DYING, SEVERAL, Living, dying

PLACES = st.integers(0, 5)
QUANTITIES = st.integers(1, 6)
CHOICES: st.SearchStrategy[CardChoice] = st.sampled_from(("default", "default", "new"))


class Counted(Living):
    @rule(place=PLACES, quantity=QUANTITIES, choice=CHOICES)
    def change_a_quantity(self, place: int, quantity: int, choice: CardChoice) -> None:
        """More now, fewer at the boundary, or what it has: that takes back what was agreed."""
        if found := self._recurring():
            self._ask_for(found[place % len(found)], quantity, choice)

    @rule(
        add_on=st.sampled_from(SEVERAL),
        quantity=st.integers(2, 4),
        days=st.integers(1, 20),
        then=QUANTITIES,
    )
    def buy_several_and_think_again(self, add_on: str, quantity: int, days: int, then: int) -> None:
        before = {each.id for each in self._recurring()}
        self.buy(add_on, quantity, renew=True, start=Start.NOW)
        for bought in (each for each in self._recurring() if each.id not in before):
            self._advance(timedelta(days=days))
            self._ask_for(bought, then)

    @rule(place=PLACES)
    def one_fewer(self, place: int) -> None:
        """Each time one fewer than was agreed before, for the same boundary."""
        if found := [i for i in self._recurring() if i.quantity > 1]:
            chosen = found[place % len(found)]
            self._ask_for(chosen, (chosen.next_quantity or chosen.quantity) - 1)

    @rule()
    def take_back_what_was_agreed(self) -> None:
        for each in self._recurring():
            if each.next_quantity is not None:
                self._ask_for(each, each.quantity)

    @rule(where=st.sampled_from(tuple(DYING)), place=PLACES, quantity=QUANTITIES)
    def the_process_dies_as_a_quantity_changes(self, where: str, place: int, quantity: int) -> None:
        with dying(where, 0):
            self.change_a_quantity(place, quantity, "default")

    def _ask_for(self, of: Instance, quantity: int, choice: CardChoice = "default") -> None:
        counter = Counter(self.world)
        with suppress(ValueError, Conflict, NotFound, PaymentsUnavailable):
            accepted = counter.accept(counter.quote(self.actor, of.id, quantity))
            counter.confirm(self.actor, accepted, choice)

    def _recurring(self) -> list[Instance]:
        return [each for each in self._held() if each.price.is_recurring]
