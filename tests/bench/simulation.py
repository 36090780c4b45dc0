"""Simulates the pipeline under load, a tick at a time: what waits, for how long, and which limit holds it up."""

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

from tests.bench import limits

TICK = 0.1
"""Seconds."""
HALF_HOUR = 1800.0
"""Seconds after which DynamoDB on-demand serves twice an earlier peak."""
FULL_SPEED = "nothing"


@dataclass(frozen=True, kw_only=True)
class Work:
    """How long an invocation takes."""

    fixed: float
    """Seconds, whatever the batch: the round trips and the handler's own."""
    per_event: float
    """Seconds of each event in the batch."""

    def duration(self, batch: float) -> float:
        return self.fixed + self.per_event * batch


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the engineer sets, and the quotas of the account."""

    batch_size: int
    """Messages."""
    maximum_concurrency: int
    """Concurrent invocations."""
    warm_writes: float = limits.NEW_TABLE_WRITES.value
    """Writes a second that the table serves from the start."""
    table_writes: float = limits.TABLE_WRITES.value
    """Writes a second, the quota."""
    publishes: float = limits.PUBLISHES.value
    """Messages a second, the quota."""
    account_concurrency: float = limits.CONCURRENCY.value
    writes_per_event: float = 1.0
    """Statements for each event."""


@dataclass(frozen=True)
class Sample:
    """The pipeline at one moment."""

    time: float
    unpublished: float
    """Events that SNS has not taken yet; their publishers try again."""
    backlog: float
    """Events in the queue."""
    age: float
    """Seconds since the oldest of all these was offered."""
    concurrency: float
    """Invocations in progress."""
    stored: float
    """Events a second."""
    held_by: str
    """The limit that keeps events waiting, or `nothing`."""

    @property
    def waiting(self) -> float:
        """Events that wait, wherever."""
        return self.unpublished + self.backlog


@dataclass(frozen=True)
class Run:
    """What became of a load."""

    samples: tuple[Sample, ...]

    @property
    def peak(self) -> Sample:
        """The moment when most events wait."""
        return max(self.samples, key=lambda sample: sample.waiting)

    @property
    def oldest(self) -> float:
        """The longest that an event has waited, in seconds."""
        return max(sample.age for sample in self.samples)

    @property
    def drained(self) -> float | None:
        """When the last event was stored, in seconds; None if some still wait at the end."""
        if self.samples[-1].waiting > 1:
            return None
        return max((each.time + TICK for each in self.samples if each.stored), default=0.0)

    @property
    def saturated(self) -> str:
        """The limit that kept events waiting for the longest time."""
        held = Counter(sample.held_by for sample in self.samples if sample.held_by != FULL_SPEED)
        return held.most_common(1)[0][0] if held else FULL_SPEED


def simulate(offered: Callable[[float], float], settings: Settings, work: Work, *, seconds: float) -> Run:
    """Let `offered(time)` events a second arrive for so long and see them through."""
    unpublished: deque[tuple[float, float]] = deque()
    queued: deque[tuple[float, float]] = deque()
    invokes, backlog, waiting = limits.FIRST_INVOKES.value, 0.0, 0.0
    table = _Table(settings)
    samples = []
    for tick in range(round(seconds / TICK)):
        now = tick * TICK
        if arriving := offered(now) * TICK:
            unpublished.append((now, arriving))
            waiting += arriving
        moved = _take(unpublished, min(waiting, settings.publishes * TICK), queued)
        waiting, backlog = waiting - moved, backlog + moved
        most, name = _invocations(invokes, settings)
        batch = min(settings.batch_size, max(1.0, backlog / most))
        ways = [
            (most * batch / work.duration(batch), name),
            (limits.INVOCATION_RATE.value * settings.account_concurrency * batch, limits.INVOCATION_RATE.name),
            table.writes(now, settings),
        ]
        fastest, holding = min(ways)
        done = _take(queued, min(backlog, fastest * TICK))
        backlog -= done
        table.wrote(now, done / TICK * settings.writes_per_event)
        if backlog > done:  # more than the next tick would take: Lambda adds invocations
            invokes = min(invokes + limits.MORE_INVOKES.value / 60 * TICK, limits.MOST_INVOKES.value)
        else:
            holding = limits.PUBLISHES.name if waiting > 1 else FULL_SPEED
        oldest = min([each[0][0] for each in (unpublished, queued) if each], default=now)
        busy = min(most, done / TICK / batch * work.duration(batch))
        samples.append(Sample(now, waiting, backlog, now - oldest, busy, done / TICK, holding))
    return Run(tuple(samples))


def _take(source: deque[tuple[float, float]], amount: float, target: deque[tuple[float, float]] | None = None) -> float:
    """Move the oldest events, each group with its time, and say how many."""
    left = amount
    while source and left > 1e-9:
        time, count = source.popleft()
        part = min(count, left)
        left -= part
        if count - part > 1e-6:  # less is what is left of rounding
            source.appendleft((time, count - part))
        if target is not None:
            target.append((time, part))
    return amount - left


def _invocations(invokes: float, settings: Settings) -> tuple[float, str]:
    """How many invocations there may be at once, and what sets that number."""
    growing = invokes < limits.MOST_INVOKES.value
    return min(
        (invokes, limits.MORE_INVOKES.name if growing else limits.MOST_INVOKES.name),
        (settings.maximum_concurrency, "orders:maximumConcurrency"),
        (settings.account_concurrency, limits.CONCURRENCY.name),
        (limits.IN_FLIGHT.value / settings.batch_size, limits.IN_FLIGHT.name),
    )


class _Table:
    """What DynamoDB serves: the warm throughput, or twice the peak of half an hour ago if that is more."""

    def __init__(self, settings: Settings) -> None:
        self._warm = settings.warm_writes
        self._peaks: deque[tuple[float, float]] = deque()

    def writes(self, now: float, settings: Settings) -> tuple[float, str]:
        """Events a second that can be written, and what sets that number."""
        while self._peaks and self._peaks[0][0] <= now - HALF_HOUR:
            self._warm = max(self._warm, 2 * self._peaks.popleft()[1])
        return min(
            (self._warm / settings.writes_per_event, limits.NEW_TABLE_WRITES.name),
            (settings.table_writes / settings.writes_per_event, limits.TABLE_WRITES.name),
        )

    def wrote(self, now: float, writes: float) -> None:
        if not self._peaks or writes > self._peaks[-1][1]:
            self._peaks.append((now, writes))
