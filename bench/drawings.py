"""Draws the results."""

from collections.abc import Callable, Mapping
from typing import Any

from bench import charts
from bench.results import NAMES

Results = Mapping[str, Any]


def throughput_chart(results: Results) -> str:
    groups: dict[str, dict[str, float]] = {}
    for row in results["handler"]["rows"]:
        if row["latency_ms"] == 4:
            groups.setdefault(f"batch of {row['batch']:,}", {})[NAMES[row["contender"]]] = row["orders_per_second"]
    return charts.bars("Orders a second at 4 ms", groups, unit="orders/s", series=_series(groups), log=True)


def cpu_chart(results: Results) -> str:
    groups: dict[str, dict[str, float]] = {}
    for row in results["handler"]["rows"]:
        if row["latency_ms"] == 4:
            groups.setdefault(f"batch of {row['batch']:,}", {})[NAMES[row["contender"]]] = row["cpu_us_per_order"]
    return charts.bars("CPU of an order", groups, unit="µs", series=_series(groups), log=True)


def cold_start_chart(results: Results) -> str:
    groups = {
        "CPU": {NAMES[row["contender"]]: row["cpu_ms"] for row in results["cold_start"]["rows"]},
        "time": {NAMES[row["contender"]]: row["wall_ms"] for row in results["cold_start"]["rows"]},
    }
    return charts.bars("Cold start", groups, unit="ms", series=_series(groups))


def latency_chart(results: Results) -> str:
    groups: dict[str, dict[str, float]] = {}
    for row in results["pipeline"]["rows"]:
        name = row["rate"] if row["rate"] == "flat out" else f"{row['rate']} a second"
        groups.setdefault(f"{name}, p95", {})[NAMES[row["contender"]]] = row["p95_ms"]
    return charts.bars("Publish to stored on the local cloud", groups, unit="ms", series=_series(groups), log=True)


def cost_chart(results: Results) -> str:
    services = ("SNS", "SQS", "Lambda", "DynamoDB", "CloudWatch")
    groups = {
        f"{NAMES[row['contender']]}, batch of {row['batch']}": {service: row[service] for service in services}
        for row in results["cost"]["rows"]
    }
    return charts.stacks("A million orders", groups, unit="$", series=services)


def burst_chart(results: Results) -> str:
    return _waiting(results, "a burst", "Waiting after a burst of a million")


def steady_chart(results: Results) -> str:
    return _waiting(results, "10,000", "Waiting at a steady 10,000 a second")


def _waiting(results: Results, load: str, title: str) -> str:
    rows = [row for row in results["scale"]["rows"] if row["load"].startswith(load)]
    curves = {f"{row['settings']} settings": row["curve"] for row in rows}
    return charts.lines(title, curves, unit="orders", along="seconds")


def _series(groups: Mapping[str, Mapping[str, float]]) -> list[str]:
    present = {name for group in groups.values() for name in group}
    return [name for name in NAMES.values() if name in present]


DRAWINGS: dict[str, Callable[[Results], str]] = {
    "throughput": throughput_chart,
    "cpu": cpu_chart,
    "cold-start": cold_start_chart,
    "latency": latency_chart,
    "cost": cost_chart,
    "burst": burst_chart,
    "steady": steady_chart,
}
