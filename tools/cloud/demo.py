"""`./orders demo`: real traffic through the whole pipeline, a picture of where it went, and a verdict."""

import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import click

from tools.cloud.cloud import CloudError, explained
from tools.cloud.deploy import deployed, enforcing
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import depth, messages_in, stored_events
from tools.cloud.picture import Counts, print_picture
from tools.cloud.traffic import Traffic, make_traffic
from tools.ops import logs
from tools.ops.logs import Follower, Line
from tools.ops.publish import publish
from tools.ops.sending import Pace
from tools.ops.stack import local_stack
from tools.terminal import BAD, GOOD, Bar, Printer

SETTLE_LIMIT = 120.0
"""Seconds without any progress after which the demo gives up; poison needs about 20 s to reach its queue."""
SILENCE = 2.0
"""Seconds without progress after which the demo says what it waits for."""
MUST_BE_EMPTY = ("queueUrl", "subscriptionDeadLetterQueueUrl")
"""The stack's exports of the queues that hold nothing once everything was handled."""


class Check(NamedTuple):
    """One promise of the pipeline, and whether it held."""

    promise: str
    held: bool
    details: str


@click.option("--orders", type=click.IntRange(0, 1_000_000), default=1000, help="how many orders to generate")
@click.option("--seed", default=1, help="the same seed gives the same traffic")
def run(printer: Printer, *, orders: int, seed: int) -> int:
    """Run the demo; 1 if a promise did not hold."""
    with explained():
        return 0 if demo(orders=orders, seed=seed, printer=printer) else 1


def demo(*, orders: int, seed: int, printer: Printer) -> bool:
    """Run the traffic of `orders` generated orders and tell whether every promise held."""
    traffic = make_traffic(orders, seed)
    with deployed(judge=enforcing(printer)) as deployment:
        printer.line(f"Deployed in {deployment.seconds:.1f} s on {deployment.cloud.endpoint}")
        stack = local_stack("the local cloud", deployment.addresses())
        log, start = Follower(stack, start=logs.since(0)), time.time()
        with printer.progress("Publishing to OrderTopic", len(traffic.bodies)) as bar:
            refused = publish(stack, traffic.bodies, pace=Pace(None), advance=bar)
        if refused:
            raise CloudError(f"OrderTopic must accept every message, and refused {refused}")
        with printer.progress("Processing", len(traffic.bodies)) as bar:
            lines = settle(deployment, bar, len(traffic.bodies), log)
        end = time.time()
        letters, stored = messages_in(deployment, "deadLetterQueueUrl"), stored_events(deployment)
        left = {name: depth(deployment, name) for name in MUST_BE_EMPTY}
    counts = _count(traffic, lines, letters, len(stored), start=start, end=end)
    print_picture(counts, printer)
    checks = verify(traffic, stored, letters, left, told=counts.stored + counts.superseded)
    for check in checks:
        mark, style = ("✔", GOOD) if check.held else ("✘", BAD)
        printer.line(f"{mark} {check.promise}: {check.details}", style=style)
    return all(check.held for check in checks)


def settle(deployment: Deployment, bar: Bar, total: int, log: Follower) -> list[Line]:
    """Wait until the queue is empty: every message was stored, or has become a dead letter. Returns the log.

    Raises CloudError if the function crashes.
    """
    lines: list[Line] = []
    least, since = total, time.monotonic()
    while least and time.monotonic() - since < SETTLE_LIMIT:
        left = depth(deployment, "queueUrl")
        if left < least:
            bar(least - left)
            least, since = left, time.monotonic()
        elif _failed(deployment):
            lines += log.new_lines()
            for line in filter(logs.crashed, lines):
                trace = "".join(line.fields.get("stackTrace", []))
                raise CloudError(f"the function must not crash, but did:\n{trace}{line.text}")
        elif time.monotonic() - since > SILENCE:
            bar.says("Poison is received until it is given up, a visibility timeout apart")
        time.sleep(0.25 if left else 0)
    return [*lines, *log.new_lines()]


def _failed(deployment: Deployment) -> bool:
    """Whether the latest batch failed as a whole: the function crashed, or ran out of time."""
    answer = deployment.client("lambda").list_event_source_mappings(FunctionName=deployment.outputs["functionName"])
    return any(mapping.get("LastProcessingResult") == "FAILED" for mapping in answer["EventSourceMappings"])


def verify(
    traffic: Traffic, stored: dict[str, Any], letters: list[dict[str, Any]], left: Mapping[str, int], *, told: int
) -> list[Check]:
    """Hold what is in the table, the queues and the log against what was published.

    `stored` are the events that the table's items were made from, by orderId, `letters` the messages in the
    dead-letter queue, `left` how many messages each of the queues of MUST_BE_EMPTY still holds, and `told` how many
    messages the log calls stored or superseded.
    """
    valid = len(traffic.bodies) - traffic.poison.total()
    right = sum(event == traffic.newest.get(order) for order, event in stored.items())
    dead = Counter(letter["Body"] for letter in letters)
    waiting, lost = (left[name] for name in MUST_BE_EMPTY)
    return [
        Check(
            "every order is stored exactly once, in its newest version",
            right == len(stored) == len(traffic.newest),
            f"{right} of {len(traffic.newest)} right, {len(stored)} items",
        ),
        Check(
            "every poison message is in the dead-letter queue",
            dead == traffic.poison,
            f"{(dead & traffic.poison).total()} of {traffic.poison.total()}, {dead.total()} messages",
        ),
        Check(
            "nothing is left anywhere else",
            not any(left.values()),
            f"{waiting} in the queue, {lost} undelivered by the topic",
        ),
        # A message that is received twice is told twice.
        Check(
            "the function's log accounts for every message", told >= valid, f"{told} stored or superseded of {valid}"
        ),
    ]


def _count(
    traffic: Traffic, lines: list[Line], letters: list[dict[str, Any]], items: int, *, start: float, end: float
) -> Counts:
    """What happened at each stage, by the function's own log lines."""
    told = [line.fields for line in lines]
    reasons = {line["messageId"]: line["reason"] for line in told if "reason" in line}
    stored_at = [datetime.fromisoformat(line["timestamp"]) for line in told if line.get("message") == "message stored"]
    totals = logs.totals(lines)
    return Counts(
        published=len(traffic.bodies),
        received=sum(line.get("records", 0) for line in told),
        stored=totals["stored"],
        superseded=totals["superseded"],
        failed=totals["rejected"] + totals["failed"],
        items=items,
        reasons={letter["MessageId"]: reasons.get(letter["MessageId"], "not in the log") for letter in letters},
        busy=max((at.timestamp() for at in stored_at), default=end) - start,
        seconds=end - start,
    )
