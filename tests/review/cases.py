"""Previews that a reviewer may meet, each with the headline that it gets.

Those in `engine/` are what `make review-preview` wrote under `./orders engine`, for edits of the program.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from tests.review.stack import (
    ENGINE,
    QUEUE,
    SECRET,
    UNKNOWN,
    Stack,
    by_engine,
    changed,
    orders,
    preview,
    queue,
    steps,
    urn,
)
from tools.review.allowances import read_allowances
from tools.review.engine import read_events, read_preview
from tools.review.policies import policies
from tools.review.report import Review
from tools.review.safety import judge
from tools.review.trial import Trial

TODAY = date(2026, 6, 1)
ARRIVED = Trial(said="96 orders published before, during and after the change; 96 stored, 3 of 3 dead letters kept")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One preview, and what goes with it."""

    made: Callable[[], str]
    """What the CLI wrote to standard output."""
    says: str
    """The headline."""
    log: str = ""
    failed: bool = False
    allowances: str = "[]"
    events: str | None = None
    reports: str | None = None
    trial: Trial = ARRIVED

    def review(self) -> Review:
        events = None if self.events is None else read_events(self.events)
        refused = any(verdict.mandatory for verdict in events or ())
        read = read_preview(self.made(), log=self.log, failed=self.failed, refused=refused)
        allowed = read_allowances(self.allowances)
        return Review(
            preview=read,
            safety=judge(read, allowed, TODAY, self.trial.lost),
            policies=policies(
                events,
                None if self.reports is None else json.loads(self.reports),
                new=not read.states("before"),
            ),
            trial=self.trial,
            today=TODAY,
        )


def case(name: str, *, says: str, **given: Any) -> Case:
    events = ENGINE / f"{name}.jsonl"
    return Case(
        made=lambda: by_engine(name),
        says=says,
        events=events.read_text() if events.exists() else "",
        **given,
    )


def secret_and_unknown() -> str:
    after = changed(orders(), "ProcessOrder", environment={"variables": {"TOKEN": SECRET, "TABLE": UNKNOWN}})
    return preview(steps(orders(), after))


def tenants(numbers: range, **tags: str) -> Stack:
    return {f"tenant-{each:03}": queue(f"tenant-{each:03}", "tenant", tags=tags) for each in numbers}


MANY = Case(
    made=lambda: preview(
        steps(
            orders() | tenants(range(100), owner="orders-team"),
            orders() | tenants(range(50, 150), owner="x" * 300, note="y" * 300),
        )
    ),
    says="❌ UNSAFE (50 findings): deletes tenant-000 and the orders waiting in it",
)
"""Fifty deletions, updates and creations each."""
HOSTILE = (
    "a|b` @octocat <img src=x onerror=alert(1)>",
    "[click](https://evil.example) #1 GH-1 **bold**",
    "</details></summary>\n\n# heading\n| x | y |",
    "back\\|slash `` ticks\n```\n",
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


EVENTS = (ENGINE / "policies-violated.jsonl").read_text() + json.dumps(
    {
        "policyEvent": {
            "resourceUrn": urn(QUEUE, "OrderQueue-dlq"),
            "message": "<{%fg 13%}>OrderQueue-dlq keeps messages for 1 day. To fix it: keep them longer.<{%reset%}>\n",
            "policyName": "sqs-dlq-retention",
            "enforcementLevel": "advisory",
        }
    }
)


def finding(kind: str, rule: str, resource: str, text: str = "", level: str = "") -> dict[str, str]:
    """What the pack's driver writes of one thing that a rule says."""
    return {"kind": kind, "rule": rule, "resource": resource, "text": text, "level": level, "requirement": "must"}


EXEMPT = finding("exempt", "sqs-queue-encrypted", "OrderQueue", "until 2026-12-31: no key in this account yet")
REPORTS = json.dumps(
    [
        {"mode": "preview", "findings": [EXEMPT, finding("waits", "iam-least-privilege", "ProcessOrder-decryption")]},
        {"mode": "update", "findings": [EXEMPT]},
    ]
)

CASES = {
    "first-deployment": case(
        "first-deployment", says="✅ 38 creations, rehearsed: every order arrived", reports=REPORTS
    ),
    "one-key-changed": case(
        "one-key-changed",
        says="✅ 5 updates, rehearsed: every order arrived",
        reports=REPORTS,
    ),
    "queue-renamed": case(
        "queue-renamed", says="❌ UNSAFE (5 findings): deletes OrderQueue and the orders waiting in it"
    ),
    "key-replaced": case(
        "key-replaced",
        says="❌ UNSAFE: replaces OrderKey: nothing that it encrypts can be read once "
        "it is gone, orders that wait and backups included",
    ),
    "dead-letter-queue-removed": case(
        "dead-letter-queue-removed",
        says="❌ UNSAFE (4 findings): deletes OrderQueue-dlq and the orders waiting in it",
        failed=True,
    ),
    "statements-changed": case(
        "statements-changed",
        says="⚠️ LOOK: changes what nobody can try here: policy of ProcessOrder-permissions; 1 update",
    ),
    "policies-violated": case(
        "policies-violated", says="❌ REFUSED: 1 mandatory policy is violated; 1 update", failed=True, reports=REPORTS
    ),
    "secret-added": case("secret-added", says="✅ 1 creation, rehearsed: every order arrived"),
    "failed": case("failed", says="❌ FAILED: there is no whole preview to judge", failed=True),
    "secret-and-unknown": Case(
        made=secret_and_unknown, says="⚠️ LOOK: changes what nobody can try here: environment of ProcessOrder; 1 update"
    ),
    "hostile-names": Case(
        made=hostile_names,
        says="❌ UNSAFE: deletes <code>a&#124;b&#96; &#64;octocat &#60;img src=x "
        "onerror=alert&#40;1&#41;&#62;</code> and the orders waiting in it",
    ),
}
