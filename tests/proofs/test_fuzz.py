"""Generated bodies and whole events through the handler: exact failure lists, silent logs, bounded cost."""

import contextlib
import gc
import itertools
import resource
import time
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hypothesis
import pytest
from hypothesis import HealthCheck, given, settings

from tests.fakes.events import run as invoke
from tests.fakes.table import Table, store_of
from tests.proofs import figures
from tests.proofs.bodies import CANARY, events, is_order, order_id

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")
SECONDS = 1.0
"""Of processor time that one message may take; SQS carries 1 MB at most."""
BYTES = 64_000_000
"""Of memory that one message may take at its peak."""
PROCESS_BYTES = 1_000_000_000
"""Of memory that the process may have meanwhile, pytest and hypothesis included; where it can be limited."""


@dataclass
class Seen:
    """What the cases have shown so far."""

    bodies: int = 0
    events: int = 0
    accepted: int = 0
    slowest: tuple[float, int] = (0.0, 0)
    """Seconds, and characters of the body."""
    largest: tuple[int, int] = (0, 0)
    """Bytes, and characters of the body."""


@pytest.mark.proof
def test_two_thousand_events_are_answered_exactly_and_silently() -> None:
    found = Seen()
    for seed in range(4):  # a run each: hypothesis keeps all that it has drawn in one
        prove(found, cases=500, seed=seed)
    told = {
        "bodies": found.bodies,
        "events": found.events,
        "orders among them": found.accepted,
        "exceptions, wrong answers and leaks": 0,
        "slowest message (ms of processor time)": found.slowest[0] * 1000,
        "its size (KB)": found.slowest[1] / 1000,
        "most memory for one message (KB)": found.largest[0] / 1000,
        "its size (KB) ": found.largest[1] / 1000,
    }
    figures.write("fuzz", told)


def test_garbage_is_answered_exactly_and_silently() -> None:
    prove(found := Seen(), cases=25, seed=2)
    assert found.bodies / 5 < found.accepted < found.bodies * 4 / 5  # neither all nor none


def prove(found: Seen, *, cases: int, seed: int) -> None:
    """Send so many generated events through the handler; what it answers wrongly is told by the smallest event."""

    @hypothesis.seed(seed)
    @settings(max_examples=cases, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(events())
    def every_event_is_answered(event: Any) -> None:
        _check(event, found)

    with limited_memory(PROCESS_BYTES):
        every_event_is_answered()


@contextlib.contextmanager
def limited_memory(size: int) -> Iterator[None]:
    """Let the process have no more memory, so that what takes too much fails and does not swap."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _check(event: Any, found: Seen) -> None:
    records = event.get("Records") if isinstance(event, dict) else None
    usable, records = isinstance(records, list), records if isinstance(records, list) else []
    bodies = [record.get("body") if isinstance(record, dict) else None for record in records]
    judged = [is_order(body) for body in bodies]
    good = list(itertools.compress(bodies, judged))
    found.bodies += len(bodies)
    found.events += 1
    found.accepted += len(good)
    table = Table()
    result = _measured(event, table, found, sum(len(body) for body in bodies if isinstance(body, str)), len(bodies))
    expected = [_id(record) for record, right in zip(records, judged, strict=True) if not right]
    assert result.failed == list(dict.fromkeys(expected)), "must answer exactly the messages that are no orders"
    assert table.items.keys() == {order_id(body) for body in good}, "must store exactly the orders"
    told = [result.summary[kind] for kind in ("records", "stored", "superseded", "rejected", "failed")]
    stored, rejected = len(table.items), len(bodies) - len(good)
    assert told == [len(bodies), stored, len(good) - stored, rejected, 0], "must account for every message in the log"
    assert len(result.lines) == len(bodies) + 1 + (not usable), "must write one line for each message, and one for all"
    named = any(CANARY in str(line.get("orderId", "")) for line in result.lines)
    assert named or CANARY not in result.output, "must not show in the log what a message holds"
    assert result.output.count("\n") == len(result.lines), "must write one line at a time"
    assert result.output.isascii(), "must write nothing that moves a cursor"


def _measured(event: Any, table: Table, found: Seen, size: int, bodies: int) -> Any:
    """Invoke the handler; of an event with one message, note the time or, every tenth time, the memory it took."""
    store, memory = store_of(table), found.events % 10 == 0
    if memory:
        tracemalloc.start()
    gc.disable()  # what the proof itself has piled up is not the handler's to collect
    try:
        before = time.process_time()
        result = invoke(event, store, level="DEBUG")
        seconds = time.process_time() - before
    finally:
        gc.enable()
    peak = tracemalloc.get_traced_memory()[1] if memory else 0
    tracemalloc.stop()
    if bodies == 1:
        found.largest = max(found.largest, (peak, size))
        found.slowest = max(found.slowest, (0.0 if memory else seconds, size))
        assert seconds < SECONDS or memory, f"must take less than {SECONDS} s for a message, took {seconds:.3f} s"
        assert peak < BYTES, f"must take less than {BYTES} bytes for a message, took {peak}"
    return result


def _id(record: Any) -> str:
    message_id = record.get("messageId") if isinstance(record, dict) else None
    return message_id if isinstance(message_id, str) else ""
