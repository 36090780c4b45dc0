"""Generated and mutated bodies and whole events through the handler: exact failure lists, silent logs, bounded cost."""

import random
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from fakes.events import run as invoke
from fakes.table import Table, store_of
from reliability.bodies import CANARY, is_order, make_body, order_id
from reliability.report import Result

SECONDS = 1.0
"""Of processor time that one message may take; SQS carries 1 MB at most."""
BYTES = 16_000_000
"""Of memory that one message may take at its peak."""


@dataclass
class Found:
    """What the cases have shown so far."""

    bodies: int = 0
    events: int = 0
    accepted: int = 0
    slowest: tuple[float, int] = (0.0, 0)
    """Seconds, and characters of the body."""
    largest: tuple[int, int] = (0, 0)
    """Bytes, and characters of the body."""
    problems: list[str] = field(default_factory=list)


def run(*, bodies: int = 120_000, seed: int = 1) -> Result:
    """Send at least so many bodies through the handler, alone and in batches, in whole and in broken events."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    found = Found()
    while found.bodies < bodies:
        event = {"Records": list(_records(chance))} if chance.random() < 0.97 else _broken_event(chance)
        try:
            _check(event, found, measured=found.events % 10 == 0)
        except Exception as error:  # noqa: BLE001 - any exception is what is looked for
            found.problems.append(f"{error!r} on {event!r}"[:500])
        found.events += 1
    if found.slowest[0] > SECONDS or found.largest[0] > BYTES:
        found.problems.append(f"a message took {found.slowest[0]:.3f} s, or {found.largest[0]} bytes")
    return Result(
        promise="whatever comes, the handler answers exactly the messages that are no orders, says nothing of what "
        "they hold, and takes bounded time and memory",
        test="Orders mutated in structure and in text, and events with broken records, go through the handler. An "
        "independent judge (a strict JSON reader, the published schema, DynamoDB's limits) says which messages must "
        "be answered; texts planted in every attribute but the orderId are looked for in the log.",
        figures={
            "bodies": found.bodies,
            "events": found.events,
            "orders among them": found.accepted,
            "exceptions, wrong answers and leaks": len(found.problems),
            "slowest message (ms of processor time)": found.slowest[0] * 1000,
            "its size (KB)": found.slowest[1] / 1000,
            "most memory for one message (KB)": found.largest[0] / 1000,
            "its size (KB) ": found.largest[1] / 1000,
        },
        problems=tuple(found.problems[:5]),
    )


def _records(chance: random.Random) -> Iterator[dict[str, Any]]:
    for number in range(chance.choice((1, 1, 1, 1, 1, 1, 1, 2, 10, 60))):
        yield {"messageId": f"m{number}", "body": make_body(chance), "eventSource": "aws:sqs"}


def _broken_event(chance: random.Random) -> Any:
    """An event that SQS would never send."""
    records: list[Any] = list(_records(chance))
    for _ in range(chance.randint(0, 3)):
        junk: Any = chance.choice(
            (None, 5, CANARY, [], {}, {"body": CANARY}, {"messageId": 7, "body": make_body(chance)})
        )
        records.insert(chance.randrange(len(records) + 1), junk)
    if chance.random() < 0.5:  # an id twice
        records += [{**record, "body": make_body(chance)} for record in records[:1] if isinstance(record, dict)]
    return chance.choice(
        ({"Records": records},) * 5 + (None, [], {}, CANARY, {"Records": CANARY}, {"records": records})
    )


def _check(event: Any, found: Found, *, measured: bool) -> None:
    records = event.get("Records") if isinstance(event, dict) else None
    records = records if isinstance(records, list) else []
    bodies = [record.get("body") if isinstance(record, dict) else None for record in records]
    found.bodies += len(bodies)
    table = Table()
    store = store_of(table)
    if measured:
        tracemalloc.start()
    before = time.process_time()
    result = invoke(event, store)
    seconds = time.process_time() - before
    if measured:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        if len(bodies) == 1:
            found.largest = max(found.largest, (peak, _size(bodies)))
    elif len(bodies) == 1:
        found.slowest = max(found.slowest, (seconds, _size(bodies)))
    good = [body for body in bodies if is_order(body)]
    found.accepted += len(good)
    expected = [_id(record) for record, body in zip(records, bodies, strict=True) if not is_order(body)]
    if result.failed != list(dict.fromkeys(expected)):
        found.problems.append(f"answered {result.failed}, must be {expected}: {event!r}"[:500])
    if table.items.keys() != {order_id(body) for body in good}:
        found.problems.append(f"stored {sorted(table.items)}: {event!r}"[:500])
    if CANARY in result.output and not any(CANARY in str(line.get("orderId", "")) for line in result.lines):
        found.problems.append(f"the log shows what a message holds: {event!r}"[:500])
    if result.output.count("\n") != len(result.lines) or not result.output.isascii():
        found.problems.append(f"a message breaks the lines of the log: {event!r}"[:500])


def _id(record: Any) -> str:
    message_id = record.get("messageId") if isinstance(record, dict) else None
    return message_id if isinstance(message_id, str) else ""


def _size(bodies: Sequence[Any]) -> int:
    return sum(len(body) for body in bodies if isinstance(body, str))
