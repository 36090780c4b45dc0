"""How a case of a rule is written: a change to the program and the exact set of rules it breaks."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Literal

from framework.aws import ALARM

from tests.policy.pipeline import Change, Json, Ref, added, given, program
from tools.recording.graph import ACCOUNT

orders, dead, undelivered = (partial(given, name) for name in ("OrderQueue", "OrderQueue-dlq", "OrderTopic-dlq"))
topic, subscribed, key = (partial(given, name) for name in ("OrderTopic", "OrderQueue-subscription", "OrderKey"))
function, mapping, role = (partial(given, f"ProcessOrder{suffix}") for suffix in ("", "-mapping", "-role"))
table, logs = (partial(given, name) for name in ("Orders", "ProcessOrder-logs"))
"""Changes to the inputs of one resource."""

ORDERS, DEAD, TOPIC, UNDELIVERED = map(Ref, ("OrderQueue", "OrderQueue-dlq", "OrderTopic", "OrderTopic-dlq"))
DEAD_LETTER_ALARM = "OrderAlarms-dead-letter-queue-not-empty"
TOPIC_DLQ_ALARM = "OrderAlarms-subscription-dead-letter-queue-not-empty"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One change and what the rules must say to it."""

    kind: Literal["pass", "fail", "unknown", "malformed"]
    name: str
    changes: tuple[Change, ...]
    breaks: bool
    """Whether the rule that the case belongs to is violated once everything is known."""
    also: tuple[str, ...] = ()
    """Other rules that the same change rightly violates."""
    also_blind: tuple[str, ...] = ()
    """Rules that decide by dependencies alone what this rule says once it is known."""
    only_update: bool = False
    """Whether no preview can even know that there is something to decide."""
    waits: bool = False
    """Whether a rule that knows no text must say that it waits."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The rule's configuration."""
    stack: str = "dev"


def _case(kind: Any, name: str, *changes: Change, breaks: bool, **more: Any) -> Case:
    """A case; what is no field of one is a setting of its rule."""
    stated = {each.name: more.pop(each.name) for each in fields(Case) if each.name in more}
    return Case(kind=kind, name=name, changes=changes, breaks=breaks, settings=more, **stated)


passes = partial(_case, "pass", breaks=False)
"""The rule is content, in every mode."""
fails = partial(_case, "fail", breaks=True)
"""The rule is violated; in preview too, unless it `waits`."""
unknown = partial(_case, "unknown", breaks=False)
"""What the rule looks at is unknown in preview; `breaks` says what it decides by dependencies all the same."""
malformed = partial(_case, "malformed", breaks=True)
"""The input is not what AWS accepts: no exception, and a violation wherever the rule has to see it."""


def statement(resource: str, sid: str) -> dict[str, Any]:
    """One statement of a policy of the program."""
    policy = program()[resource].inputs["policy"]
    document = policy.value if isinstance(policy, Json) else json.loads(policy)
    [found] = [each for each in document["Statement"] if each["Sid"] == sid]
    return dict(found)


def document(*statements: Any) -> Json:
    """A policy document as JSON."""
    return Json({"Version": "2012-10-17", "Statement": list(statements)})


def tls_only(arn: Any, action: str = "sqs:*") -> dict[str, Any]:
    """The statement that refuses plain text."""
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    return {"Effect": "Deny", "Principal": "*", "Action": action, "Resource": arn, "Condition": condition}


def from_topic(arn: Any, topic: Any, **changes: Any) -> dict[str, Any]:
    """The statement that lets SNS send for one topic; None leaves a part out."""
    condition = {"ArnEquals": {"aws:SourceArn": topic}}
    stated = {**statement("OrderQueue-policy", "TopicDelivers"), "Resource": arn, "Condition": condition, **changes}
    return {key: value for key, value in stated.items() if value is not None}


def by_account(**changes: Any) -> dict[str, Any]:
    """A statement that lets this account send."""
    return {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sqs:SendMessage", "Resource": "*", **changes}


def alarmed(queue: str, **changes: Any) -> Change:
    """An alarm on the messages in a queue, like that of the dead-letter queue."""
    dimensions = {"QueueName": Ref(queue, "name")}
    return lambda nodes: added(
        ALARM, f"{queue}-alarm", **{**nodes[DEAD_LETTER_ALARM].inputs, "dimensions": dimensions, **changes}
    )(nodes)
