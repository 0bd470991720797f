"""Interleaved rounds of several ways to do a thing, and the table of what they came to."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Way:
    """One row: `once` does the thing, `times` a round. rates: things a second, one a round."""

    name: str
    once: Callable[[], object]
    times: int
    rates: list[float] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)

    def run(self) -> None:
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(self.times):
            self.once()
        self.rates.append(self.times / (time.perf_counter() - wall))
        self.cpu_us.append((time.process_time() - cpu) / self.times * 1e6)


def measure(title: str, ways: list[Way], rounds: int) -> None:
    """Run every way once a round, in turn, and print them against the first.

    The machine may be busy with other things: rates then move together, ratios less so.
    """
    for way in ways:
        way.once()  # connections, statements and templates are ready before the first round
    for _ in range(rounds):
        for way in ways:
            way.run()
    print(f"\n{title}\n")
    print(f"{'':44} {'per s: min':>10} {'median':>9} {'max':>9} {'ratio':>7} {'CPU µs':>8}")
    for way in ways:
        ratio = median(mine / base for mine, base in zip(way.rates, ways[0].rates, strict=True))
        low, middle, high = min(way.rates), median(way.rates), max(way.rates)
        print(
            f"{way.name:44} {low:10,.0f} {middle:9,.0f} {high:9,.0f}"
            f" {ratio:7.3f} {median(way.cpu_us):8,.0f}"
        )
