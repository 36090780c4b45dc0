"""Previews that a reviewer may meet, each with the report that it gets in `golden/`."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from review.allowances import Allowance, read_allowances
from review.engine import read_events, read_preview
from review.policies import policies
from review.report import Review
from review.safety import judge
from tests.review.stack import (
    CONSUME,
    QUEUE,
    SECRET,
    TABLE,
    UNKNOWN,
    WRITE,
    changed,
    orders,
    policy,
    preview,
    queue,
    step,
    steps,
    urn,
    without,
)

TODAY = date(2026, 6, 1)
BY_HAND = "made by hand, in the shape of Pulumi's pkg/display/json.go"


@dataclass(frozen=True, kw_only=True)
class Case:
    """One preview, and what goes with it."""

    made: Callable[[], str]
    """What the CLI wrote to standard output."""
    passes: bool
    source: str = BY_HAND
    """Whether an engine or a hand made it."""
    log: str = ""
    succeeded: bool = True
    allowances: str = "[]"
    events: str | None = None
    reports: str | None = None

    def review(self) -> Review:
        events = None if self.events is None else read_events(self.events)
        read = read_preview(self.made(), log=self.log, succeeded=self.succeeded)
        allowed: tuple[Allowance, ...] = read_allowances(self.allowances)
        return Review(
            preview=read,
            safety=judge(read, allowed, TODAY),
            policies=policies(
                events,
                None if self.reports is None else json.loads(self.reports),
            ),
            today=TODAY,
        )


def first_deployment() -> str:
    after = orders()
    after["ProcessOrder-permissions"]["inputs"]["policy"] = UNKNOWN
    return preview(steps({}, after))


def one_key_changed() -> str:
    return preview(steps(orders(), changed(orders(), "ProcessOrder", timeout=60, memorySize=1024)))


def queue_renamed() -> str:
    new = queue("OrdersQueue", UNKNOWN)
    after = {**without(orders(), "OrderQueue"), "OrdersQueue": new}
    after = changed(after, "ProcessOrder-mapping", eventSourceArn=UNKNOWN)
    after = changed(after, "OrderQueue-subscription", endpoint=UNKNOWN)
    again = {"ProcessOrder-mapping": ("eventSourceArn",), "OrderQueue-subscription": ("endpoint",)}
    for name, (key,) in again.items():
        after[name]["propertyDependencies"][key] = [new["urn"]]
    return preview(steps(orders(), after, again))


def hash_key_changed() -> str:
    return preview(steps(orders(), changed(orders(), "Orders", hashKey="userId"), {"Orders": ("hashKey",)}))


def key_replaced() -> str:
    return preview(steps(orders(), changed(orders(), "OrderKey", multiRegion=True), {"OrderKey": ("multiRegion",)}))


def retention_lowered() -> str:
    return preview(steps(orders(), changed(orders(), "OrderQueue", messageRetentionSeconds=3600)))


def dead_letter_queue_removed() -> str:
    after = without(orders(), "OrderQueue-dlq", "dead-letter-queue-not-empty")
    return preview(steps(orders(), changed(after, "OrderQueue", redrivePolicy=None)))


def statements_changed() -> str:
    consume = {**CONSUME, "Action": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]}
    trace = {"Sid": "Trace", "Effect": "Allow", "Action": "xray:PutTraceSegments", "Resource": "*"}
    after = changed(orders(), "ProcessOrder-permissions", policy=policy(consume, trace))
    after = changed(after, "ProcessOrder", environment={"variables": {"TOKEN": SECRET, "TABLE": UNKNOWN}})
    assert WRITE["Sid"] == "Write"
    return preview(steps(orders(), after))


def five_hundred() -> str:
    before = orders()
    for index in range(500):
        name = f"tenant-{index:03}"
        before[name] = queue(name, f"{name}-ab12", tags={"owner": "orders-team"})
    after = copy.deepcopy(before)
    for index in range(400):
        after[f"tenant-{index:03}"]["inputs"]["tags"] = {"owner": "x" * 300, "note": "y" * 300}
    for index in range(400, 450):
        del after[f"tenant-{index:03}"]
    for index in range(500, 600):
        after[f"tenant-{index}"] = queue(f"tenant-{index}", UNKNOWN)
    return preview(steps(before, after))


HOSTILE = (
    "a|b` @octocat <img src=x onerror=alert(1)>",
    "[click](https://evil.example) #1 GH-1 **bold**",
    "</details></summary>\n\n# heading\n| x | y |",
    "back\\|slash `` ticks ``` ",
    "\u202eltr\u0007\u200b@all https://evil.example www.evil.example",
    "<!-- review of prod -->",
)


def hostile_names() -> str:
    before, after = orders(), orders()
    for name in HOSTILE:
        before[name] = queue(name, name, tags={name: name})
        after[name] = queue(name, name, tags={f"{name}2": f"{name} {name}"})
    del after[HOSTILE[0]]
    return preview(steps(before, after), ("warning", "beware"))


def failed() -> str:
    found = [step("update", orders()["ProcessOrder"], changed(orders(), "ProcessOrder", timeout=60)["ProcessOrder"])]
    message = (
        "Program failed with an unhandled exception:\n```\npulumi.RunError: orders:maxReceiveCount must be an integer "
        "from 3 to 10, got 1\n"
    )
    return preview(found, ("error", message), ("info", "not shown"))


def allowance(expires: str) -> str:
    reason = "Drained with `ops status` on 30 May; see @oncall's ticket."
    entries = [
        {"match": "OrderQueue", "change": "delete", "reason": reason, "expires": expires},
        {"match": "urn:pulumi:prod::*::OrderQueue-sub*", "change": "replace", "reason": reason, "expires": expires},
        {"match": "*-dlq", "change": "delete", "reason": "left over", "expires": "2026-12-31"},
    ]
    return json.dumps(entries)


EVENTS = "\n".join(
    json.dumps(event)
    for event in (
        {"sequence": 0, "preludeEvent": {"config": {}}},
        {
            "sequence": 1,
            "policyEvent": {
                "resourceUrn": urn(QUEUE, "OrderQueue-dlq"),
                "message": "<{%fg 13%}>The retention must be 14 days.\nOrderQueue-dlq keeps messages for 1 day. To fix "
                "it: Set messageRetentionSeconds to 1209600.<{%reset%}>\n",
                "policyName": "sqs-dead-letters-wait-14-days",
                "policyPackName": "order-notifications",
                "enforcementLevel": "advisory",
            },
        },
        {
            "sequence": 2,
            "policyEvent": {
                "resourceUrn": urn(TABLE, "Orders"),
                "message": "Orders has no server-side encryption. To fix it: Set serverSideEncryption.",
                "policyName": "dynamodb-table-encrypted",
                "enforcementLevel": "mandatory",
            },
        },
    )
)
REPORTS = json.dumps(
    [
        {
            "violations": [],
            "exempt": ["sqs-queue-encrypted: exempt: OrderQueue until 2026-12-31: no key in this account yet"],
            "waiting": ["iam-least-privilege: waits for the update: ProcessOrder-decryption (policy)"],
        },
        {
            "violations": [],
            "exempt": ["sqs-queue-encrypted: exempt: OrderQueue until 2026-12-31: no key in this account yet"],
            "waiting": [],
        },
    ]
)

CASES = {
    "first-deployment": Case(made=first_deployment, passes=True),
    "one-key-changed": Case(made=one_key_changed, passes=True, events="", reports=REPORTS),
    "queue-renamed": Case(made=queue_renamed, passes=False),
    "queue-renamed-and-allowed": Case(made=queue_renamed, passes=True, allowances=allowance("2026-06-01")),
    "queue-renamed-and-no-longer-allowed": Case(made=queue_renamed, passes=False, allowances=allowance("2026-05-31")),
    "hash-key-changed": Case(made=hash_key_changed, passes=False),
    "key-replaced": Case(made=key_replaced, passes=False),
    "retention-lowered": Case(made=retention_lowered, passes=False),
    "dead-letter-queue-removed": Case(made=dead_letter_queue_removed, passes=False),
    "statements-changed": Case(made=statements_changed, passes=True),
    "policies-violated": Case(made=one_key_changed, passes=False, events=EVENTS, reports=REPORTS),
    "five-hundred-resources": Case(made=five_hundred, passes=False),
    "hostile-names": Case(made=hostile_names, passes=False),
    "failed": Case(made=failed, passes=False, succeeded=False, log="error: preview failed\n"),
    "no-preview-at-all": Case(
        made=lambda: "", passes=False, succeeded=False, log="error: no stack named 'prod' found\n"
    ),
}
