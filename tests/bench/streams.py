"""Counts what the events of three streams cost: a shop's day, and two that do not say whether an order exists."""

from collections.abc import Iterable

from functions.process_order.expectation import Expectation
from functions.process_order.orders import parse
from functions.process_order.store import STATEMENTS_PER_CALL, Store
from tests.bench.events import STREAMS, stream_of
from tests.bench.results import Target
from tests.fakes.table import Executing, Table

SHOP = next(iter(STREAMS))
BATCH = 100
Statements = dict[str, tuple[float, float]]
"""By stream, the statements an event of a store that inserts first, and of ours."""


class InsertFirst(Expectation):
    """Expects every order to be new, as one would that does not learn."""

    def exist(self, statuses: Iterable[str]) -> list[bool]:
        return [False for _ in statuses]


def measure() -> Statements:
    """Count the statements of every stream: the same every time, and quickly."""
    return {name: (count(name, InsertFirst()), count(name, Expectation())) for name in STREAMS}


def count(name: str, expectation: Expectation) -> float:
    """Write a stream into a table in memory and tell the statements that an event took."""
    table, events = Table(), list(stream_of(name))
    store = Store(Executing(table), "Orders", expectation=expectation)
    for start in range(0, len(events), BATCH):
        orders = sorted((parse(event, "~") for event in events[start : start + BATCH]), key=lambda order: order.version)
        newest = list({order.order_id: order for order in orders}.values())
        # One call after the other: what is learned from parallel ones depends on which is answered first.
        for first in range(0, len(newest), STATEMENTS_PER_CALL):
            store.write(newest[first : first + STATEMENTS_PER_CALL], store.clock() + 30)
    return sum(map(len, table.calls)) / len(events)


def targets(found: Statements) -> list[Target]:
    """What learning must save on a shop's day, and may cost where there is nothing to learn."""
    worst = max(ours / first for stream, (first, ours) in found.items() if stream != SHOP)
    return [
        Target("statements an event, a shop's day", found[SHOP][1], at_most=1.10),
        Target("the same over INSERT first, statuses that say nothing", worst, at_most=1.05),
    ]
