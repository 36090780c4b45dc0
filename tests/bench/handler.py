"""Measures the handler on a batch: the time and the CPU of an order, beside what people write today."""

import contextlib
import time
from collections.abc import Iterable
from statistics import median

from tests.bench import own_work
from tests.bench.results import Target, markdown
from tests.bench.standin import Standin, standing_in
from tests.bench.worker import Worker, working

CONTENDERS = {"original": "original", "powertools": "Powertools", "ours": "ours", "floor": "floor"}
LATENCY = 0.004
"""Seconds that the stand-in takes for a call."""
SLICE = 0.1
"""Seconds that a contender runs before the next has its turn; one invocation at least."""
TURNS, PAIRS = 15, 6
"""Turns of each contender, and pairs of fresh processes that handle batches of one."""

Turns = dict[str, list[dict[str, float]]]
"""By contender, the seconds of `wall` time and of `cpu` that an order took, turn by turn."""
Measured = dict[str, Turns]


def measure(*, quick: bool) -> Measured:
    """Run the contenders on every size of batch, turn by turn."""
    turns = 5 if quick else TURNS
    with contextlib.ExitStack() as stack:
        standin, endpoint = stack.enter_context(standing_in())
        workers = {name: stack.enter_context(working(name, endpoint)) for name in CONTENDERS}
        found = {f"{batch}": _take_turns(standin, workers, batch, turns) for batch in (1, 10, 100)}
        found["100, existing"] = _take_turns(standin, workers, 100, turns, existing=True)
        for latency in () if quick else (0.0, LATENCY):
            found[f"1, {latency * 1000:.0f} ms"] = _alone(standin, endpoint, latency)
    return found


def _alone(standin: Standin, endpoint: str, latency: float) -> Turns:
    """Handle batches of one, ours and the original, in pairs of fresh processes.

    How a process lies in memory moves its speed by a tenth, for as long as it lives.
    """
    found: Turns = {"original": [], "ours": []}
    for _ in range(PAIRS):
        with working("original", endpoint) as original, working("ours", endpoint) as ours:
            pair = _take_turns(standin, {"original": original, "ours": ours}, 1, 5, latency=latency)
            for name, turns in pair.items():
                found[name].append({kind: median(turn[kind] for turn in turns) for kind in ("wall", "cpu")})
    return found


def _take_turns(
    standin: Standin,
    workers: dict[str, Worker],
    batch: int,
    turns: int,
    *,
    latency: float = LATENCY,
    existing: bool = False,
) -> Turns:
    standin.latency, standin.existing = latency, existing
    invocations = {name: _invocations(worker, batch) for name, worker in workers.items()}
    found: Turns = {name: [] for name in workers}
    for turn in range(turns):
        names = list(workers)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:  # no one always follows the same other
            spent = workers[name](batch=batch, invocations=invocations[name])
            found[name].append({kind: seconds / invocations[name] / batch for kind, seconds in spent.items()})
    return found


def _invocations(worker: Worker, batch: int) -> int:
    """Warm a contender up and say how many invocations fill its turn."""
    worker(batch=batch, invocations=1)
    started = time.perf_counter()
    worker(batch=batch, invocations=1)
    return max(1, min(100, round(SLICE / (time.perf_counter() - started))))


def table(found: Measured) -> str:
    """What each contender took on each size of batch, and what an order takes of ours step by step."""
    rows = [
        (label, *(_figures(turns[name]) for name in CONTENDERS))
        for label, turns in found.items()
        if turns.keys() == CONTENDERS.keys()
    ]
    batches = markdown(("orders/s · CPU µs an order, batch of", *CONTENDERS.values()), rows)
    steps = own_work.measure()
    own = [("CPU µs", *(f"{micros:.1f}" for micros in steps.values()))]
    return f"{batches}\n{markdown(('of an order of ours, without any call', *steps), own)}"


def _figures(turns: Iterable[dict[str, float]]) -> str:
    wall, cpu = (median(turn[kind] for turn in turns) for kind in ("wall", "cpu"))
    return f"{1 / wall:,.0f} · {cpu * 1e6:,.0f}"


def targets(found: Measured) -> list[Target]:
    """What the handler must reach; a ratio is how many times ours is better, except over the floor."""

    def ratio(label: str, kind: str, contender: str = "original") -> float:
        turns = found[label]
        return median(its[kind] / ours[kind] for its, ours in zip(turns[contender], turns["ours"], strict=True))

    limits: dict[tuple[str, str], dict[str, float]] = {
        ("throughput over original", "wall"): {"100": 80, "100, existing": 80, "10": 11, "1, 0 ms": 2, "1, 4 ms": 1.1},
        ("CPU of original over ours", "cpu"): {"100": 45, "10": 20, "1, 0 ms": 3, "1, 4 ms": 3},
    }
    over_original = [
        Target(f"{what}, batch {label}", ratio(label, kind), at_least=least)
        for (what, kind), by_batch in limits.items()
        for label, least in by_batch.items()
        if label in found
    ]
    return [*over_original, Target("time over the floor, batch 100", 1 / ratio("100", "wall", "floor"), at_most=1.25)]
