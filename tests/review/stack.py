"""A small stack, and previews of its changes made by hand in the shape that `pulumi preview --json` writes.

The shape is that of Pulumi's pkg/display/json.go. The stack is the tests' own: what the program says decides no test.
"""

import copy
import json
from collections import Counter
from collections.abc import Mapping
from typing import Any

from pulumi.runtime import rpc

ACCOUNT = "arn:aws:{}:eu-west-1:123456789012:{}"
SECRET = {rpc._special_sig_key: rpc._special_secret_sig, "ciphertext": "[secret]"}
UNKNOWN = rpc.UNKNOWN

Document = dict[str, Any]
Stack = dict[str, Document]
"""States by the resource's name."""


def urn(type_: str, name: str, *, stack: str = "prod") -> str:
    return f"urn:pulumi:{stack}::orders::{type_}::{name}"


def state(
    type_: str, name: str, inputs: Mapping[str, Any], *, part_of: str = "", protect: bool = False, **sources: str
) -> Document:
    """A resource's state; `part_of` is the component that it belongs to, `sources` are where inputs come from."""
    kind = type_.split(":")[-1]
    arn = ACCOUNT.format(type_.split(":")[1].split("/")[0], name)
    return {
        "urn": urn(type_, name),
        "custom": True,
        "id": name,
        "type": type_,
        "inputs": {"__defaults": [], **inputs},
        "outputs": {"arn": arn, "name": name, **({"url": f"https://sqs/{name}"} if kind == "Queue" else {}), **inputs},
        "parent": urn(part_of, part_of.rpartition(":")[2]) if part_of else urn("pulumi:pulumi:Stack", "orders-prod"),
        "protect": protect,
        "propertyDependencies": {key: [of] for key, of in sources.items()},
    }


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


QUEUE, TABLE, KEY = "aws:sqs/queue:Queue", "aws:dynamodb/table:Table", "aws:kms/key:Key"
TOPIC, SUBSCRIPTION = "aws:sns/topic:Topic", "aws:sns/topicSubscription:TopicSubscription"
FUNCTION, MAPPING = "aws:lambda/function:Function", "aws:lambda/eventSourceMapping:EventSourceMapping"
ALARM, LOG_GROUP = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/logGroup:LogGroup"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
CONSUME = {
    "Sid": "Consume",
    "Effect": "Allow",
    "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage"],
    "Resource": ACCOUNT.format("sqs", "OrderQueue-1a2b"),
}
WRITE = {
    "Sid": "Write",
    "Effect": "Allow",
    "Action": ["dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"],
    "Resource": ACCOUNT.format("dynamodb", "table/Orders-3c4d"),
}


CONSUMER, PROCESSOR = "orders:index:Consumer", "orders:index:Processor"


def component(type_: str) -> Document:
    name = type_.rpartition(":")[2]
    return {"urn": urn(type_, name), "custom": False, "type": type_, "inputs": {}, "outputs": {}, "protect": False}


def queue(name: str, physical: str, **inputs: Any) -> Document:
    return state(QUEUE, name, {"name": physical, "messageRetentionSeconds": 1209600, **inputs}, part_of=CONSUMER)


def alarm(name: str, queue_name: str) -> Document:
    inputs = {"name": name, "threshold": 0, "alarmActions": [ACCOUNT.format("sns", "OrderAlarms")]}
    return state(ALARM, name, inputs, part_of=PROCESSOR, dimensions=urn(QUEUE, queue_name))


def orders() -> Stack:
    """A pipeline as an `up` has left it."""
    states = [
        component(CONSUMER),
        component(PROCESSOR),
        state(KEY, "OrderKey", {"enableKeyRotation": True, "isEnabled": True}, part_of=CONSUMER),
        state(TOPIC, "OrderTopic", {"name": "OrderTopic-7a8b", "tracingConfig": "Active"}, part_of=CONSUMER),
        queue("OrderQueue-dlq", "OrderQueue-dlq-5e6f"),
        *_delivery(),
        state(
            TABLE,
            "Orders",
            {"name": "Orders-3c4d", "hashKey": "orderId", "pointInTimeRecovery": {"enabled": True}},
            protect=True,
            part_of=PROCESSOR,
        ),
        *_processor(),
        alarm("dead-letter-queue-not-empty", "OrderQueue-dlq"),
        alarm("orders-wait-too-long", "OrderQueue"),
    ]
    return {each["urn"].rpartition("::")[2]: each for each in states}


def _delivery() -> list[Document]:
    target = ACCOUNT.format("sqs", "OrderQueue-dlq-5e6f")
    redrive = json.dumps({"deadLetterTargetArn": target, "maxReceiveCount": 3})
    return [
        {
            **queue("OrderQueue", "OrderQueue-1a2b", messageRetentionSeconds=345600, redrivePolicy=redrive),
            "propertyDependencies": {"redrivePolicy": [urn(QUEUE, "OrderQueue-dlq")]},
        },
        state(
            SUBSCRIPTION,
            "OrderQueue-subscription",
            {"protocol": "sqs", "rawMessageDelivery": True, "endpoint": CONSUME["Resource"]},
            part_of=CONSUMER,
            topic=urn(TOPIC, "OrderTopic"),
            endpoint=urn(QUEUE, "OrderQueue"),
        ),
    ]


def _processor() -> list[Document]:
    return [
        state(
            LOG_GROUP,
            "ProcessOrder-logs",
            {"name": "ProcessOrder-logs-9c0d", "retentionInDays": 365},
            part_of=PROCESSOR,
        ),
        state(
            ROLE_POLICY,
            "ProcessOrder-permissions",
            {"role": "ProcessOrder-role-3a4b", "policy": policy(CONSUME, WRITE)},
            part_of=PROCESSOR,
        ),
        state(
            FUNCTION,
            "ProcessOrder",
            {"name": "ProcessOrder-1e2f", "memorySize": 512, "timeout": 30, "architectures": ["arm64"]},
            part_of=PROCESSOR,
            environment=urn(TABLE, "Orders"),
        ),
        state(
            MAPPING,
            "ProcessOrder-mapping",
            {"batchSize": 100, "scalingConfig": {"maximumConcurrency": 50}, "eventSourceArn": CONSUME["Resource"]},
            part_of=PROCESSOR,
            eventSourceArn=urn(QUEUE, "OrderQueue"),
            functionName=urn(FUNCTION, "ProcessOrder"),
        ),
    ]


def changed(stack: Stack, name: str, **inputs: Any) -> Stack:
    """A stack in which some inputs of a resource are others; None takes one away."""
    found = copy.deepcopy(stack)
    mine = found[name]["inputs"]
    mine.update(inputs)
    for key in [key for key, value in mine.items() if value is None]:
        del mine[key]
    return found


def without(stack: Stack, *names: str) -> Stack:
    return {name: each for name, each in stack.items() if name not in names}


def step(op: str, old: Document | None, new: Document | None, *reasons: str) -> Document:
    """One step of the engine."""
    urn_ = (old or new or {})["urn"]
    found: Document = {"op": op, "urn": urn_, "provider": "aws", "detailedDiff": None}
    if old is not None:
        found["oldState"] = old
    if new is not None:
        found["newState"] = new
    if old is not None and new is not None:
        keys = [key for key in new["inputs"] if old["inputs"].get(key) != new["inputs"][key]]
        found["diffReasons"] = keys + [key for key in old["inputs"] if key not in new["inputs"]]
    if reasons:
        found["replaceReasons"] = list(reasons)
    return found


def steps(before: Stack, after: Stack, replaced: Mapping[str, tuple[str, ...]] | None = None) -> list[Document]:
    """The steps from one stack to another; `replaced` names the inputs that replace a resource."""
    found = []
    for name, new in after.items():
        old, reasons = before.get(name), (replaced or {}).get(name)
        if old is None:
            found.append(step("create", None, new))
        elif reasons:
            found += [step(op, old, new, *reasons) for op in ("create-replacement", "replace")]
        else:
            same = old["inputs"] == new["inputs"] and old["protect"] == new["protect"]
            found.append(step("same" if same else "update", old, new))
    found += [step("delete-replaced", before[name], None) for name in replaced or {}]
    return found + [step("delete", old, None) for name, old in before.items() if name not in after]


def preview(found: list[Document], *diagnostics: tuple[str, str]) -> str:
    """What the CLI writes to standard output; diagnostics are pairs of severity and message."""
    root = {"urn": urn("pulumi:pulumi:Stack", "orders-prod"), "custom": False, "type": "pulumi:pulumi:Stack"}
    digest = {
        "config": {"aws:region": "eu-west-1"},
        "steps": [{"op": "same", "urn": root["urn"], "oldState": root, "newState": root, "detailedDiff": None}, *found],
        "diagnostics": [{"severity": severity, "message": message} for severity, message in diagnostics],
        "duration": 4_200_000_000,
        "changeSummary": Counter(["same", *(each["op"] for each in found)]),
    }
    return json.dumps(digest, indent=4)
