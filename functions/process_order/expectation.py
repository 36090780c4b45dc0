"""What to expect of an order before it is written: whether its row exists, learned from the orders of its status."""

from collections.abc import Iterable
from threading import Lock

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
        self._lock = Lock()

    def exist(self, statuses: Iterable[str]) -> list[bool]:
        """Guess of each event, by its status, whether its order has a row."""
        with self._lock:
            return list(map(self._exists, statuses))

    def _exists(self, status: str) -> bool:
        self._credit += ALLOWANCE
        if self._scores.get(status[:LONGEST_STATUS], 0) <= CONVINCED or self._credit < 1:
            return False
        self._credit -= 1  # what it costs if the guess is wrong
        return True

    def learn(self, seen: Iterable[tuple[str, bool, bool]]) -> None:
        """Take in of events their status, whether the order had a row, and whether expecting one saved a statement."""
        with self._lock:
            for status, existed, saved in seen:
                status = status[:LONGEST_STATUS]
                if saved:
                    self._credit += 2  # what it would have cost, and the statement that it saved
                if status in self._scores or len(self._scores) < STATUSES:
                    score = self._scores.get(status, 0) + (1 if existed else -1)
                    if -CERTAIN <= score <= CERTAIN:
                        self._scores[status] = score
