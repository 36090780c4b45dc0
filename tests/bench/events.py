"""New orders, streams of a shop's events, the SQS events that carry them, and what Lambda gives beside those."""

import itertools
import json
import time
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

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
QUEUE = "arn:aws:sqs:us-east-1:123456789012:OrderQueue"
_numbers = itertools.count()


@dataclass(frozen=True)
class LambdaContext:
    """What handlers read of Lambda's context."""

    function_name: str = "ProcessOrder"
    function_version: str = "$LATEST"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:us-east-1:123456789012:function:ProcessOrder"
    aws_request_id: str = "5a5f2b64-9e55-4f3c-8f1a-0d4f0c6d4f11"
    until: float = field(default_factory=lambda: time.monotonic() + 300)

    def get_remaining_time_in_millis(self) -> int:
        """Tell the time until the function would be stopped."""
        return int((self.until - time.monotonic()) * 1000)


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


def sqs_event(bodies: Iterable[str]) -> dict[str, Any]:
    """Make the event of a batch with all that SQS sends beside the bodies."""
    return {
        "Records": [
            {
                "messageId": str(uuid.uuid4()),
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a" * 6,
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1748764800000",
                    "SenderId": "AIDAIT2UOQQY3AUEKVGXU",
                    "ApproximateFirstReceiveTimestamp": "1748764800012",
                },
                "messageAttributes": {},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "eventSource": "aws:sqs",
                "eventSourceARN": QUEUE,
                "awsRegion": "us-east-1",
            }
            for body in bodies
        ]
    }
