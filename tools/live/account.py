"""Keeps account of the published messages: each is stored, superseded, waiting, in flight, dead or purged."""

import contextlib
import threading
from collections.abc import Iterator, Mapping

SETTLED = 10
"""Looks in a row that must see the same before it counts: a message that moves is seen twice, or not at all."""


class Account:
    """What was published, from the page or by anybody else, and what of it is not to be found."""

    def __init__(self) -> None:
        self._known = self._purged = 0
        self._publishing = 0
        self._last, self._looks = 0, 0
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def publishing(self) -> Iterator[list[int]]:
        """Count what the block publishes, once it is over: the block puts the numbers into the list."""
        numbers: list[int] = []
        with self._lock:
            self._publishing += 1
        try:
            yield numbers
        finally:
            with self._lock:
                self._publishing -= 1
                self._known += sum(numbers)
                self._looks = 0

    def purged(self, messages: int) -> None:
        with self._lock:
            self._purged += messages

    def look(self, places: Mapping[str, int]) -> dict[str, int | bool]:
        """The account after one more look at where the messages are.

        AWS counts what was published; the local cloud does not. What others publish is therefore taken from where the
        messages are, once they have come to rest.
        """
        with self._lock:
            here = sum(places.values()) + self._purged
            self._looks = self._looks + 1 if here == self._last and not self._publishing else 0
            self._last = here
            settled = self._looks >= SETTLED
            if settled:
                self._known = max(self._known, here)
            missing = max(0, self._known - here)
            return {"published": here + missing, "purged": self._purged, "missing": missing, "settled": settled}
