"""A stack that an engine has written down, and previews of changes made by hand in the shape that it gives them.

The shape is that of Pulumi's pkg/display/json.go. The stack stays as it is: what the program says decides no test.
"""

import copy
import gzip
import json
from collections import Counter
from pathlib import Path
from typing import Any

from pulumi.runtime import rpc

ENGINE = Path(__file__).parent / "engine"
SECRET = {rpc._special_sig_key: rpc._special_secret_sig, "ciphertext": "[secret]"}
UNKNOWN = rpc.UNKNOWN
QUEUE = "aws:sqs/queue:Queue"

Document = dict[str, Any]
Stack = dict[str, Document]
"""States by the resource's name."""


def urn(type_: str, name: str) -> str:
    return f"urn:pulumi:prod::orders::{type_}::{name}"


def by_engine(name: str) -> str:
    """What an engine wrote for a change of the stack `dev`."""
    return gzip.decompress((ENGINE / f"{name}.json.gz").read_bytes()).decode()


def orders() -> Stack:
    """A pipeline as an `up` has left it."""
    found = (each["oldState"] for each in json.loads(by_engine("one-key-changed"))["steps"])
    return {each["urn"].rpartition("::")[2]: each for each in found if each["custom"]}


def queue(name: str, physical: str, **inputs: Any) -> Document:
    given = {"name": physical, "messageRetentionSeconds": 1209600, **inputs}
    return {"urn": urn(QUEUE, name), "type": QUEUE, "custom": True, "inputs": given}


def changed(stack: Stack, name: str, **inputs: Any) -> Stack:
    """A stack in which some inputs of a resource are others."""
    found = copy.deepcopy(stack)
    found[name]["inputs"].update(inputs)
    return found


def step(op: str, old: Document | None, new: Document | None, *reasons: str) -> Document:
    """One step of the engine."""
    urn_ = (old or new or {})["urn"]
    found: Document = {"op": op, "urn": urn_, "oldState": old, "newState": new, "replaceReasons": list(reasons)}
    if old is not None and new is not None:
        found["diffReasons"] = [key for key in new["inputs"] if old["inputs"].get(key) != new["inputs"][key]]
    return found


def steps(before: Stack, after: Stack) -> list[Document]:
    """The steps from one stack to another."""
    found = []
    for name, new in after.items():
        old = before.get(name)
        op = "create" if old is None else "same" if old["inputs"] == new["inputs"] else "update"
        found.append(step(op, old, new))
    return found + [step("delete", old, None) for name, old in before.items() if name not in after]


def preview(found: list[Document], *diagnostics: tuple[str, str]) -> str:
    """What the CLI writes to standard output; diagnostics are pairs of severity and message."""
    root = {"urn": urn("pulumi:pulumi:Stack", "orders-prod"), "custom": False, "type": "pulumi:pulumi:Stack"}
    digest = {
        "steps": [{"op": "same", "urn": root["urn"], "oldState": root, "newState": root}, *found],
        "diagnostics": [{"severity": severity, "message": message} for severity, message in diagnostics],
        "changeSummary": Counter(["same", *(each["op"] for each in found)]),
    }
    return json.dumps(digest, indent=4)
