"""What a stack on the local cloud holds at one moment of a rehearsal: rows, messages, the log, who was refused."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tools.cloud.deployment import Deployment
from tools.cloud.holdings import queues_of, rows
from tools.cloud.stage import RECEIVED, REFUSED
from tools.review.samples import PRIVATE

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
    tells: int = 0
    """How many batches wrote what an order holds into the log."""

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
        tells=sum(PRIVATE in line["log"] for line in done),
    )


def counts(deployment: Deployment, since: float) -> dict[str, float]:
    """By metric, what the log filters would have counted since an instant in the function's log."""
    logs, found = deployment.client("logs"), dict[str, float]()
    group = {"logGroupName": deployment.outputs["logGroupName"]}
    for each in logs.describe_metric_filters(**group)["metricFilters"]:
        lines = logs.filter_log_events(**group, filterPattern=each["filterPattern"], startTime=int(since * 1000))
        for made in each["metricTransformations"]:
            values = [_value(made["metricValue"], line["message"]) for line in lines["events"]]
            found[made["metricName"]] = sum(values)
    return found


def _value(path: str, line: str) -> float:
    try:
        return float(json.loads(line)[path[2:]] if path.startswith("$.") else path)
    except (ValueError, KeyError, TypeError):
        return 0.0


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
