"""The orders that go through the pipeline in a proof, and the account of where each of them ended."""

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import ops.publish
from local.deploy import Deployment
from local.holdings import depth, messages_in, stored_events
from ops.sending import Pace
from ops.stack import Stack

PATIENCE = 120.0
"""Seconds without any progress after which waiting for the queue ends."""
FIRST = datetime(2025, 6, 1, 8, 0, tzinfo=UTC)
Event = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Load:
    """Message bodies in the order they are published, and what the table must hold in the end."""

    bodies: tuple[str, ...]
    newest: dict[str, Event]
    """By orderId, the newest event."""
    poison: Counter[str]
    """Bodies that can never become an order."""

    @property
    def valid(self) -> list[str]:
        return [body for body in self.bodies if body not in self.poison]


def make_load(orders: int, *, seed: int) -> Load:
    """Make `orders` orders; a fifth has an older event that comes late, a fifth of the events comes twice.

    One poison message comes with every hundred orders, and at least one.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    placed: list[tuple[float, str]] = []
    newest: dict[str, Event] = {}
    for number in range(orders):
        order, versions = _order(number, seed, chance)
        newest[order] = versions[0]
        times = sorted(chance.random() for _ in versions)
        placed += [(at, json.dumps(event)) for at, event in zip(times, versions, strict=True)]
    placed += [(chance.random(), body) for _, body in chance.sample(placed, len(placed) // 5)]
    poison = Counter(_poison(number, seed, chance) for number in range(max(1, orders // 100)))
    placed += [(chance.random(), body) for body in poison.elements()]
    return Load(bodies=tuple(body for _, body in sorted(placed)), newest=newest, poison=poison)


def _order(number: int, seed: int, chance: random.Random) -> tuple[str, list[Event]]:
    """One order and its events, newest first: the older one of a fifth of the orders is out of order."""
    order = f"R{seed}-{number:06}"
    event = {
        "orderId": order,
        "userId": f"U{chance.randrange(1000):03}",
        "itemName": chance.choice(("Laptop", "Bücherregal", "無線マウス")),
        "quantity": chance.randint(1, 9),
    }
    instant = FIRST + timedelta(seconds=chance.randrange(86_400), microseconds=chance.randrange(1_000_000))
    versions = [{**event, "status": "new", "timestamp": instant.isoformat()}]
    if number % 5 == 0:
        later = instant + timedelta(minutes=chance.randint(1, 500))
        versions.insert(0, {**event, "status": "paid", "timestamp": later.isoformat()})
    return order, versions


def _poison(number: int, seed: int, chance: random.Random) -> str:
    good = {"orderId": f"P{seed}-{number}", "userId": "U666", "itemName": "Apple", "quantity": 1, "status": "new"}
    bad = [
        json.dumps(good),
        json.dumps({**good, "timestamp": "2025-06-01T08:00:00Z", "quantity": 0}),
        json.dumps({**good, "timestamp": "yesterday"}),
        json.dumps({**good, "timestamp": "2025-06-01T08:00:00Z"})[:-1],
        json.dumps([good]),
    ]
    return chance.choice(bad)


def publish(deployment: Deployment, bodies: Sequence[str]) -> None:
    """Publish every body. Raises RuntimeError if the topic does not take one."""
    stack = Stack(origin="the local cloud", outputs=deployment.outputs, make_client=deployment.client)
    if refused := ops.publish.publish(stack, bodies, pace=Pace(None)):
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
class Account:
    """Where the published messages are."""

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
    """What was there before a load was published."""

    orders: frozenset[str]
    letters: Counter[str]


def survey(deployment: Deployment) -> Before:
    """What is there now."""
    return Before(orders=frozenset(stored_events(deployment)), letters=bodies_in(deployment, "deadLetterQueueUrl"))


def account(deployment: Deployment, load: Load, before: Before) -> Account:
    """Hold the table and the queues against what was published, and what was there before."""
    table = {order: event for order, event in stored_events(deployment).items() if order not in before.orders}
    letters = bodies_in(deployment, "deadLetterQueueUrl") - before.letters
    published = Counter(load.bodies)
    events = {body: json.loads(body) for body in set(load.valid)}
    lost = [body for body, event in events.items() if not letters[body] and not _covers(table, event)]
    lost += list((load.poison - letters).elements())
    real = {json.dumps(event, sort_keys=True) for event in events.values()}
    unexplained = [f"item {order}" for order, event in table.items() if _text(event) not in real]
    unexplained += [f"dead letter {body}" for body in (letters - published).elements()]
    for export in ("queueUrl", "subscriptionDeadLetterQueueUrl"):
        unexplained += [f"left in {export}: {body}" for body in bodies_in(deployment, export).elements()]
    return Account(stored=len(table), dead=letters.total(), lost=tuple(lost), unexplained=tuple(unexplained))


def _covers(table: dict[str, Event], event: Event) -> bool:
    held = table.get(event["orderId"])
    return held is not None and _instant(held) >= _instant(event)


def _instant(event: Event) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


def _text(event: Event) -> str:
    return json.dumps(event, sort_keys=True, default=int)


def not_newest(deployment: Deployment, load: Load) -> list[str]:
    """The orders that the table does not hold exactly in their newest version."""
    table = stored_events(deployment)
    return [order for order, event in load.newest.items() if table.get(order) != event]
