"""New orders, and streams of a shop's events."""

import itertools
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random

STATUSES = ("new", "paid", "packed", "shipped", "delivered", "returned")
"""A shop's, in their order; an order has 1 to 6 events."""
STREAMS = {
    "a shop's day": (STATUSES, 6),
    "one status for all": (("changed",), 6),
    "one status, and half the orders new": (("changed",), 2),
}
"""The statuses of each stream and the most events of an order; the last two say nothing of whether an order exists."""
DUPLICATES, OUT_OF_ORDER = 0.05, 0.02
ORDERS, OPEN, LATE = 3000, 1500, 100
"""Orders of a stream, those whose events come at the same time, and the events after which a late one comes."""
SEED = 11
START = datetime(2025, 6, 1, tzinfo=UTC)
_numbers = itertools.count()


def new_order() -> str:
    """Spell the next new order: the contract's six attributes, about 150 bytes."""
    number = next(_numbers)
    return _event(number, "new", START + timedelta(milliseconds=number))


def stream_of(name: str) -> Iterator[str]:
    """Spell the events of many orders, the same every time, each order's in time order but for a few."""
    statuses, longest = STREAMS[name]
    random = Random(SEED)
    number, open_orders = OPEN, [_events(index, statuses, longest, random) for index in range(OPEN)]
    held: list[str] = []
    while open_orders:
        at = random.randrange(len(open_orders))
        event = next(open_orders[at], None)
        if event is None:
            if number < ORDERS:
                open_orders[at] = _events(number, statuses, longest, random)
                number += 1
            else:
                del open_orders[at]
            continue
        if random.random() < OUT_OF_ORDER:
            held.append(event)  # it comes after later ones of its order
            continue
        yield event
        if random.random() < DUPLICATES:
            held.append(event)
        if len(held) > LATE:
            yield held.pop(0)
    yield from held


def _events(number: int, statuses: Sequence[str], longest: int, random: Random) -> Iterator[str]:
    for step in range(random.randint(1, longest)):
        yield _event(number, statuses[step % len(statuses)], START + timedelta(seconds=number, hours=step))


def _event(number: int, status: str, time: datetime) -> str:
    return json.dumps(
        {
            "orderId": f"O{number:010}",
            "userId": f"U{number % 997:03}",
            "itemName": "Laptop",
            "quantity": 1 + number % 9,
            "status": status,
            "timestamp": time.isoformat().replace("+00:00", "Z"),
        }
    )
