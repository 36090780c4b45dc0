"""What to expect of an order before it is written: whether its row exists, learned from the orders of its status."""

from collections import Counter
from collections.abc import Iterable, Sequence

STATUSES = 256
"""Statuses that are learned; those after them are expected to be of new orders."""

LONGEST_STATUS = 64
"""Characters of a status that are kept."""

CERTAIN, CONVINCED = 16, 2
"""A status counts from -16 (its orders are new) to 16 (they exist); above 2 an order is expected to exist."""

START, ALLOWANCE = 50.0, 0.04
"""Wrong guesses that are granted at the start, and for each order: a stream that cannot be guessed costs at most 4 %
more statements than an INSERT first for every order, whatever it does, and 50 in the life of a process."""


class Expectation:
    """Guesses whether orders exist. A wrong guess costs a second statement, as every existing order would otherwise."""

    def __init__(self) -> None:
        self._scores: dict[str, int] = {}
        self._credit = START

    def exist(self, statuses: Sequence[str]) -> Sequence[bool]:
        """Guess of the events of a call, by their statuses, whether their orders have rows."""
        self._credit += ALLOWANCE * len(statuses)
        likely = {one for one in set(statuses) if self._scores.get(one[:LONGEST_STATUS], 0) > CONVINCED}
        guesses = [status in likely for status in statuses]
        if (cost := sum(guesses)) > self._credit:  # what it costs if all are wrong
            return [False] * len(statuses)
        self._credit -= cost
        return guesses

    def learn(self, seen: Iterable[tuple[str, bool, bool]]) -> None:
        """Take in of events their status, whether the order had a row, and whether expecting one saved a statement."""
        for (status, existed, saved), times in Counter(seen).items():
            status = status[:LONGEST_STATUS]
            self._credit += 2 * saved * times  # what it would have cost, and the statement that it saved
            if status in self._scores or len(self._scores) < STATUSES:
                score = self._scores.get(status, 0) + (times if existed else -times)
                self._scores[status] = min(max(score, -CERTAIN), CERTAIN)
