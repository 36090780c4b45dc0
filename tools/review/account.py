"""The account of a rehearsal: every message that the topic took, where it is now, and what became of which."""

import contextlib
import functools
import json
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from tools.cloud.traffic import EXAMPLE
from tools.review.samples import OUTAGE, PARTS, PRIVATE, bad
from tools.review.sight import Sight, unwrapped

WHEN = {
    "before": "from before the change",
    "waiting": "that waited when the change came",
    "during": "published during the change",
    "after": "after the change",
}
SLOWER, SLOW = 5, 0.5
"""A batch that takes so many times as long as before, and so many seconds, is told of."""


class Event(NamedTuple):
    """What was published of an order."""

    order: str
    instant: tuple[datetime, str]
    """To the nanosecond."""
    row: Mapping[str, Any]
    """By attribute, what the order's row must hold, with its type."""

    def differs(self, row: Mapping[str, Any]) -> list[str]:
        """The attributes in which a row is not that of the event."""
        found = [key for key, value in self.row.items() if _typed(row.get(key)) != value]
        return found if "S" in row.get("version", {}) else [*found, "version"]


@functools.cache
def event_of(body: str) -> Event:
    """Read a body that was published."""
    event = json.loads(body, parse_float=Decimal)
    extra = {key: value for key, value in event.items() if key not in EXAMPLE}
    wanted = {**{key: event[key] for key in EXAMPLE}, "extra": extra}
    stamp = re.fullmatch(r"(.{19})(?:\.(\d+))?(.+)", event["timestamp"])
    assert stamp
    return Event(
        order=event["orderId"],
        instant=(datetime.fromisoformat(stamp[1] + stamp[3]), (stamp[2] or "").ljust(9, "0")),
        row={key: _spelled(value) for key, value in wanted.items()},
    )


@dataclass(kw_only=True)
class Account:
    """What was published, and when."""

    poison: frozenset[str] = frozenset(body for part in PARTS for body in bad(part))
    parts: dict[str, list[str]] = field(default_factory=dict)
    """By body, the parts of the rehearsal in which it was taken."""
    shapes: dict[str, str] = field(default_factory=dict)
    """By body, the attributes with which it was published, as JSON; of those that were published once."""
    refused: Counter[str] = field(default_factory=Counter)
    """How many messages the topic refused, by part."""

    def took(self, part: str, body: str, shape: str) -> None:
        self.shapes[body] = "" if body in self.parts else shape
        self.parts.setdefault(body, []).append(part)

    def newest(self, known: Iterable[str] = (*PARTS, OUTAGE)) -> dict[str, tuple[list[Event], str]]:
        """By order, its newest events, several at one instant, and the last part in which one of them was published."""
        found: dict[str, tuple[list[Event], str]] = {}
        for body, parts in self.parts.items():
            if body not in self.poison and (own := [part for part in parts if part in known]):
                event = event_of(body)
                others, last = found.get(event.order, ([], own[-1]))
                if not others or event.instant > others[0].instant:
                    found[event.order] = [event], own[-1]
                elif event.instant == others[0].instant:
                    found[event.order] = [*others, event], own[-1] if own[-1] != "before" else last
        return found

    def missing(self, sight: Sight) -> dict[str, list[str]]:
        """By part, the orders of which the table does not hold a newest event, with every attribute."""
        found: dict[str, list[str]] = {}
        for order, (events, part) in self.newest().items():
            row = sight.rows.get(order)
            if row is None or all(event.differs(row) for event in events):
                found.setdefault(part, []).append(order)
        return found

    def unkept(self, sight: Sight) -> int:
        """How many messages that can never be stored are neither dead letters nor on their way."""
        held = Counter(_bodies(sight.dead, sight.waiting))
        return sum(max(0, len(parts) - held[body]) for body, parts in self.parts.items() if body in self.poison)

    def settled(self, sight: Sight) -> bool:
        """Whether nothing more is to be expected: what is not stored is dead, and nothing waits."""
        missing = [order for orders in self.missing(sight).values() for order in orders]
        consumed = next(iter(sight.waiting.values()), [])
        return not consumed and not self.unkept(sight) and len(_orders_in(sight.dead, missing)) == len(missing)

    def losses(self, sight: Sight, before: Sight) -> Iterator[str]:
        """What became of orders, a sentence for each part that lost some."""
        newest = self.newest()
        missing = self.missing(sight)
        for part, when in WHEN.items():
            if self.refused[part] and part != "before":
                yield f"the topic that producers know refused {self.refused[part]} messages {when}"
            if part in missing:
                of = sum(each == part for _, each in newest.values())
                right = of - len(missing[part])
                said = (
                    f"after the change {right} of {of} orders" if part == "after" else f"{right} of {of} orders {when}"
                )
                yield f"{said} are stored: {'; '.join(self._reasons(missing[part], sight, before))}"
        if unkept := self.unkept(sight):
            yield f"messages that cannot be stored, and are in no dead-letter queue: {unkept}"
        if not missing:
            yield from self._besides(sight, before)

    def _besides(self, sight: Sight, before: Sight) -> Iterator[str]:
        dead = [body for body in set(_bodies(sight.dead)) if body in self.parts and body not in self.poison]
        if dead:
            yield f"messages that could be stored, and are dead letters: {len(dead)}"
        if changed := self._unstable(sight, before):
            yield f"orders whose rows changed although nothing newer came: {len(changed)}"
        if any(PRIVATE in line for line in sight.log[len(before.log) :]):
            yield "the function writes what orders hold into its log"
        yield from _why(sight, before)

    def _unstable(self, sight: Sight, before: Sight) -> list[str]:
        newest = self.newest()
        return [
            order
            for order, (events, _) in self.newest(["before"]).items()
            if events[0].instant == newest[order][0][0].instant and sight.rows.get(order) != before.rows.get(order)
        ]

    def _reasons(self, orders: list[str], sight: Sight, before: Sight) -> Iterator[str]:
        yield from _why(sight, before)
        dead, waiting = _orders_in(sight.dead, orders), _orders_in(sight.waiting, orders)
        rest = {*orders} - dead - waiting
        stored = rest & sight.rows.keys()
        newest = self.newest()
        wrong = {order: newest[order][0][-1].differs(sight.rows[order]) for order in stored}
        older = [order for order, names in wrong.items() if "timestamp" in names]
        names = sorted({name for order in stored.difference(older) for name in wrong[order]})
        told = (
            (len(dead), "dead letters"),
            (len(waiting - dead), "waiting in the queue"),
            (len(rest - stored), "nowhere to be found"),
            (len(older), "stored in an older version"),
            (len(stored) - len(older), f"stored with another {', '.join(names[:3])}"),
        )
        yield from (f"{count} {what}" for count, what in told if count)

    def vanished(self, sight: Sight) -> set[str]:
        """Orders that are neither stored nor in a queue."""
        missing = {order for orders in self.missing(sight).values() for order in orders}
        return missing - _orders_in(sight.dead, missing) - _orders_in(sight.waiting, missing)

    def less(self, before: Sight, sight: Sight, admits: Mapping[str, str]) -> Iterator[str]:
        """Consumers that get less than before, or not what their own filter admits."""
        for name, seen in sight.seen.items():
            for shape in dict.fromkeys(self.shapes.values()):
                own, old = (
                    [body for body, given in self.shapes.items() if given == shape and self.parts[body] == [part]]
                    for part in ("after", "before")
                )
                got = sum(body in seen for body in own)
                had = name in before.seen and bool(old) and all(body in before.seen[name] for body in old)
                if got < len(own) and (had or admits.get(name) == shape):
                    yield f"{name} got {got} of {len(own)} messages that it should get after the change"
                    break


def slower(sight: Sight, before: Sight) -> Iterator[str]:
    """Whether the function takes much longer than before: for most batches, or, on a busy machine, for the fastest."""
    new = sight.seconds[len(before.seconds) :]
    if before.seconds and new:
        for measure in (statistics.median, min):
            was, becomes = measure(before.seconds), measure(new)
            if becomes > max(SLOW, SLOWER * was):
                yield f"a batch takes the function {becomes:.1f} s, and took {was:.1f} s"
                return


def silent(before: Mapping[str, float], after: Mapping[str, float]) -> Iterator[str]:
    """Metrics that no line of the log counts for any more."""
    for name, count in before.items():
        if count and not after.get(name):
            yield f"what the function logs counts nothing for {name} any more, and its alarm falls silent"


def _why(sight: Sight, before: Sight) -> Iterator[str]:
    refused = dict.fromkeys(sight.refused[len(before.refused) :])
    yield from [each for each in refused if each not in before.refused][:3]
    errors = dict.fromkeys(sight.errors[len(before.errors) :])
    yield from (f"the function fails: {' '.join(each.split())[:200]}" for each in list(errors)[:1])


def _spelled(value: Any) -> Any:
    """A JSON value as `_typed` tells that of DynamoDB's attribute."""
    if isinstance(value, Mapping):
        return "M", {key: _spelled(each) for key, each in value.items()}
    if isinstance(value, list):
        return "L", [_spelled(each) for each in value]
    if isinstance(value, str):
        return "S", value
    if value is None or isinstance(value, bool):
        return ("NULL", True) if value is None else ("BOOL", value)
    return "N", Decimal(value)


def _typed(value: Any) -> Any:
    """An attribute's value with its type, in which 1 and 1.0 are one, and 1 and true are not."""
    if not isinstance(value, Mapping):
        return value
    kind, held = next(iter(value.items()))
    if kind == "M":
        return kind, {key: _typed(each) for key, each in held.items()}
    if kind == "L":
        return kind, [_typed(each) for each in held]
    with contextlib.suppress(InvalidOperation):
        return kind, Decimal(held) if kind == "N" else held
    return kind, held


def _bodies(*queues: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    return (unwrapped(message["Body"]) for held in queues for messages in held.values() for message in messages)


def _orders_in(found: Mapping[str, list[dict[str, Any]]], orders: Iterable[str]) -> set[str]:
    text = "\n".join(_bodies(found))
    return {order for order in orders if f'"{order}"' in text}
