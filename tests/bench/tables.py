"""Writes the results as tables in Markdown."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tests.bench import cold_start, cost, handler, limits, program, scale, streams
from tests.bench.results import NAMES, Target
from tools.ops import prices

Results = Mapping[str, Any]
TARGETS: dict[str, Callable[[dict[str, Any]], list[Target]]] = {
    "handler": handler.targets,
    "streams": streams.targets,
    "cold_start": cold_start.targets,
    "program": program.targets,
}
"""By measurement."""
POINTS = 60
"""Of each line of a chart."""


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns of figures are aligned to the right, those of text to the left."""
    cells = [[str(cell) for cell in row] for row in rows]
    figures = [all(re.match(r"\**\d|$", cell) for cell in column) for column in zip(*cells, strict=True)]
    rule = ["---:" if right else "---" for right in figures]
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *cells)) + "\n"


def _over(row: Mapping[str, Any], *kinds: str) -> list[str]:
    """Spell the ratios of a contender; ours over ours says nothing."""
    if row["contender"] == "ours":
        return [""] * len(kinds)
    return [f"**{row[kind]['median']:.2f}** ({row[kind]['low']:.2f} to {row[kind]['high']:.2f})" for kind in kinds]


def _source(results: Results, name: str) -> str:
    part = results[name]
    machine = part["machine"]
    packages = ", ".join(f"{package} {version}" for package, version in machine["packages"].items())
    cores = f"{machine['cores']} cores of {machine['processor']}"
    return f"\n<sub>{part['date']}, {cores}, {machine['system']}, Python {machine['python']}, {packages}</sub>\n"


def targets_part(results: Results) -> str:
    found = [target for name, of in TARGETS.items() for target in of(results[name])]
    rows = [(each.name, each.limit, f"{each.value:.2f}", "met" if each.met else "**missed**") for each in found]
    return _table(("target", "limit", "measured", ""), rows)


def handler_part(results: Results) -> str:
    head = ("batch", "latency", "handler", "orders/s", "CPU µs/order", "round trips", "time over ours", "CPU over ours")
    rows = [
        (f"{row['batch']:,}", f"{row['latency_ms']} ms", *_handled(row), *_over(row, "throughput_ratio", "cpu_ratio"))
        for row in sorted(results["handler"]["rows"], key=lambda row: (row["latency_ms"], row["batch"]))
    ]
    return _table(head, rows) + _source(results, "handler")


def existing_part(results: Results) -> str:
    head = ("handler", "orders/s", "CPU µs/order", "round trips", "time over ours")
    rows = [(*_handled(row), *_over(row, "throughput_ratio")) for row in results["handler"]["existing"]]
    return _table(head, rows)


def own_work_part(results: Results) -> str:
    rows = [(step, f"{micros:.1f}") for step, micros in results["handler"]["own_work"].items()]
    return _table(("step", "CPU µs an order"), rows)


def alone_part(results: Results) -> str:
    rows = [
        (f"{row['latency_ms']} ms", *_over(row, "throughput_ratio", "cpu_ratio")) for row in results["handler"]["alone"]
    ]
    return _table(("latency", "time of original over ours", "CPU of original over ours"), rows)


def streams_part(results: Results) -> str:
    head = (
        "stream",
        "handler",
        "statements an event",
        "round trips an event",
        "events/s",
        "CPU µs/event",
        "$ a million events",
    )
    rows = [
        (
            row["stream"],
            NAMES[row["contender"]],
            f"{row['statements']:.3f}",
            f"{row['round_trips']:.3f}",
            f"{row['events_per_second']:,}",
            f"{row['cpu_us']:,.0f}",
            f"{row['dollars']:.2f}",
        )
        for row in results["streams"]["rows"]
    ]
    return _table(head, rows) + _source(results, "streams")


def _handled(row: Mapping[str, Any]) -> tuple[str, ...]:
    name, rate, cpu = NAMES[row["contender"]], row["orders_per_second"], row["cpu_us_per_order"]
    return name, f"{rate:,}", f"{cpu:,.0f}", f"{row['round_trips']:g}"


def standin_part(results: Results) -> str:
    rows = [row for row in results["handler"]["rows"] if row["contender"] == "ours"]
    head = ("batch", "latency", "CPU µs of the stand-in, a request")
    return _table(head, [(f"{row['batch']:,}", f"{row['latency_ms']} ms", row["standin_cpu_us"]) for row in rows])


def cold_start_part(results: Results) -> str:
    part = results["cold_start"]
    head = ("handler", "CPU ms", "ms", "of which import and connect", "ours over it, CPU", "ours over it, time")
    rows = [
        (
            NAMES[row["contender"]],
            row["cpu_ms"],
            row["wall_ms"],
            row["import_ms"],
            *_over(row, "cpu_ratio", "ratio"),
        )
        for row in part["rows"]
    ]
    size = f"\nThe archive has {part['archive_bytes']:,} bytes.\n"
    return _table(head, rows) + size + _source(results, "cold_start")


def pipeline_part(results: Results) -> str:
    part = results["pipeline"]
    head = ("published", "handler", "stored/s", "p50 ms", "p95 ms", "p99 ms", "ours stores more by")
    rows = [
        (
            row["rate"] if row["rate"] == "flat out" else f"{row['rate']} a second",
            NAMES[row["contender"]],
            row["orders_per_second"],
            *(f"{row[kind]:,.0f}" for kind in ("p50_ms", "p95_ms", "p99_ms")),
            *_over(row, "ratio"),
        )
        for row in part["rows"]
    ]
    start = part["start"]
    up = (
        f"\n`./orders local --no-page` is ready after {start['ready_seconds']:.1f} s, "
        f"and has stored its first order {start['first_order_seconds']:.1f} s later.\n"
    )
    return _table(head, rows) + up + _source(results, "pipeline")


def program_part(results: Results) -> str:
    part = results["program"]
    rows = [
        (f"{row['resources']:,}", f"{row['seconds']:.1f}", f"{row['cpu_ms_per_resource']:.2f}") for row in part["rows"]
    ]
    record = (
        f"Recording the program's {part['resources']} resources takes {part['record_seconds']:.2f} s. "
        f"The pack holds {part['rules']} rules against them:\n\n"
    )
    return record + _table(("resources", "seconds", "CPU ms a resource"), rows) + _source(results, "program")


def operations_part(results: Results) -> str:
    rows = results["operations"]["rows"]
    counts = sorted({row["messages"] for row in rows})
    figures = {(row["command"], row["messages"]): row for row in rows}
    head = ("command", *(f"{unit} of {count:,}" for count in counts for unit in ("seconds", "MB")))
    table = [
        (
            f"`{command}`",
            *(str(figures.get((command, n), {}).get(key, "")) for n in counts for key in ("seconds", "peak_mb")),
        )
        for command in dict.fromkeys(row["command"] for row in rows)
    ]
    return _table(head, table) + _source(results, "operations")


def cost_part(results: Results) -> str:
    writes = results["streams"]["writes_per_event"]
    found = cost.rows(results["handler"], writes)
    rows = [
        (
            row["batch"],
            NAMES[row["contender"]],
            f"{row['milliseconds']:,.1f}",
            *(f"{row[service]:.3f}" for service in cost.SERVICES),
            f"**{row['total']:.2f}**",
        )
        for row in found
    ]
    ours = found[-1]
    dearest = max(cost.SERVICES, key=lambda service: ours[service])
    spelled = ", ".join(f"{figure:.2f} in batches of {batch}" for batch, figure in writes.items())
    text = (
        f"\nPrices of {prices.REGION} as of {prices.AS_OF}; {cost.MEMORY} MB, arm64, {cost.ROUND_TRIP:g} ms for a call "
        f"to DynamoDB, and our writes an event as measured: {spelled}. "
        f"In batches of 100, {dearest} is {ours[dearest] / ours['total']:.0%} of our bill.\n"
    )
    return _table(("batch", "handler", "ms an invocation", *cost.SERVICES, "$ a million events"), rows) + text


def burst_part(results: Results) -> str:
    """Draw how the last scenario drains, which is simulated for it: a run is the same every time."""
    burst, work = scale.SCENARIOS[-1], scale.lambda_work(results["handler"])
    runs = scale.runs(burst, work, results["scale"]["writes_per_event"])
    title = 'title "Waiting after a burst of a million: production above, advised below"'
    axes = (f'x-axis "seconds since it began" 0 --> {burst.seconds:g}', 'y-axis "events"')
    lines = (f"line {_peaks([sample.waiting for sample in run.samples])}" for *_, run in runs)
    return "\n  ".join(["```mermaid\nxychart-beta", title, *axes, *lines]) + "\n```\n"


def _peaks(values: Sequence[float]) -> list[int]:
    """The highest of each of so many parts of a row of values."""
    step = len(values) // POINTS
    return [round(max(values[start : start + step])) for start in range(0, len(values), step)]


def scale_part(results: Results) -> str:
    part = results["scale"]
    head = ("load", "settings", "stored/s at most", "most waiting", "oldest s", "concurrency", "what holds it up")
    rows = [
        (
            row["load"],
            row["settings"],
            f"{row['stored_per_second']:,}",
            f"{row['waiting']:,}",
            f"{row['oldest_seconds']:,.0f}",
            f"{row['concurrency']:,.0f}",
            row["saturated"],
        )
        for row in part["rows"]
    ]
    work = part["work_ms"]
    text = (
        f"\nAn invocation takes {work['fixed']:.1f} ms and {work['per_event']:.2f} ms for each event, and an event "
        f"{part['writes_per_event']:.2f} writes, as measured on a shop's day.\n"
    )
    return _table(head, rows) + text


def advice_part(results: Results) -> str:
    head = ("load", "batchSize", "batchingWindow", "maximumConcurrency", "warm", "table quota", "SNS quota", "why")
    rows = [
        (
            row["load"],
            row["batch_size"],
            1 if row["batch_size"] > 10 else 0,
            row["maximum_concurrency"],
            *(f"{row[kind]:,.0f}" for kind in ("warm_writes", "table_writes", "publishes")),
            row["why"],
        )
        for row in results["scale"]["rows"]
        if row["settings"] == "advised"
    ]
    return _table(head, rows)


def limits_part(_: Results) -> str:
    rows = [(f"[{each.name}]({each.page})", f"{each.value:,.0f} {each.unit}", each.remedy) for each in limits.ALL]
    return _table(("limit", "value", "what to do"), rows)


def check_part(results: Results) -> str:
    check = results["pipeline"]["check"]
    return (
        f"On the local cloud, an invocation's time was learned from a burst of {check['orders']['learned']:,} events; "
        f"a burst of {check['orders']['simulated']:,} then took {check['measured_seconds']:.1f} s, "
        f"and {check['simulated_seconds']:.1f} s in the simulation.\n"
    )
