"""What a stack on the local cloud holds at one moment of a rehearsal: rows, messages, the log, who was refused."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tools.cloud.deployment import Deployment
from tools.cloud.holdings import queues_of, rows
from tools.cloud.stage import RECEIVED, REFUSED
from tools.review.pipeline import LOG_FILTER

PARTIQL = {"dynamodb:BatchExecuteStatement": "both dynamodb:PartiQLInsert and dynamodb:PartiQLUpdate"}
"""What AWS asks for in place of an action that only the emulator has."""


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a stack holds at one moment, by what it exports."""

    rows: Mapping[str, Mapping[str, Any]]
    """By order, its row as DynamoDB answers it."""
    waiting: Mapping[str, list[dict[str, Any]]]
    """By the queue's name in the program, the messages in it."""
    dead: Mapping[str, list[dict[str, Any]]]
    """By what the dead-letter queue belongs to, the messages in it."""
    seen: Mapping[str, set[str]]
    """By the queue's name in the program, every body that has reached it."""
    running: int = 0
    """How many batches functions work on."""
    seconds: tuple[float, ...] = ()
    """What each batch took, since the beginning."""
    errors: tuple[str, ...] = ()
    """Of functions, since the beginning."""
    refused: tuple[str, ...] = ()
    """Who was refused what, since the beginning."""
    log: tuple[str, ...] = ()
    """What functions wrote, a line each, since the beginning."""

    def progress(self) -> tuple[int, ...]:
        """Changes as long as something moves."""
        held = [len(messages) for found in (self.waiting, self.dead) for messages in found.values()]
        return len(str(self.rows)), *held, len(self.errors), sum(map(len, self.seen.values()))


def look(deployment: Deployment) -> Sight:
    """See what a stack holds. Raises KeyError naming an export that is missing."""
    outputs, held = deployment.outputs, queues_of(deployment)
    queues = {each["name"]: each for each in outputs["queues"]}
    dead = {name: held.get(_name(each["deadLetterQueueUrl"]), []) for name, each in queues.items()}
    dead["OrderTopic"] = held.get(_name(outputs["subscriptionDeadLetterQueueUrl"]), [])
    waiting = {name: held.get(_name(each["url"]), []) for name, each in queues.items()}
    received = _lines(deployment, RECEIVED)
    done = [line for line in received if line["running"] < 0]
    return Sight(
        rows={str(row["orderId"].get("S")): row for row in rows(deployment) if "orderId" in row},
        waiting=waiting,
        dead=dead,
        seen={
            name: {unwrapped(message["Body"]) for message in (*waiting[name], *dead[name])}
            | {
                unwrapped(body)
                for line in received
                if line.get("queue", "").rpartition(":")[2] == _name(each["url"])
                for body in line["bodies"]
            }
            for name, each in queues.items()
        },
        running=sum(line["running"] for line in received),
        seconds=tuple(line["seconds"] for line in done),
        errors=tuple(line["error"] for line in done if line["error"]),
        refused=tuple(
            f"{_role(line['principal'])} may not {PARTIQL.get(line['action'], line['action'])}"
            for line in _lines(deployment, REFUSED)
        ),
        log=tuple(said for line in done for said in line["log"].splitlines()),
    )


def counts(deployment: Deployment, log: Iterable[str]) -> dict[str, float]:
    """By metric, what the program's log filters count in lines of a log; the local cloud only keeps them.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    found = dict[str, float]()
    lines = [fields for fields in map(_fields, log) if fields]
    for each in deployment.resources.values():
        if each.type == LOG_FILTER:
            made = each.inputs["metricTransformation"]
            path, pattern = str(made["value"]).removeprefix("$."), each.inputs["pattern"]
            values = (fields.get(path, 0) for fields in lines if _admits(pattern, fields))
            found[made["name"]] = sum(value for value in values if isinstance(value, int | float))
    return found


def _fields(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _admits(pattern: str, fields: Mapping[str, Any]) -> bool:
    """Whether a filter counts a line; what cannot be read here of its pattern counts every line."""
    for name, relation, literal in re.findall(r'\$\.(\w+) (=|>=) ("[^"]*"|\d+)', pattern):
        value, wanted = fields.get(name), json.loads(literal)
        if relation == "=" and value != wanted:
            return False
        if relation == ">=" and not (isinstance(value, int | float) and value >= wanted):
            return False
    return True


def _lines(deployment: Deployment, name: str) -> list[dict[str, Any]]:
    path = deployment.cloud.folder / name
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def _name(url: str) -> str:
    return url.rpartition("/")[2]


def _role(principal: str) -> str:
    """The role of a function's session, or who else it is."""
    return principal.split(":assumed-role/")[-1].split("/")[0]


def unwrapped(body: str) -> str:
    """What was published, without SNS's envelope."""
    if '"TopicArn"' not in body:
        return body
    found = json.loads(body)
    return str(found.get("Message", body)) if isinstance(found, dict) else body
