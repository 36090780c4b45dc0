"""Draws the results."""

from collections.abc import Callable, Mapping
from typing import Any

from bench import charts, cost, scale
from bench.results import NAMES

Results = Mapping[str, Any]
POINTS = 240
"""Samples of a run in its chart, beside its highest."""


def throughput_chart(results: Results) -> str:
    rows = [row for row in results["handler"]["rows"] if row["latency_ms"] == 4]
    groups = {
        f"batch of {batch}": {
            name: row["orders_per_second"]
            for contender, name in NAMES.items()
            for row in rows
            if (row["contender"], row["batch"]) == (contender, batch)
        }
        for batch in dict.fromkeys(row["batch"] for row in rows)
    }
    return charts.bars("New orders, 4 ms a call", groups, unit="orders a second")


def cost_chart(results: Results) -> str:
    rows = cost.rows(results["handler"], results["streams"]["writes_per_event"])
    groups = {
        f"{NAMES[row['contender']]}, batch of {row['batch']}": {service: row[service] for service in cost.SERVICES}
        for row in rows
    }
    return charts.stacks("A million events of a shop's day", groups, unit="$")


def burst_chart(results: Results) -> str:
    """Draw the last scenario, which is simulated for it: a run is the same every time."""
    work = scale.lambda_work(results["handler"])
    curves = {}
    for name, _, run in scale.runs(scale.SCENARIOS[-1], work, results["scale"]["writes_per_event"]):
        samples = {*run.samples[:: len(run.samples) // POINTS], run.peak}
        curves[f"{name} settings"] = sorted((sample.time, round(sample.waiting)) for sample in samples)
    return charts.lines("Waiting after a burst of a million", curves, unit="events", along="seconds since it began")


DRAWINGS: dict[str, Callable[[Results], str]] = {
    "throughput": throughput_chart,
    "cost": cost_chart,
    "burst": burst_chart,
}
