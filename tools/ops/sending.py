"""Sends in batches of ten to SNS and SQS, at a chosen rate, retrying exactly the entries that were not taken."""

import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

BATCH = 10
"""Entries in a batch request, of SNS and of SQS."""
BATCH_BYTES = 256 * 1024
"""Bytes in a batch request: the limit of SNS, and below that of SQS.
https://docs.aws.amazon.com/sns/latest/api/API_PublishBatch.html"""
ATTEMPTS = 6
"""Times an entry is tried before it is given up; the pauses in between add up to about 6 s at most."""

Entry = dict[str, Any]
"""An entry of a batch request without its `Id`."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An entry that was not taken, and why."""

    position: int
    """Its place in what was sent."""
    reason: str


class Pace:
    """Keeps to a number of messages per second, evenly; without one, it never waits."""

    def __init__(
        self,
        rate: int | None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._rate, self._clock, self._sleep = rate, clock, sleep
        self._next = clock()
        self._lock = threading.Lock()

    @property
    def at_once(self) -> int:
        """How many messages to take in one step: at most what goes out in a second."""
        return BATCH if self._rate is None else min(BATCH, self._rate)

    def wait(self, messages: int) -> None:
        """Wait until it is time for the next message, and take the time of so many."""
        if self._rate is None:
            return
        with self._lock:
            now = self._clock()
            start = max(now, self._next)
            self._next = start + messages / self._rate
        self._sleep(start - now)


def batches(sizes: Sequence[int], *, most: int = BATCH, most_bytes: int = BATCH_BYTES) -> Iterator[range]:
    """Split items of the given sizes, in bytes, into the fewest runs that fit a batch request each, in order."""
    start = total = 0
    for position, size in enumerate(sizes):
        if position > start and (position - start == most or total + size > most_bytes):
            yield range(start, position)
            start, total = position, 0
        total += size
    if start < len(sizes):
        yield range(start, len(sizes))


def send(
    call: Callable[[list[Entry]], Mapping[str, Any]],
    entries: Iterable[Entry],
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Refused]:
    """Send one batch, and again what was refused for a reason that may pass; return what was given up.

    Args:
        call: Makes the batch request: `PublishBatch`, `SendMessageBatch` or `DeleteMessageBatch`.
        entries: At most ten.
        sleep: Waits so many seconds.
    """
    waiting = dict(enumerate(entries))
    given_up: list[Refused] = []
    for attempt in range(ATTEMPTS):
        answer = call([{"Id": str(position), **entry} for position, entry in waiting.items()])
        failed = {int(entry["Id"]): entry for entry in answer.get("Failed") or []}
        last = attempt == ATTEMPTS - 1
        hopeless = {position for position, entry in failed.items() if last or entry.get("SenderFault")}
        given_up += [Refused(position=position, reason=_reason(failed[position])) for position in sorted(hopeless)]
        waiting = {position: waiting[position] for position in failed if position not in hopeless}
        if not waiting:
            break
        sleep(random.uniform(0, min(2.0, 0.1 * 2**attempt)))  # noqa: S311 - jitter
    return given_up


def _reason(entry: Mapping[str, Any]) -> str:
    return f"{entry.get('Code', 'unknown error')}: {entry.get('Message', '')}".rstrip(": ")
