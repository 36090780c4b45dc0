"""Counts statements and round trips on streams of events: a shop's day, and one whose statuses say nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from bench.results import Target
from fakes.events import body
from fakes.table import Table, executing
from functions.process_order.expectation import Expectation
from functions.process_order.orders import parse
from functions.process_order.store import STATEMENTS_PER_CALL, Store
from ops.prices import WRITE

STATUSES = ("new", "paid", "packed", "shipped", "delivered", "returned")
"""A shop's, in their order; an order has 1 to 6 events."""

STREAMS = {
    "a shop's day": (STATUSES, 6),
    "one status for all": (("changed",), 6),
    "one status, and half the orders new": (("changed",), 2),
}
"""The statuses of each stream and the most events of an order; the last two say nothing of whether an order exists."""

DUPLICATES, OUT_OF_ORDER = 0.05, 0.02
ORDERS, BATCH, OPEN = 6000, 100, 3000
"""Orders of a stream, events of a batch, and orders whose events come at the same time."""

SEED = 11
START = datetime(2025, 6, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Count:
    """What a stream took."""

    events: int
    statements: int
    round_trips: int


class _InsertFirst(Expectation):
    """Expects every order to be new, as one would that does not learn."""

    def exists(self, status: str) -> bool:  # noqa: ARG002
        return False


def measure() -> dict[str, Any]:
    """Send both streams, by a store that learns and by one that inserts first; the counts are the same every time."""
    rows = []
    for name, (statuses, longest) in STREAMS.items():
        events = list(stream(statuses, longest, Random(SEED)))
        learned, plain = Table(), Table()
        learning, inserting = (
            Store(executing(learned), "Orders"),
            Store(executing(plain), "Orders", expectation=_InsertFirst()),
        )
        rows += [_row(name, "ours", events, learning, learned), _row(name, "INSERT first", events, inserting, plain)]
        if learned.items != plain.items:
            raise RuntimeError("both stores must end in the same table, and did not")
    return {"batch": BATCH, "rows": rows}


def stream(statuses: Sequence[str], longest: int, random: Random) -> Iterator[str]:
    """Spell the events of many orders, each in time order but for a few."""
    number, open_orders = 0, [_events(index, statuses, longest, random) for index in range(OPEN)]
    held: list[str] = []
    while open_orders:
        at = random.randrange(len(open_orders))
        event = next(open_orders[at], None)
        if event is None:
            number += 1
            if number + OPEN <= ORDERS:
                open_orders[at] = _events(number + OPEN, statuses, longest, random)
            else:
                del open_orders[at]
            continue
        if random.random() < OUT_OF_ORDER:
            held.append(event)  # it comes after later ones of its order
            continue
        yield event
        if random.random() < DUPLICATES:
            held.append(event)
        if len(held) > BATCH:
            yield held.pop(0)
    yield from held


def _events(number: int, statuses: Sequence[str], longest: int, random: Random) -> Iterator[str]:
    for step in range(random.randint(1, longest)):
        time = (START + timedelta(seconds=number, hours=step)).isoformat().replace("+00:00", "Z")
        yield body(orderId=f"O{number}", status=statuses[step % len(statuses)], timestamp=time)


def _row(name: str, contender: str, events: Sequence[str], store: Store, table: Table) -> dict[str, Any]:
    count = _send(events, store, table)
    return {
        "stream": name,
        "contender": contender,
        "events": count.events,
        "statements_per_event": round(count.statements / count.events, 3),
        "round_trips_per_event": round(count.round_trips / count.events, 4),
        "writes_per_million": round(WRITE.of(count.statements / count.events * 1e6), 3),
    }


def _send(events: Sequence[str], store: Store, table: Table) -> Count:
    for start in range(0, len(events), BATCH):
        newest = {}
        for order in sorted((parse(text) for text in events[start : start + BATCH]), key=lambda order: order.version):
            newest[order.order_id] = order
        orders = list(newest.values())
        # One call after the other: what is learned from parallel ones depends on which is answered first.
        for first in range(0, len(orders), STATEMENTS_PER_CALL):
            store.write(orders[first : first + STATEMENTS_PER_CALL], store.clock() + 30)
    return Count(events=len(events), statements=sum(len(call) for call in table.calls), round_trips=len(table.calls))


def targets(result: dict[str, Any]) -> list[Target]:
    """What learning must save on a shop's day, and may cost where there is nothing to learn."""
    counts = [row["statements_per_event"] for row in result["rows"]]
    worst = max(ours / inserting for ours, inserting in zip(counts[2::2], counts[3::2], strict=True))
    return [
        Target("statements an event, a shop's day", counts[0], at_most=1.10),
        Target("statements over INSERT first, statuses that say nothing", worst, at_most=1.05),
    ]
