"""Measures streams of events: a shop's day, and two whose statuses do not say whether an order exists."""

import contextlib
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from functions.process_order.expectation import Expectation
from functions.process_order.orders import parse
from functions.process_order.store import STATEMENTS_PER_CALL, Store
from tests.bench.events import STREAMS, stream_of
from tests.bench.performance import NAMES, markdown
from tests.bench.results import Target
from tests.bench.standin import standing_in
from tests.bench.worker import Worker, working
from tests.fakes.table import Table, executing

SHOP = next(iter(STREAMS))
BATCH, LATENCY = 100, 0.004
CONTENDERS = {"original": 1, "insert_first": 5, "ours": 5}
"""Who is measured, and the batches of each turn."""
LEARNING = 15
"""Batches of ours before the first turn: by then what can be learned is learned."""
TURNS = 5

Streams = dict[str, dict[str, dict[str, float]]]
"""By stream and contender, what an event takes."""


class InsertFirst(Expectation):
    """Expects every order to be new, as one would that does not learn."""

    def exist(self, statuses: Iterable[str]) -> list[bool]:
        return [False for _ in statuses]


class Count(NamedTuple):
    """What the events of a stream took, each."""

    statements: float
    round_trips: float


def measure(*, quick: bool) -> Streams:
    """Count what each stream takes, which is the same every time, and time it unless in a hurry."""
    found = {}
    for name in STREAMS:
        counted = {"insert_first": count(name, InsertFirst()), "ours": count(name)}
        timed = {} if quick else _timed(name)
        found[name] = {who: {**counted.get(who, Count(1, 1))._asdict(), **timed.get(who, {})} for who in CONTENDERS}
    return found


def count(name: str, expectation: Expectation | None = None) -> Count:
    """Write a stream into a table in memory, by a store that learns unless told what to expect."""
    table, events = Table(), list(stream_of(name))
    store = Store(executing(table), "Orders", expectation=expectation)
    for start in range(0, len(events), BATCH):
        _write(store, events[start : start + BATCH])
    calls = len(table.calls)
    return Count(round(sum(map(len, table.calls)) / len(events), 3), round(calls / len(events), 4))


def _write(store: Store, events: Sequence[str]) -> None:
    orders = sorted(map(parse, events), key=lambda order: order.version)
    newest = list({order.order_id: order for order in orders}.values())
    # One call after the other: what is learned from parallel ones depends on which is answered first.
    for first in range(0, len(newest), STATEMENTS_PER_CALL):
        store.write(newest[first : first + STATEMENTS_PER_CALL], store.clock() + 30)


def _timed(name: str) -> dict[str, dict[str, float]]:
    """Let the contenders take turns, each on a table of its own."""
    with contextlib.ExitStack() as stack:
        workers = {}
        for contender in CONTENDERS:
            standin = stack.enter_context(standing_in())
            standin.ask(latency=LATENCY, storing=True)
            workers[contender] = stack.enter_context(working(contender, standin.endpoint))
        for who in ("insert_first", "ours"):
            workers[who].run(batch=BATCH, invocations=LEARNING, stream=name)
        turns = [{who: _turn(name, who, worker) for who, worker in workers.items()} for _ in range(TURNS)]
    return {
        who: {
            "events_per_second": round(1 / median(turn[who]["wall"] for turn in turns)),
            "cpu_us": round(median(turn[who]["cpu"] for turn in turns) * 1e6, 1),
        }
        for who in CONTENDERS
    }


def _turn(name: str, contender: str, worker: Worker) -> dict[str, float]:
    spent = worker.run(batch=BATCH, invocations=CONTENDERS[contender], stream=name)
    events = CONTENDERS[contender] * BATCH
    return {kind: seconds / events for kind, seconds in spent.items()}


def table(result: Streams) -> str:
    """What an event of each stream took each contender."""
    head = ("stream", "handler", "statements an event", "round trips an event", "events/s", "CPU µs an event")
    rows = [
        (
            stream,
            NAMES[contender],
            f"{row['statements']:.3f}",
            f"{row['round_trips']:.3f}",
            f"{row['events_per_second']:,}",
            f"{row['cpu_us']:,.0f}",
        )
        for stream, contenders in result.items()
        for contender, row in contenders.items()
    ]
    return markdown(head, rows)


def targets(result: Streams) -> list[Target]:
    """What learning must save on a shop's day, and may cost where there is nothing to learn."""
    statements = {
        stream: {who: row["statements"] for who, row in contenders.items()} for stream, contenders in result.items()
    }
    worst = max(each["ours"] / each["insert_first"] for stream, each in statements.items() if stream != SHOP)
    return [
        Target("statements an event, a shop's day", statements[SHOP]["ours"], at_most=1.10),
        Target("statements over INSERT first, statuses that say nothing", worst, at_most=1.05),
    ]
