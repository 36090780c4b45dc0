"""Measures the handler on a batch: orders a second, CPU and round trips, beside what people write today."""

import contextlib
import time
from statistics import median
from typing import Any

from tests.bench import own_work
from tests.bench.performance import NAMES, markdown, ratios
from tests.bench.results import Target, spread
from tests.bench.standin import StandIn, standing_in
from tests.bench.worker import Worker, working

CONTENDERS = ("original", "powertools", "ours", "floor")
LATENCY = 0.004
"""Seconds that the stand-in takes for a call."""
BATCHES = (1, 10, 100)
SLICE = 0.1
"""Seconds that a contender runs before the next has its turn; one invocation at least."""
PAIRS = 8
"""Pairs of fresh processes, ours and the original, that handle batches of one."""


def measure(*, quick: bool) -> dict[str, Any]:
    """Run every contender on every size of batch, turn by turn."""
    rounds = 5 if quick else 15
    with contextlib.ExitStack() as stack:
        standin = stack.enter_context(standing_in())
        workers = {name: stack.enter_context(working(name, standin.endpoint)) for name in CONTENDERS}
        rows = [row for batch in BATCHES for row in _case(standin, workers, LATENCY, batch, rounds=rounds)]
        pair = {name: workers[name] for name in ("original", "ours")}
        existing = [] if quick else _case(standin, pair, LATENCY, 100, rounds=9, existing=True)
        alone = [] if quick else [_alone(standin, latency) for latency in (0.0, LATENCY)]
    return {"rows": rows, "existing": existing, "alone": alone, "own_work": own_work.measure()}


def _alone(standin: StandIn, latency: float) -> dict[str, Any]:
    """How many times faster ours handles batches of one.

    In pairs of fresh processes: how a process lies in memory moves its speed by a tenth, for as long as it lives.
    """
    found = []
    for _ in range(PAIRS):
        with working("original", standin.endpoint) as original, working("ours", standin.endpoint) as ours:
            found.append(_case(standin, {"original": original, "ours": ours}, latency, 1, rounds=5)[0])
    kinds = ("throughput_ratio", "cpu_ratio")
    ratios = {kind: spread([row[kind]["median"] for row in found]) for kind in kinds}
    return {"contender": "original", "latency_ms": round(latency * 1000), **ratios}


def _case(
    standin: StandIn, workers: dict[str, Worker], latency: float, batch: int, *, rounds: int, existing: bool = False
) -> list[dict[str, Any]]:
    standin.ask(latency=latency, existing=existing)
    invocations = {name: _invocations(worker, batch) for name, worker in workers.items()}
    turns: dict[str, list[dict[str, float]]] = {name: [] for name in workers}
    for turn in range(rounds):
        names = list(workers)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:  # no one always follows the same other
            orders = invocations[name] * batch
            standin.ask()
            spent = workers[name].run(batch=batch, invocations=invocations[name])
            served = standin.ask()
            turns[name].append(
                {
                    "wall": spent["wall"] / orders,
                    "cpu": spent["cpu"] / orders,
                    "round_trips": served["requests"] / invocations[name],
                }
            )
    return [_row(name, turns, batch) for name in workers]


def _invocations(worker: Worker, batch: int) -> int:
    """Warm a contender up and say how many invocations fill its turn."""
    worker.run(batch=batch, invocations=1)
    started = time.perf_counter()
    worker.run(batch=batch, invocations=1)
    return max(1, min(100, round(SLICE / (time.perf_counter() - started))))


def _row(name: str, turns: dict[str, list[dict[str, float]]], batch: int) -> dict[str, Any]:
    own = turns[name]
    pairs = list(zip(own, turns["ours"], strict=True))
    return {
        "contender": name,
        "batch": batch,
        "orders_per_second": round(1 / median(turn["wall"] for turn in own)),
        "cpu_us_per_order": round(median(turn["cpu"] for turn in own) * 1e6, 1),
        "round_trips": median(turn["round_trips"] for turn in own),
        "throughput_ratio": spread([turn["wall"] / ours["wall"] for turn, ours in pairs]),
        "cpu_ratio": spread([turn["cpu"] / ours["cpu"] for turn, ours in pairs]),
    }


def table(result: dict[str, Any]) -> str:
    """What each contender took on each size of batch, and what an order takes of ours step by step."""
    head = ("batch", "handler", "orders/s", "CPU µs an order", "round trips", "time over ours", "CPU over ours")
    labelled = [(str(row["batch"]), row) for row in result["rows"]]
    labelled += [(f"{row['batch']}, all in the table", row) for row in result["existing"]]
    rows = [
        (
            label,
            NAMES[row["contender"]],
            f"{row['orders_per_second']:,}",
            f"{row['cpu_us_per_order']:,.0f}",
            f"{row['round_trips']:g}",
            *ratios(row, "throughput_ratio", "cpu_ratio"),
        )
        for label, row in labelled
    ]
    steps = [(step, f"{micros:.1f}") for step, micros in result["own_work"].items()]
    return f"{markdown(head, rows)}\n{markdown(('of an order, without any call', 'CPU µs'), steps)}"


def targets(result: dict[str, Any]) -> list[Target]:
    """What the handler must reach; a ratio is how many times ours is better, except over the floor."""
    found = {(row["contender"], row["batch"]): row for row in result["rows"]}

    def ratio(kind: str, contender: str, batch: int) -> float:
        return float(found[contender, batch][kind]["median"])

    existing = [row["throughput_ratio"]["median"] for row in result["existing"] if row["contender"] == "original"]
    return [
        Target("throughput over original, batch 10", ratio("throughput_ratio", "original", 10), at_least=11),
        Target("throughput over original, batch 100", ratio("throughput_ratio", "original", 100), at_least=80),
        *[Target("the same, of orders that exist", value, at_least=80) for value in existing],
        Target("CPU of original over ours, batch 10", ratio("cpu_ratio", "original", 10), at_least=20),
        Target("CPU of original over ours, batch 100", ratio("cpu_ratio", "original", 100), at_least=45),
        Target("time over the floor, batch 100", 1 / ratio("throughput_ratio", "floor", 100), at_most=1.25),
        *[
            Target(f"throughput over original, batch 1, {latency} ms", value, at_least=2.0 if latency == 0 else 1.1)
            for latency, value in ((each["latency_ms"], each["throughput_ratio"]["median"]) for each in result["alone"])
        ],
        *[
            Target(f"CPU of original over ours, batch 1, {each['latency_ms']} ms", value, at_least=3)
            for each in result["alone"]
            for value in [each["cpu_ratio"]["median"]]
        ],
    ]
