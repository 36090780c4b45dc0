"""Makes traffic: orders with updates out of order, duplicates and poison, and what must become of them."""

import json
import random
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from tools.root import ROOT

EXAMPLE: dict[str, Any] = json.loads((ROOT / "functions/process_order/order.schema.json").read_text())["examples"][0]
EXAMPLES = ROOT / "docs" / "examples" / "orders.jsonl"
ITEMS = (
    "Laptop",
    "Desk lamp",
    "Espresso machine",
    "Notebook, A5",
    "Wireless mouse",
    "Bücherregal",
    "無線マウス",
    "Tent",
)
STEPS = ("new", "paid", "packed", "shipped")
DAY = datetime(2025, 6, 1, 8, 0, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Message bodies in the order they are published, and where each must end."""

    bodies: tuple[str, ...]
    newest: dict[str, dict[str, Any]]
    """By orderId, the event that the table must hold at the end."""
    poison: Counter[str]
    """Bodies that must end in the dead-letter queue, and how often each is published."""


def make_traffic(orders: int, seed: int, *, prefix: str = "D", examples: Path | None = EXAMPLES) -> Traffic:
    """The example events first, then `orders` generated ones (0 or more) in a random sequence.

    About a third of the orders have several versions, an eighth of the events come twice, and every thousand orders
    bring one poison message of each kind. The same seed gives the same traffic; the ids of its orders begin with
    `prefix`.
    """
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    lines = [line for line in examples.read_text().splitlines() if line] if examples else []
    generated = [version for number in range(orders) for version in _versions(f"{prefix}{number:06}", chance)]
    again = chance.sample(generated, len(generated) // 8)
    bad = poison() * max(1, orders // 1000)
    mixed = generated + again + bad
    chance.shuffle(mixed)
    newest: dict[str, dict[str, Any]] = {}
    for line in lines + generated:
        event = json.loads(line, parse_float=Decimal)
        known = newest.get(event["orderId"])
        if known is None or _instant(event) > _instant(known):
            newest[event["orderId"]] = event
    return Traffic(bodies=(*lines, *mixed), newest=newest, poison=Counter(bad))


def _instant(event: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(event["timestamp"])


def _versions(order_id: str, chance: random.Random) -> list[str]:
    """The events of one generated order: its first version, and for a third of the orders up to three more."""
    placed = DAY + timedelta(seconds=chance.randrange(86_400), microseconds=chance.randrange(1_000_000))
    order = {
        **EXAMPLE,
        "orderId": order_id,
        "userId": f"U{chance.randrange(1000):03}",
        "itemName": chance.choice(ITEMS),
        "quantity": chance.randint(1, 9),
    }
    steps = STEPS[: chance.choice((1, 1, 1, 1, 2, 4))]
    return [
        json.dumps({**order, "status": status, "timestamp": (placed + timedelta(minutes=7 * step)).isoformat()})
        for step, status in enumerate(steps)
    ]


def poison(order_id: str = "POISON") -> list[str]:
    """One message of each kind that can never become an order."""
    good = {**EXAMPLE, "orderId": order_id}
    without_user = {key: value for key, value in good.items() if key != "userId"}
    documents: list[Any] = [
        without_user,
        {**good, "itemName": ""},
        {**good, "quantity": "two"},
        {**good, "quantity": 0},
        {**good, "quantity": 1.5},
        {**good, "quantity": 10**40},
        {**good, "timestamp": "2025-06-01 08:00"},
        {**good, "quantity": float("nan")},
        [good],
    ]
    texts = ["order O1234, one laptop please", '{"orderId": "O1', "[" * 10_000 + "]" * 10_000]
    return [json.dumps(document) for document in documents] + texts
