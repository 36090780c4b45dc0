"""The messages of a rehearsal: in each part of it, every kind of order and poison that a handler has to tell apart."""

import json
import random
from collections.abc import Iterator, Mapping
from typing import Any

from tools.cloud.traffic import EXAMPLE, poison

PRIVATE = "Zaphod9"
"""What is in every order and in no line of a log."""
PARTS = ("before", "waiting", "during", "after")
"""When a message is published: before the change, while nothing is read, while the change is applied, or after it."""
OUTAGE = "outage"
"""When what is published cannot be written for a moment."""
PLAIN = 24
"""Orders of one event, in each part."""
PLACED, LATER = "2025-06-01T08:00:00Z", "2025-06-01T08:00:07Z"
MANY = {
    "gift": True,
    "note": None,
    "weightKg": 41.50,
    "rate": "DIGITS",
    "points": 0,
    "size": 10**20,
    "lines": [1, "1", 1.5, {"sku": "A"}, [], {}],
    "extra": {"version": "0", "name": ""},
    "version": "9999",
    "Straße": "ß",
}
"""Attributes that no order needs, with the names and values that are most easily taken for others."""
KINDS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "steps": ({"timestamp": LATER}, {"timestamp": "2025-06-01T08:00:09Z", "status": "paid"}, {}),
    "twice": ({}, {}),
    "extra": (MANY,),
    "zones": (
        {"timestamp": "2025-06-01T12:30:00+02:00"},
        {"timestamp": "2025-06-01T11:00:00Z", "status": "paid"},
        {"timestamp": "2025-06-01T05:45:00-05:00"},
    ),
    "fractions": (
        {"timestamp": "2025-06-01T08:00:00.5Z", "status": "paid"},
        {},
        {"timestamp": "2025-06-01T08:00:00.499999Z"},
    ),
    "nanoseconds": (
        {"timestamp": "2025-06-01T08:00:00.000000004Z", "status": "paid"},
        *({"timestamp": f"2025-06-01T08:00:00.00000000{last}Z"} for last in (1, 2, 3)),
    ),
    "tie": ({"status": "paid"}, {"status": "packed"}, {"timestamp": "2025-06-01T10:00:00+02:00"}),
    "whole": ({"quantity": 3.0},),
    "most": ({"quantity": 2**53 - 1, "itemName": "Bücher \u2028 無線 😀 \\ \" ' $.x %s {0}", "userId": PRIVATE * 20},),
    "large": ({"note": "x" * 70_000},),
}
"""By kind, the events of one order in the sequence in which they are published, as what they change of an example."""
FIRST = {"userId": f"{PRIVATE} first", "itemName": "Lamp", "quantity": 2, "status": "new", "timestamp": PLACED, **MANY}
NEXT = {
    "userId": f"{PRIVATE} next",
    "itemName": "Tent",
    "quantity": 5,
    "status": "paid",
    "timestamp": LATER,
    "by": "DHL",
}
ACROSS: Mapping[str, tuple[tuple[Mapping[str, Any], ...], tuple[Mapping[str, Any], ...]]] = {
    "newer": ((FIRST,), (NEXT,)),
    "older": ((NEXT,), (FIRST,)),
    "again": ((FIRST,), (FIRST,)),
    "tie": (({"status": "paid"}, {"status": "packed"}), ({"status": "packed"}, {"status": "paid"})),
}
"""By kind, the events of one order that are published before the change, and those in a later part."""


def messages(part: str) -> list[str]:
    """The bodies that are published in a part, in their sequence."""
    chance = random.Random(part)  # noqa: S311 - not for secrets
    if part == OUTAGE:
        return [_body(f"R-{part}-{number:03}", {}) for number in range(8)]
    found = [[_body(f"R-{part}-{number:03}", {"quantity": 1 + number})] for number in range(PLAIN)]
    found += [[_body(f"R-{part}-{kind}", each) for each in events] for kind, events in KINDS.items()]
    found += [[_body(f"R-{part}-{'long' * 120}", {})]]
    found += [[_body(order, each) for each in events] for order, events in _across(part)]
    found += [[body] for body in bad(part)]
    chance.shuffle(found)
    return [body for bodies in found for body in bodies]


def bad(part: str) -> list[str]:
    """The bodies of a part that can never be stored."""
    order = f"R-{part}-bad"
    return [*poison(order), _body(order, {"timestamp": "9000-01-01T00:00:00Z"})]


def _across(part: str) -> Iterator[tuple[str, tuple[Mapping[str, Any], ...]]]:
    for later in PARTS[1:]:
        for kind, (first, then) in ACROSS.items():
            if part in ("before", later):
                yield f"R-{later}-{kind}-before", first if part == "before" else then


def _body(order: str, changes: Mapping[str, Any]) -> str:
    event = {**EXAMPLE, "orderId": order, "userId": PRIVATE, "itemName": f"{PRIVATE} lamp", "timestamp": PLACED}
    return json.dumps({**event, **changes}).replace('"DIGITS"', "12345678901234567890.123456789")
