"""Sends traffic through the pipeline in a proof, and accounts for where each message of it ended."""

import contextlib
import json
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import tools.ops.publish
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import depth, messages_in, stored_events
from tools.cloud.traffic import Traffic
from tools.ops.sending import Pace
from tools.ops.stack import Stack

PATIENCE = 120.0
"""Seconds without any progress after which waiting for the queue ends."""
Event = dict[str, Any]


def publish(deployment: Deployment, bodies: Sequence[str]) -> None:
    """Publish every body. Raises RuntimeError if the topic does not take one."""
    stack = Stack(origin="the local cloud", outputs=deployment.outputs, make_client=deployment.client)
    if refused := tools.ops.publish.publish(stack, bodies, pace=Pace(None)):
        raise RuntimeError(f"the topic must take every message, and refused {len(refused)}: {refused[0].reason}")


def drain(deployment: Deployment, *, down_to: int = 0) -> float:
    """Wait until the queue holds at most so many messages; return the seconds it took.

    Raises TimeoutError if it does not get there.
    """
    started = since = time.monotonic()
    least = None
    while (left := depth(deployment, "queueUrl")) > down_to:
        if least is None or left < least:
            least, since = left, time.monotonic()
        if time.monotonic() - since > PATIENCE:
            raise TimeoutError(f"the queue must empty, but held {left} messages for {PATIENCE:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - started


def bodies_in(deployment: Deployment, export: str) -> Counter[str]:
    """The bodies in a queue, without receiving them."""
    return Counter(message["Body"] for message in messages_in(deployment, export))


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """Where the published messages are, at one moment."""

    stored: int
    """Orders in the table."""
    dead: int
    """Messages in the dead-letter queue."""
    lost: tuple[str, ...]
    """Messages that are neither in the table, in this version or a newer one, nor in the dead-letter queue."""
    unexplained: tuple[str, ...]
    """What is somewhere without having been published, or where it should not be."""

    @property
    def problems(self) -> Iterator[str]:
        yield from (f"lost: {what}" for what in self.lost[:5])
        yield from (f"unexplained: {what}" for what in self.unexplained[:5])


@dataclass(frozen=True, kw_only=True)
class Before:
    """What was there before the traffic was published."""

    orders: frozenset[str]
    letters: Counter[str]


def survey(deployment: Deployment) -> Before:
    """What is there now."""
    return Before(orders=frozenset(stored_events(deployment)), letters=bodies_in(deployment, "deadLetterQueueUrl"))


def take_stock(deployment: Deployment, traffic: Traffic, before: Before) -> Ledger:
    """Hold the table and the queues against what was published, and what was there before."""
    table = {order: event for order, event in stored_events(deployment).items() if order not in before.orders}
    letters = bodies_in(deployment, "deadLetterQueueUrl") - before.letters
    published = Counter(traffic.bodies)
    events = {body: json.loads(body) for body in published - traffic.poison}
    lost = [body for body, event in events.items() if not letters[body] and not _covers(table, event)]
    lost += list((traffic.poison - letters).elements())
    real = {json.dumps(event, sort_keys=True) for event in events.values()}
    unexplained = [f"item {order}" for order, event in table.items() if _text(event) not in real]
    unexplained += [f"dead letter {body}" for body in (letters - published).elements()]
    for export in ("queueUrl", "subscriptionDeadLetterQueueUrl"):
        unexplained += [f"left in {export}: {body}" for body in bodies_in(deployment, export).elements()]
    return Ledger(stored=len(table), dead=letters.total(), lost=tuple(lost), unexplained=tuple(unexplained))


def _covers(table: dict[str, Event], event: Event) -> bool:
    held = table.get(event["orderId"])
    return held is not None and _instant(held) >= _instant(event)


def _instant(event: Event) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


def _text(event: Event) -> str:
    return json.dumps(event, sort_keys=True, default=int)


def not_newest(deployment: Deployment, traffic: Traffic) -> list[str]:
    """The orders that the table does not hold exactly in their newest version."""
    table = stored_events(deployment)
    return [order for order, event in traffic.newest.items() if table.get(order) != event]


@contextlib.contextmanager
def visibility_timeout(deployment: Deployment, seconds: int | None) -> Iterator[None]:
    """Change the queue's visibility timeout for as long as the block runs; None leaves it alone."""
    sqs, url, name = deployment.client("sqs"), deployment.outputs["queueUrl"], "VisibilityTimeout"
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"]
    if seconds is not None:
        sqs.set_queue_attributes(QueueUrl=url, Attributes={name: str(seconds)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)
