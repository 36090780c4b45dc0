"""Rows that are not as the handler writes them, rows that come and go, and which statement an order gets first."""

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from functions.process_order.expectation import CERTAIN, START, STATUSES, Expectation
from functions.process_order.lambda_function import TIE
from functions.process_order.orders import parse
from functions.process_order.store import STORED, SUPERSEDED, Store
from tests.fakes.events import body, orders, run, sqs_event
from tests.fakes.table import Clock, Statement, Table, store_of


def verbs(table: Table, call: int = -1) -> list[str]:
    return [statement["Statement"][:6] for statement in table.calls[call]]


def taught(table: Table, clock: Clock | None = None) -> Store:
    """Make a store that has seen the status `paid` only on orders that exist."""
    store = store_of(table, clock)
    store.write(orders(10, 1000), 10)
    store.write(orders(10, 1000, status="paid", timestamp="2025-05-04T12:00:00Z"), 10)
    table.calls.clear()
    return store


@pytest.mark.parametrize("version", [{}, {"version": {"N": "5"}}, {"version": {"NULL": True}}])
@pytest.mark.parametrize("learned", [False, True])
def test_a_row_without_a_version_of_ours_is_replaced(version: dict[str, Any], learned: bool) -> None:
    table = Table()
    store = taught(table) if learned else store_of(table)
    table.items["O0"] = {"orderId": {"S": "O0"}, "status": {"S": "imported"}, **version}
    [order] = orders(1, status="paid")
    assert store.write([order], 10) == {"O0": STORED}
    assert table.items["O0"] == order.item


OLDER, NEWER = "2025-05-01T12:00:00Z", "2025-05-31T12:00:00Z"


@pytest.mark.parametrize("learned", [False, True])
@pytest.mark.parametrize("row", [None, OLDER, NEWER])
@pytest.mark.parametrize("other", [None, OLDER, NEWER])
@pytest.mark.parametrize("call", range(4))
def test_whoever_writes_or_deletes_the_row_between_two_statements_loses_no_order(
    learned: bool, row: str | None, other: str | None, call: int
) -> None:
    def put(timestamp: str | None) -> None:
        table.items.pop("O0", None)
        if timestamp:
            table.items["O0"] = parse(body(orderId="O0", timestamp=timestamp)).item

    table = Table()
    store = taught(table) if learned else store_of(table)
    right = table.batch_execute_statement

    def interfered(*, Statements: Sequence[Statement]) -> dict[str, Any]:  # noqa: N803
        if len(table.calls) == call:
            put(other)
        return right(Statements=Statements)

    table.batch_execute_statement = interfered  # type: ignore[method-assign]
    put(row)
    [order] = orders(1, status="paid")
    outcome = store.write([order], 10)["O0"]
    stored = table.items.get("O0", {}) == order.item
    assert outcome == (STORED if stored else SUPERSEDED)
    assert stored or NEWER in (row, other)
    assert len(table.calls) <= 3


@pytest.mark.parametrize("learned", [False, True])
def test_a_superseded_event_takes_three_statements_in_turn_and_no_pause(learned: bool) -> None:
    table, clock = Table(), Clock()
    store = taught(table, clock) if learned else store_of(table, clock)
    store_of(table).write(orders(5, 1000, timestamp="2025-05-05T12:00:00Z"), 10)
    table.calls.clear()
    assert set(store.write(orders(5, 1000, status="paid"), 10).values()) == {SUPERSEDED}
    first, second = ("UPDATE", "INSERT") if learned else ("INSERT", "UPDATE")
    assert [verbs(table, call) for call in range(len(table.calls))] == [[verb] * 5 for verb in (first, second, first)]
    assert not clock.pauses
    # None asks for the row back: no answer may grow with it.
    assert {name for call in table.calls for statement in call for name in statement} == {"Statement", "Parameters"}


def test_what_is_learned_is_bounded() -> None:
    expectation = Expectation()
    for number in range(3 * STATUSES):
        expectation.learn([(f"{number:09}" + "x" * 100_000, True, False)] * 5)
    known, unknown = (f"{number:09}" + "x" * 100_000 for number in (0, 3 * STATUSES - 1))
    assert expectation.exist([known, unknown]) == [True, False]
    assert sum(map(len, expectation._scores)) <= STATUSES * 64
    expectation.learn([(known, True, False)] * 1000)
    expectation.learn([(known, False, False)] * CERTAIN)
    assert expectation.exist([known]) == [False]


@pytest.mark.parametrize("run_length", [1, 30])
def test_no_stream_costs_more_than_a_twentieth_over_insert_first(run_length: int) -> None:
    # The worst there is: whatever is expected of the next orders, the other comes.
    expectation, random = Expectation(), Random(7)
    spent = insert_first = 0
    for number in range(20_000):
        [guess] = expectation.exist(["any"])
        existed = not guess if run_length == 1 else (number // run_length) % 2 == 0
        existed ^= random.random() < 0.02
        expectation.learn([("any", existed, guess and existed)])
        spent += 1 if guess == existed else 2
        insert_first += 2 if existed else 1
    assert spent <= insert_first * 1.05 + START


def test_a_tie_within_a_batch_is_told_at_info_with_the_reason() -> None:
    result = run(sqs_event(body(quantity=1), body(quantity=2), body(quantity=2)), store_of(Table()))
    assert [(line["level"], line["reason"]) for line in result.lines[:-1]] == [("INFO", TIE.reason)] * len(
        result.lines[:-1]
    )
    assert len(result.lines) in (2, 3)
    assert "send a correction with a newer timestamp" in TIE.reason
