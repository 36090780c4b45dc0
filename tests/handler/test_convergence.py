"""The table depends on the set of events alone: not on their order, number, batches or failures."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import ReadTimeoutError
from hypothesis import given
from hypothesis import strategies as st

from functions.process_order.orders import parse
from tests.fakes.events import body, run, sqs_event
from tests.fakes.table import Clock, Statement, Table, client_error, store_of

events = st.builds(
    body,
    orderId=st.sampled_from(["a", "b", "c"]),
    status=st.sampled_from(["new", "paid"]),
    quantity=st.sampled_from([1, 2]),
    timestamp=st.sampled_from(
        [
            "2025-05-03T12:00:00Z",
            "2025-05-03T14:00:00+02:00",
            "2025-05-03T12:00:00.000001Z",
            "2025-05-03T12:00:00.000000001Z",
            "2025-05-03T13:00:00+02:00",
            "2024-12-31T23:59:59Z",
        ]
    ),
    note=st.sampled_from([None, 1, {"a": [1]}]),
)
codes = st.sampled_from(["", "", "", "ThrottlingError", "InternalServerError", "AccessDenied", "ValidationError"])
whole_calls = st.sampled_from(
    [
        None,
        None,
        client_error("ThrottlingException"),
        client_error("AccessDeniedException"),
        client_error("ValidationException"),
        client_error("InternalServerError", status=500),
        ReadTimeoutError(endpoint_url="https://dynamodb"),
    ]
)


def fold(bodies: Sequence[str]) -> dict[str, Any]:
    """Keep the newest event of each order: what the table must hold."""
    newest = {}
    for order in sorted(map(parse, bodies), key=lambda order: order.version):
        newest[order.order_id] = order.item
    return newest


Fault = tuple[Exception | None, list[str], bool]
faults = st.lists(st.tuples(whole_calls, st.lists(codes, max_size=6), st.booleans()), max_size=10)


def faulty_table(plan: Sequence[Fault]) -> Table:
    """Make a table whose first calls fail as planned: the whole call, some statements, or only the answer."""

    def before(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
        error, failing, _ = plan[call] if call < len(plan) else (None, [], False)
        if error:
            raise error
        return {index: code for index, code in enumerate(failing[: len(statements)]) if code}

    def after(call: int, statements: Sequence[Statement]) -> None:
        if call < len(plan) and plan[call][2]:
            raise ReadTimeoutError(endpoint_url="https://dynamodb")

    return Table(before=before, after=after)


@given(st.lists(events, max_size=12), faults, st.data())
def test_the_table_converges_to_the_newest_events(multiset: list[str], plan: list[Fault], data: st.DataObject) -> None:
    table = faulty_table(plan)
    clock = Clock()
    repeats = data.draw(st.lists(st.sampled_from(multiset), max_size=6)) if multiset else []
    waiting = data.draw(st.permutations(multiset + repeats))
    while waiting:
        size = data.draw(st.integers(1, len(waiting)))
        batch, waiting = waiting[:size], waiting[size:]
        failed = run(sqs_event(*batch), store_of(table, clock)).failed
        again = [batch[int(message_id[1:])] for message_id in failed]
        waiting = data.draw(st.permutations(waiting + again))
    assert table.items == fold(multiset)
