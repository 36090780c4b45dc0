"""Simulates steady loads and a burst with AWS's limits: with the settings of the stacks, and with those advised."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from tests.bench.cost import ROUND_TRIP, cpu_ms
from tests.bench.simulation import Run, Settings, Work, simulate

PRODUCTION = Settings(batch_size=100, maximum_concurrency=50)
"""Pulumi.prod.yaml in an account with the default quotas."""
BURST, PUBLISHING = 1_000_000, 30
"""Events of the burst, and the seconds over which the shop publishes them."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A load, and what to set for it."""

    name: str
    offered: Callable[[float], float]
    """Events a second at a time."""
    seconds: float
    advised: Settings
    why: str


def _steady(rate: float) -> Callable[[float], float]:
    return lambda _: rate


SCENARIOS = (
    Scenario(
        name="100 a second",
        offered=_steady(100),
        seconds=900,
        advised=Settings(batch_size=10, maximum_concurrency=10),
        why="The defaults: no batching window, so an event is stored as soon as it arrives.",
    ),
    Scenario(
        name="1,000 a second",
        offered=_steady(1000),
        seconds=900,
        advised=Settings(batch_size=100, maximum_concurrency=10),
        why="A window of 1 s fills batches and costs up to 1 s of latency; a tenth of the invocations.",
    ),
    Scenario(
        name="10,000 a second",
        offered=_steady(10_000),
        seconds=4500,
        advised=Settings(batch_size=100, maximum_concurrency=50, warm_writes=20_000, publishes=15_000),
        why="The quota of SNS must be raised, and the table warm before the traffic comes: a new one takes 4,000.",
    ),
    Scenario(
        name="100,000 a second",
        offered=_steady(100_000),
        seconds=4500,
        advised=Settings(
            batch_size=100, maximum_concurrency=200, warm_writes=200_000, table_writes=200_000, publishes=150_000
        ),
        why="The quotas of SNS and of the table must be raised, and the table warmed up to the new one.",
    ),
    Scenario(
        name="a burst of 1,000,000",
        offered=lambda time: BURST / PUBLISHING if time < PUBLISHING else 0.0,
        seconds=300,
        advised=Settings(batch_size=100, maximum_concurrency=50, warm_writes=40_000, publishes=60_000),
        why="Raise the quota of SNS, and warm the table up to its quota for the day; the queue holds the rest.",
    ),
)


def measure(handler: dict[str, Any], writes_per_event: float) -> dict[str, Any]:
    """Run every scenario with the production stack and with the advised settings."""
    work = lambda_work(handler)
    return {
        "work_ms": {"fixed": round(work.fixed * 1000, 2), "per_event": round(work.per_event * 1000, 3)},
        "writes_per_event": writes_per_event,
        "rows": [
            {"load": scenario.name, "settings": name, "why": scenario.why, **_summary(settings, run)}
            for scenario in SCENARIOS
            for name, settings, run in runs(scenario, work, writes_per_event)
        ],
    }


def runs(scenario: Scenario, work: Work, writes_per_event: float) -> Iterator[tuple[str, Settings, Run]]:
    """Simulate a scenario with both settings, each by its name."""
    for name, settings in (("production", PRODUCTION), ("advised", scenario.advised)):
        writing = replace(settings, writes_per_event=writes_per_event)
        yield name, settings, simulate(scenario.offered, writing, work, seconds=scenario.seconds)


def lambda_work(handler: dict[str, Any]) -> Work:
    """The measured CPU time of an invocation as Lambda would take it, and one round of calls to DynamoDB."""
    one, hundred = cpu_ms(handler, "ours", 1), cpu_ms(handler, "ours", 100)
    per_event = (hundred - one) / 99
    return Work(fixed=(one - per_event + ROUND_TRIP) / 1000, per_event=per_event / 1000)


def _summary(settings: Settings, run: Run) -> dict[str, Any]:
    return {
        "batch_size": settings.batch_size,
        "maximum_concurrency": settings.maximum_concurrency,
        "warm_writes": settings.warm_writes,
        "table_writes": settings.table_writes,
        "publishes": settings.publishes,
        "waiting": round(run.peak.waiting),
        "oldest_seconds": round(run.oldest, 1),
        "stored_per_second": round(max(sample.stored for sample in run.samples)),
        "concurrency": round(max(sample.concurrency for sample in run.samples), 1),
        "drained_seconds": None if run.drained is None else round(run.drained, 1),
        "saturated": run.saturated,
    }
