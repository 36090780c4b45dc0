"""`cost`: what the pipeline costs in a month, beside the same pipeline with one write at a time."""

import math
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import click

from tools.ops import prices
from tools.ops.arguments import Number
from tools.ops.prices import Price
from tools.terminal import DIM, GOOD, Printer

CHUNK = 64 * 1024
"""Bytes that SNS and SQS bill as one request."""
RECEIVE = 10
"""Messages in one receive, and in one delete."""
STATEMENTS, PARALLEL_CALLS = 25, 8
"""Writes in one call of the handler to DynamoDB, and its calls at once."""
MONTH = 30 * 24 * 3600
"""Seconds."""
POLLERS = 5
"""Pollers of a queue with little traffic, each with a long poll of 20 s.
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html"""
IDLE_RECEIVES = POLLERS * MONTH / 20
"""Receives a month of an idle queue."""
SUMMARY_LINES = 1200
"""Bytes of log of an invocation: the handler's summary and Lambda's own three lines."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """What is asked of the pipeline in a month."""

    events: float
    """Messages, spread evenly over the month."""
    batch_size: int = 10
    """orders:batchSize."""
    window: float = 0
    """orders:batchingWindow, in seconds."""
    batch: float | None = None
    """Messages in an invocation, on average, if measured; else it is estimated from the rate and the window."""
    memory: int = 512
    """MB of the function, 128 to 10240."""
    architecture: str = "arm64"
    """`arm64` or `x86_64`."""
    size: int = 300
    """Bytes of a message."""
    publish_batch: int = 1
    """Messages in a publish request, 1 to 10."""
    writes: float = 1.0
    """Statements for each event of the batching handler; `make bench` measures it on a shop's day."""
    round_trip: float = 6.0
    """Milliseconds of one call to DynamoDB."""
    own_time: float = 3.0
    """Milliseconds of an invocation besides its calls."""
    duration: float | None = None
    """Milliseconds of an invocation, if measured; else it is estimated from the calls."""
    single_writes: bool = False
    """Whether the function writes one message after the other, each by a conditional put."""
    alarms: int = 12
    """Alarms of the stack; the program makes twelve, four metrics of its own log and a dashboard."""
    metrics: int = 4
    dashboards: int = 1


class Charge(NamedTuple):
    """One line of the bill."""

    price: Price
    units: float
    dollars: float


def monthly_cost(workload: Workload) -> list[Charge]:
    """The bill of a month, by what is charged for; without free tiers, tax and data transfer."""
    batch = batch_of(workload)
    invocations = workload.events / batch
    publishes = workload.events / workload.publish_batch * _chunks(workload.size * workload.publish_batch)
    # A receive and a delete take up to ten messages; a delete carries no bodies.
    polls = workload.events / min(RECEIVE, batch)
    requests = max(polls * _chunks(workload.size * min(RECEIVE, batch)), IDLE_RECEIVES) + polls
    writes = math.ceil(workload.size / 1024) * workload.events * (1 if workload.single_writes else workload.writes)
    compute = invocations * math.ceil(duration(workload)) / 1000 * workload.memory / 1024
    return [
        Charge(price, units, price.of(units))
        for price, units in (
            (prices.PUBLISH, publishes),
            (prices.QUEUE_REQUEST, requests),
            (prices.INVOCATION, invocations),
            (prices.COMPUTE[workload.architecture], compute),
            (prices.WRITE, writes),
            (prices.LOG_DATA, invocations * SUMMARY_LINES / 1e9),
            (prices.ALARM, workload.alarms),
            (prices.METRIC, workload.metrics),
            (prices.DASHBOARD, workload.dashboards),
            (prices.KEY, 1),
        )
    ]


def batch_of(workload: Workload) -> float:
    """Messages in an invocation: as measured, or what an even rate brings to each poller within its window."""
    if workload.batch is not None:
        return workload.batch
    return min(workload.batch_size, max(1.0, workload.events / MONTH * workload.window / POLLERS))


def duration(workload: Workload) -> float:
    """Milliseconds of an invocation: measured, or its own time and its calls to DynamoDB one after the other."""
    if workload.duration is not None and not workload.single_writes:
        return workload.duration
    if workload.single_writes:
        calls = batch_of(workload)
    else:
        calls = math.ceil(batch_of(workload) / (STATEMENTS * PARALLEL_CALLS))
    return workload.own_time + calls * workload.round_trip


def _chunks(size: float) -> int:
    return max(1, math.ceil(size / CHUNK))


def by_service(charges: list[Charge]) -> dict[str, float]:
    """Dollars by service, in the order of the pipeline."""
    sums: dict[str, float] = {}
    for charge in charges:
        sums[charge.price.service] = sums.get(charge.price.service, 0.0) + charge.dollars
    return sums


@click.option("--events", type=Number(min=1), required=True, metavar="N", help="messages a month, evenly spread")
@click.option("--batch-size", type=click.IntRange(1, 10_000), default=Workload.batch_size, help="orders:batchSize")
@click.option("--window", type=Number(0, 300), default=Workload.window, help="orders:batchingWindow, in seconds")
@click.option("--batch", type=Number(1, 10_000), metavar="N", help="messages per invocation, if measured")
@click.option("--memory", type=click.IntRange(128, 10_240), default=Workload.memory, help="MB of memory")
@click.option("--architecture", type=click.Choice(("arm64", "x86_64")), default=Workload.architecture)
@click.option("--duration", type=Number(min=1), metavar="MS", help="of an invocation, if measured")
@click.option("--round-trip", type=Number(min=0.1), default=Workload.round_trip, help="ms of a DynamoDB call")
@click.option("--bytes", "size", type=click.IntRange(1, 1_048_576), default=Workload.size, help="of a message")
@click.option("--publish-batch", type=click.IntRange(1, 10), default=1, help="messages per publish")
@click.option("--writes", type=Number(0.01, 2), default=Workload.writes, help="statements per event, if measured")
@click.option("--alarms", type=click.IntRange(0), default=Workload.alarms, help="of the stack")
def run(printer: Printer, **asked: Any) -> int:
    batched = Workload(**asked)
    single = replace(batched, single_writes=True)
    bills = {"batched": monthly_cost(batched), "onePutPerMessage": monthly_cost(single)}
    totals = {name: sum(charge.dollars for charge in bill) for name, bill in bills.items()}
    if printer.as_json:
        printer.json(
            {
                "region": prices.REGION,
                "pricesAsOf": prices.AS_OF,
                "batch": batch_of(batched),
                "milliseconds": {"batched": duration(batched), "onePutPerMessage": duration(single)},
                "dollars": {name: by_service(bill) for name, bill in bills.items()},
                "total": totals,
            }
        )
    _show(batched, single, bills, totals, printer)
    return 0


def _show(
    batched: Workload, single: Workload, bills: dict[str, list[Charge]], totals: dict[str, float], printer: Printer
) -> None:
    printer.line(
        f"{batched.events:,.0f} events a month, {batched.events / MONTH:,.3g} a second, {batch_of(batched):.3g} to a "
        f"batch; a call to DynamoDB of {batched.round_trip:g} ms makes an invocation last {duration(batched):g} ms, "
        f"with one put per message {duration(single):g} ms"
    )
    rows: list[tuple[object, ...]] = [
        (
            ours.price.service,
            f"${ours.dollars:,.2f}",
            f"${theirs.dollars:,.2f}",
            f"{round(ours.units, 1):,.12g} {ours.price.unit}",
        )
        for ours, theirs in zip(*bills.values(), strict=True)
    ]
    rows.append((("total", GOOD), (f"${totals['batched']:,.2f}", GOOD), f"${totals['onePutPerMessage']:,.2f}", ""))
    printer.table(("service", "batched", "one put each", "a month"), rows)
    printer.line(
        f"Prices of {prices.REGION} as of {prices.AS_OF}, "
        "without free tiers, storage, tracing, key requests, transfer and tax.",
        style=DIM,
    )
    for page in dict.fromkeys(price.page for price in prices.PRICES):
        printer.line(f"  {page}", style=DIM)
