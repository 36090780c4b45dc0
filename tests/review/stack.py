"""A stack that an engine has written down, and previews of changes made by hand in the shape that it gives them.

The shape is that of Pulumi's pkg/display/json.go. The stack stays as it is: what the program says decides no test.
"""

import copy
import functools
import gzip
import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi.runtime import rpc

ENGINE = Path(__file__).parent / "engine"
SECRET = {rpc._special_sig_key: rpc._special_secret_sig, "ciphertext": "[secret]"}
UNKNOWN = rpc.UNKNOWN

Document = dict[str, Any]
Stack = dict[str, Document]
"""States by the resource's name."""


def urn(type_: str, name: str, *, stack: str = "prod") -> str:
    return f"urn:pulumi:{stack}::orders::{type_}::{name}"


def by_engine(name: str) -> str:
    """What an engine wrote for a change of the stack `dev`."""
    return gzip.decompress((ENGINE / f"{name}.json.gz").read_bytes()).decode()


@functools.cache
def _written() -> Stack:
    found = (each["oldState"] for each in json.loads(by_engine("one-key-changed"))["steps"])
    return {each["urn"].rpartition("::")[2]: each for each in found if each["custom"]}


def orders() -> Stack:
    """A pipeline as an `up` has left it."""
    return copy.deepcopy(_written())


def queue(name: str, physical: str, **inputs: Any) -> Document:
    given = {"__defaults": [], "name": physical, "messageRetentionSeconds": 1209600, **inputs}
    return {"urn": urn(QUEUE, name), "type": QUEUE, "custom": True, "inputs": given, "outputs": given, "protect": False}


QUEUE, TABLE, KEY = "aws:sqs/queue:Queue", "aws:dynamodb/table:Table", "aws:kms/key:Key"
TOPIC, SUBSCRIPTION = "aws:sns/topic:Topic", "aws:sns/topicSubscription:TopicSubscription"
FUNCTION, MAPPING = "aws:lambda/function:Function", "aws:lambda/eventSourceMapping:EventSourceMapping"
ALARM, LOG_GROUP = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/logGroup:LogGroup"


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
            same = old["inputs"] == new["inputs"] and old.get("protect") == new.get("protect")
            found.append(step("same" if same else "update", old, new))
    found += [step("delete-replaced", before[name], None) for name in replaced or {}]
    return found + [step("delete", old, None) for name, old in before.items() if name not in after]


def preview(found: list[Document], *diagnostics: tuple[str, str]) -> str:
    """What the CLI writes to standard output; diagnostics are pairs of severity and message."""
    root = {"urn": urn("pulumi:pulumi:Stack", "orders-prod"), "custom": False, "type": "pulumi:pulumi:Stack"}
    digest = {
        "steps": [{"op": "same", "urn": root["urn"], "oldState": root, "newState": root, "detailedDiff": None}, *found],
        "diagnostics": [{"severity": severity, "message": message} for severity, message in diagnostics],
        "duration": 4_200_000_000,
        "changeSummary": Counter(["same", *(each["op"] for each in found)]),
    }
    return json.dumps(digest, indent=4)
