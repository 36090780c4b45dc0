"""Rows that are not as the handler writes them, rows that come and go, and which statement an order gets first."""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

import pytest

from functions.process_order.expectation import START, STATUSES, Expectation
from functions.process_order.orders import Order, parse
from functions.process_order.store import STORED, SUPERSEDED, TIE, Store
from tests.fakes.events import body, run, sqs_event
from tests.fakes.table import Clock, Statement, Table, executing, store_of


def orders(count: int, start: int = 0, **changes: Any) -> list[Order]:
    return [parse(body(orderId=f"O{index}", **changes)) for index in range(start, start + count)]


def verbs(table: Table, call: int = -1) -> list[str]:
    return [statement["Statement"][:6] for statement in table.calls[call]]


def taught(table: Table) -> Store:
    """Make a store that has seen the status `paid` only on orders that exist."""
    store = store_of(table)
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


@pytest.mark.parametrize("learned", [False, True])
def test_a_row_deleted_between_the_statements_loses_no_order(learned: bool) -> None:
    def before(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
        if statements[0]["Statement"].startswith("UPDATE"):
            table.items.pop("O0", None)
        return {}

    table = Table(before=before)
    table.items["O0"] = {"orderId": {"S": "O0"}}
    store = store_of(table)
    if learned:
        store.write(orders(10, 1000), 10)
        store.write(orders(10, 1000, status="paid", timestamp="2025-05-04T12:00:00Z"), 10)
    [order] = orders(1, status="paid")
    assert store.write([order], 10) == {"O0": STORED}
    assert table.items["O0"] == order.item


def test_a_row_that_keeps_coming_and_going_is_left_alone_for_a_while_and_fails_at_the_deadline() -> None:
    class Flickering(Table):
        def batch_execute_statement(self, *, Statements: Sequence[Statement]) -> dict[str, Any]:  # noqa: N803
            self.items.clear()
            if Statements[0]["Statement"].startswith("INSERT"):
                self.items["O0"] = {"orderId": {"S": "O0"}}
            return super().batch_execute_statement(Statements=Statements)

    clock = Clock()
    table = Flickering()
    assert store_of(table, clock).write(orders(1), 10)["O0"].kind == "failed"
    assert len(clock.pauses) > 5
    assert len(table.calls) < 20


def test_an_event_of_an_order_that_exists_takes_one_statement_once_its_status_is_known() -> None:
    table = Table()
    store = taught(table)
    later = orders(10, 1000, status="paid", timestamp="2025-05-05T12:00:00Z")
    assert set(store.write(later, 10).values()) == {STORED}
    assert set(store.write(later, 10).values()) == {SUPERSEDED}
    assert set(store.write(orders(10, 1000, status="paid"), 10).values()) == {SUPERSEDED}
    assert [verbs(table, call) for call in range(len(table.calls))] == [["UPDATE"] * 10] * 3


def test_a_wrong_guess_costs_one_more_statement_and_no_order() -> None:
    table = Table()
    store = taught(table)
    assert set(store.write(orders(3, status="paid"), 10).values()) == {STORED}
    assert [verbs(table, 0), verbs(table, 1)] == [["UPDATE"] * 3, ["INSERT"] * 3]
    assert store.write(orders(1, 90, status="new"), 10) == {"O90": STORED}
    assert verbs(table) == ["INSERT"]


def test_each_order_teaches_once_what_was_expected_of_it_and_what_it_was() -> None:
    taught: list[tuple[bool, bool]] = []

    class Recording(Expectation):
        def learn(self, status: str, *, guess: bool, existed: bool) -> None:
            taught.append((guess, existed))
            super().learn(status, guess=guess, existed=existed)

    store = Store(executing(Table()), "Orders", expectation=Recording())
    for day in range(1, 6):
        store.write(orders(1, status="any", timestamp=f"2025-05-0{day}T12:00:00Z"), store.clock() + 10)
    store.write(orders(1, 50, status="any"), store.clock() + 10)
    assert taught == [(False, False), *[(False, True)] * 4, (True, False)]
    taught.clear()
    for day in (6, 7):
        store.write(orders(1, status="any", timestamp=f"2025-05-0{day}T12:00:00Z"), store.clock() + 10)
    assert taught == [(False, True), (True, True)]


def test_what_is_learned_is_bounded() -> None:
    expectation = Expectation()
    for number in range(3 * STATUSES):
        for _ in range(5):
            expectation.learn(f"{number:09}" + "x" * 100_000, guess=False, existed=True)
    assert expectation.exists("000000000" + "x" * 100_000)
    assert not expectation.exists(f"{3 * STATUSES - 1:09}" + "x" * 100_000)
    assert sum(map(len, expectation._scores)) <= STATUSES * 64


@pytest.mark.parametrize("run_length", [1, 3, 30, 300])
def test_no_stream_costs_more_than_a_twentieth_over_insert_first(run_length: int) -> None:
    # The worst there is: whatever is expected of the next orders, the other comes.
    expectation, random = Expectation(), Random(7)
    spent = insert_first = 0
    for number in range(20_000):
        guess = expectation.exists("any")
        existed = not guess if run_length == 1 else (number // run_length) % 2 == 0
        existed ^= random.random() < 0.02
        expectation.learn("any", guess=guess, existed=existed)
        spent += 1 if guess == existed else 2
        insert_first += 2 if existed else 1
    assert spent <= insert_first * 1.05 + START


def test_a_lost_tie_is_told_at_info_with_the_reason() -> None:
    table = Table()
    one, two = sorted((body(quantity=quantity) for quantity in (1, 2)), key=lambda text: parse(text).version)
    assert run(sqs_event(two), store_of(table)).lines[:-1] == []
    [line, _] = run(sqs_event(one), store_of(table)).lines
    assert (line["level"], line["message"], line["reason"]) == ("INFO", "message superseded", TIE.reason)
    assert "send a correction with a newer timestamp" in line["reason"]
    assert run(sqs_event(two), store_of(table)).lines[:-1] == []  # the same event once more is no tie
    older = body(timestamp="2025-05-01T12:00:00Z")
    assert run(sqs_event(older), store_of(table)).lines[:-1] == []


def test_a_tie_within_a_batch_is_told_too() -> None:
    result = run(sqs_event(body(quantity=1), body(quantity=2), body(quantity=2)), store_of(Table()))
    assert [(line["level"], line["reason"]) for line in result.lines[:-1]] == [("INFO", TIE.reason)] * len(
        result.lines[:-1]
    )
    assert len(result.lines) in (2, 3)
