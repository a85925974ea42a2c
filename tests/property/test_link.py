"""A link as a state machine: whatever is done in whatever order, it behaves like a model."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from stream.link import Link


class LinkMachine(RuleBasedStateMachine):
    @initialize(capacity=st.integers(1, 4), leaky=st.booleans())
    def make(self, capacity: int, leaky: bool) -> None:
        self.link: Link[list[int]] = Link(
            capacity, leaky=leaky, hand_on=lambda dropped, successor: dropped + successor
        )
        self.reader = iter(self.link)
        self.capacity, self.leaky = capacity, leaky
        self.sent = 0
        self.inside: list[list[int]] = []
        self.received: list[int] = []
        self.taken = self.dropped = 0
        self.ended = self.aborted = False

    @precondition(lambda self: not self.ended)
    @precondition(lambda self: self.aborted or self.leaky or len(self.inside) < self.capacity)
    @rule()
    def put(self) -> None:
        item = [self.sent]
        self.sent += 1
        assert self.link.put(list(item)) is not self.aborted
        if self.aborted:
            return
        if len(self.inside) == self.capacity:
            oldest = self.inside.pop(0)
            self.dropped += 1
            if self.inside:
                self.inside[0] = oldest + self.inside[0]
            else:
                item = oldest + item
        self.inside.append(item)

    @precondition(lambda self: self.inside or self.ended or self.aborted)
    @rule()
    def take(self) -> None:
        item = next(self.reader, None)
        if not self.inside:
            assert item is None
            return
        assert item == self.inside.pop(0)
        self.received += item
        self.taken += 1

    @rule()
    def end(self) -> None:
        self.link.end()
        self.ended = True

    @rule()
    def abort(self) -> None:
        self.link.abort()
        self.inside.clear()
        self.aborted = True

    @invariant()
    def nothing_is_lost_or_reordered(self) -> None:
        waiting = [number for item in self.inside for number in item]
        if not self.aborted:
            assert self.received + waiting == list(range(self.sent))
        assert self.received == sorted(self.received)

    @invariant()
    def statistics_agree(self) -> None:
        stats = self.link.stats
        assert (stats.passed, stats.dropped) == (self.taken, self.dropped)
        assert stats.waiting == len(self.inside) <= stats.peak <= self.capacity


TestLink = LinkMachine.TestCase
