"""The account of a rehearsal: every message that the topic took, where it is now, and what became of which."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tools.cloud.deployment import Deployment
from tools.cloud.holdings import queues_of, stored_events
from tools.cloud.stage import RECEIVED, REFUSED

WHEN = {
    "before": "from before the change",
    "waiting": "that waited when the change came",
    "during": "published during the change",
    "after": "after the change",
}
PARTIQL = {"dynamodb:BatchExecuteStatement": "both dynamodb:PartiQLInsert and dynamodb:PartiQLUpdate"}
"""What AWS asks for in place of an action that only the emulator has."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a stack holds at one moment, by what it exports."""

    stored: Mapping[str, Any]
    """By order, the event that the table has."""
    waiting: Mapping[str, list[dict[str, Any]]]
    """By the queue's name in the program, the messages in it."""
    dead: Mapping[str, list[dict[str, Any]]]
    """By what the dead-letter queue belongs to, the messages in it."""
    seen: Mapping[str, set[str]]
    """By the queue's name in the program, every body that has reached it."""
    running: int
    """How many batches functions work on."""
    errors: tuple[str, ...]
    """Of functions, since the beginning."""
    refused: tuple[str, ...]
    """Who was refused what, since the beginning."""

    def progress(self) -> tuple[int, ...]:
        """Changes as long as something moves."""
        held = [len(messages) for found in (self.waiting, self.dead) for messages in found.values()]
        return len(str(self.stored)), *held, len(self.errors), sum(map(len, self.seen.values()))


def look(deployment: Deployment) -> Sight:
    """See what a stack holds. Raises KeyError naming an export that is missing."""
    outputs, held = deployment.outputs, queues_of(deployment)
    queues = {each["name"]: each for each in outputs["queues"]}
    dead = {name: held.get(_name(each["deadLetterQueueUrl"]), []) for name, each in queues.items()}
    dead["OrderTopic"] = held.get(_name(outputs["subscriptionDeadLetterQueueUrl"]), [])
    received = _lines(deployment, RECEIVED)
    waiting = {name: held.get(_name(each["url"]), []) for name, each in queues.items()}
    seen = {
        name: {_unwrapped(message["Body"]) for message in (*waiting[name], *dead[name])}
        | {
            _unwrapped(body)
            for line in received
            if line.get("queue", "").rpartition(":")[2] == _name(each["url"])
            for body in line["bodies"]
        }
        for name, each in queues.items()
    }
    return Sight(
        stored=stored_events(deployment),
        waiting=waiting,
        dead=dead,
        seen=seen,
        running=sum(line["running"] for line in received),
        errors=tuple(line["error"] for line in received if line.get("error")),
        refused=tuple(
            f"{_role(line['principal'])} may not {PARTIQL.get(line['action'], line['action'])}"
            for line in _lines(deployment, REFUSED)
        ),
    )


def _lines(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    path = deployment.cloud.folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _role(principal: str) -> str:
    """The role of a function's session, or who else it is."""
    return principal.split(":assumed-role/")[-1].split("/")[0]


def _unwrapped(body: str) -> str:
    """What was published, without SNS's envelope."""
    if '"TopicArn"' not in body:
        return body
    found = json.loads(body)
    return str(found.get("Message", body)) if isinstance(found, dict) else body


@dataclass(kw_only=True)
class Account:
    """What was published, and when."""

    poison: Counter[str]
    published: dict[str, str] = field(default_factory=dict)
    """By body, the part of the rehearsal in which it was taken last."""
    shapes: dict[str, str] = field(default_factory=dict)
    """By body, the attributes with which it was published, as JSON; of those that were published once."""
    refused: Counter[str] = field(default_factory=Counter)
    """How many messages the topic refused, by part."""

    def took(self, part: str, body: str, shape: str) -> None:
        self.shapes[body] = "" if body in self.published else shape
        self.published[body] = part

    def newest(self) -> dict[str, tuple[dict[str, Any], str]]:
        """By order, its newest event and the part in which that was published."""
        found: dict[str, tuple[dict[str, Any], str]] = {}
        for body, part in self.published.items():
            if body not in self.poison:
                event = json.loads(body, parse_float=Decimal)
                known = found.get(event["orderId"])
                if known is None or _instant(event) > _instant(known[0]):
                    found[event["orderId"]] = event, part
        return found

    def missing(self, sight: Sight) -> dict[str, list[str]]:
        """By part, the orders whose newest event is not in the table."""
        found: dict[str, list[str]] = {}
        for order, (event, part) in self.newest().items():
            if sight.stored.get(order) != event:
                found.setdefault(part, []).append(order)
        return found

    def unkept(self, sight: Sight) -> int:
        """How many messages that can never be stored are neither dead letters nor on their way."""
        held = Counter(m["Body"] for found in (sight.dead, sight.waiting) for each in found.values() for m in each)
        unwrapped = Counter({_unwrapped(body): count for body, count in held.items()})
        return sum(body in self.published and not unwrapped[body] for body in self.poison)

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
                yield f"{said} are stored: {'; '.join(_reasons(missing[part], sight, before))}"
        if unkept := self.unkept(sight):
            yield f"messages that cannot be stored, and are in no dead-letter queue: {unkept}"

    def vanished(self, sight: Sight) -> set[str]:
        """Orders that are neither stored nor in a queue."""
        missing = {order for orders in self.missing(sight).values() for order in orders}
        return missing - _orders_in(sight.dead, missing) - _orders_in(sight.waiting, missing)

    def less(self, before: Sight, sight: Sight, admits: Mapping[str, str]) -> Iterator[str]:
        """Consumers that get less than before, or not what their own filter admits."""
        for name, seen in sight.seen.items():
            for shape in dict.fromkeys(self.shapes.values()):
                own = [
                    body for body, given in self.shapes.items() if given == shape and self.published[body] == "after"
                ]
                old = [
                    body for body, given in self.shapes.items() if given == shape and self.published[body] == "before"
                ]
                got = sum(body in seen for body in own)
                had = name in before.seen and bool(old) and all(body in before.seen[name] for body in old)
                if got < len(own) and (had or admits.get(name) == shape):
                    yield f"{name} got {got} of {len(own)} messages that it should get after the change"
                    break


def _instant(event: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(str(event["timestamp"]))


def _orders_in(found: Mapping[str, list[dict[str, Any]]], orders: Iterable[str]) -> set[str]:
    """Which orders have a message in some queue."""
    text = "\n".join(message["Body"] for messages in found.values() for message in messages)
    return {order for order in orders if f'"{order}"' in text}


def _reasons(orders: Iterable[str], sight: Sight, before: Sight) -> Iterator[str]:
    """Why orders are not stored, as far as it shows."""
    refused = list(dict.fromkeys(sight.refused[len(before.refused) :]))
    errors = list(dict.fromkeys(sight.errors[len(before.errors) :]))
    yield from refused[:3]
    yield from (f"the function fails: {' '.join(each.split())[:200]}" for each in errors[:1])
    wanted = set(orders)
    dead, waiting = _orders_in(sight.dead, wanted), _orders_in(sight.waiting, wanted)
    for count, what in ((len(dead), "dead letters"), (len(waiting - dead), "waiting in the queue")):
        if count:
            yield f"{count} {what}"
    if rest := len(wanted - dead - waiting):
        yield (
            f"{rest} nowhere to be found" if not sight.stored.keys() & wanted else f"{rest} stored in an older version"
        )
