"""The store: what it sends, what it sends again, and when it gives up."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

from functions.process_order.expectation import Expectation
from functions.process_order.orders import parse
from functions.process_order.store import STORED, UNCONFIRMED, Outcome, Store
from tests.fakes.events import body, orders
from tests.fakes.table import Clock, Executing, Statement, Table, client_error, store_of

TIMEOUT = ReadTimeoutError(endpoint_url="https://dynamodb")
STATEMENTS = (
    *("ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"),
    *("InternalServerError", "TransactionConflict"),
)
"""Errors of one statement, and below of a whole call, that pass."""
WHOLE_CALLS = (
    *("ThrottlingException", "ProvisionedThroughputExceededException", "UnrecognizedClientException"),
    *("ReplicatedWriteConflictException", "TransactionConflictException"),
)


def ids(call: Sequence[Statement]) -> set[str]:
    """Tell which orders a call wrote; the id is the first parameter of an INSERT and the last but one of an UPDATE."""
    return {
        statement["Parameters"][0 if statement["Statement"].startswith("INSERT") else -2]["S"] for statement in call
    }


def test_values_are_parameters_and_never_part_of_a_statement() -> None:
    hostile = 'x\' , \'y"; DELETE FROM "Orders" WHERE "orderId" = ? --'
    table = Table()
    for day in (1, 2):
        names = dict.fromkeys(("orderId", "userId", "itemName", "status", hostile), hostile)
        store_of(table).write([parse(body(**names, timestamp=f"2025-05-0{day}T12:00:00Z"))], 10)
    [[insert], [_], [update]] = table.calls
    assert insert["Statement"] == (
        "INSERT INTO \"Orders\" VALUE {'orderId': ?, 'userId': ?, 'itemName': ?, 'quantity': ?, 'status': ?,"
        " 'timestamp': ?, 'extra': ?, 'version': ?}"
    )
    assert update["Statement"] == (
        'UPDATE "Orders" SET "userId" = ? SET "itemName" = ? SET "quantity" = ? SET "status" = ? SET "timestamp" = ?'
        ' SET "extra" = ? SET "version" = ? WHERE "orderId" = ? AND NOT "version" >= ?'
    )
    assert table.items[hostile]["extra"] == {"M": {hostile: {"S": hostile}}}


@pytest.mark.parametrize("name", ["", "ab", 'Orders" --', "Orders\n", "x" * 256, "arn:aws:dynamodb"])
def test_a_table_name_is_checked_before_it_enters_a_statement(name: str) -> None:
    with pytest.raises(ValueError, match="TABLE_NAME must name the function's table"):
        Store(Executing(Table()), name)


@pytest.mark.parametrize("code", STATEMENTS)
def test_only_the_statements_that_failed_for_a_while_are_sent_again(code: str) -> None:
    def before(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
        return {2: code, 4: code} if call == 0 else {1: code} if call == 1 else {}

    table = Table(before=before)
    clock = Clock()
    written = store_of(table, clock).write(orders(6), 10)
    assert set(written.values()) == {STORED}
    assert [ids(call) for call in table.calls[1:]] == [{"O2", "O4"}, {"O4"}]
    assert clock.pauses == pytest.approx([0.05, 0.1])


@pytest.mark.parametrize(
    "error",
    [
        *(client_error(code) for code in WHOLE_CALLS),
        *(client_error(code, status=int(code)) for code in ("500", "502")),
        client_error("ServiceUnavailable", status=503),
        EndpointConnectionError(endpoint_url="https://dynamodb"),
        TIMEOUT,
    ],
    ids=lambda error: f"{type(error).__name__} {error}"[:60],
)
def test_a_call_that_failed_for_a_while_is_sent_again(error: Exception) -> None:
    def before(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
        if call < 3:
            raise error
        return {}

    table = Table(before=before)
    assert set(store_of(table).write(orders(3), 10).values()) == {STORED}
    assert len(table.calls) == 4


def test_pauses_double_up_to_a_bound_and_end_before_the_deadline() -> None:
    clock = Clock()
    table = Table(before=lambda call, statements: {0: "ThrottlingError"})
    written = store_of(table, clock).write(orders(1), 10)
    assert clock.pauses == pytest.approx([0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0, 2.0])
    assert clock.now < 10
    assert written == {"O0": Outcome("failed", "DynamoDB answered ThrottlingError: it is ThrottlingError")}


def test_a_statement_that_cannot_succeed_fails_at_once_and_alone() -> None:
    table = Table(before=lambda call, statements: {1: "NewCode"})
    written = store_of(table).write(orders(3), 10)
    assert written == {"O0": STORED, "O1": Outcome("failed", "DynamoDB answered NewCode: it is NewCode"), "O2": STORED}
    assert len(table.calls) == 1


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (
            client_error("AccessDeniedException", message="no x on y"),
            "DynamoDB answered AccessDeniedException: no x on y",
        ),
        (KeyError("payload"), "the call to DynamoDB failed with KeyError"),
    ],
)
def test_a_call_that_cannot_succeed_fails_at_once(error: Exception, reason: str) -> None:
    def before(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
        raise error

    table = Table(before=before)
    assert store_of(table).write(orders(2), 10) == dict.fromkeys(("O0", "O1"), Outcome("failed", reason))
    assert len(table.calls) == 1


@pytest.mark.parametrize("code", ["ValidationException", "SerializationException"])
def test_what_dynamodb_says_about_a_value_is_not_repeated(code: str) -> None:
    def before(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
        raise client_error(code, message="the value SECRET is bad")

    assert store_of(Table(before=before)).write(orders(1), 10) == {"O0": Outcome("failed", f"DynamoDB answered {code}")}
    assert store_of(Table(before=lambda call, statements: {0: "ValidationError"})).write(orders(1), 10) == {
        "O0": Outcome("failed", "DynamoDB answered ValidationError")
    }


def test_one_statement_that_fails_its_whole_call_fails_alone() -> None:
    def before(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
        if "O7" in ids(statements):
            raise client_error("ValidationException")
        return {}

    table = Table(before=before)
    written = store_of(table).write(orders(25), 10)
    assert [order_id for order_id, outcome in written.items() if outcome != STORED] == ["O7"]
    assert len(table.calls) < 12


def test_a_mistake_of_ours_fails_its_orders_and_no_later_batch() -> None:
    class Odd(Expectation):
        mistaken = True

        def exist(self, statuses: Sequence[str]) -> Sequence[bool]:
            return [1 // 0 > 0] if self.mistaken else super().exist(statuses)

    odd = Odd()
    store = Store(Executing(Table()), "Orders", expectation=odd)
    written = store.write(orders(30), store.clock() + 5)
    assert set(written.values()) == {Outcome("failed", "writing failed with ZeroDivisionError")}
    odd.mistaken = False
    assert set(store.write(orders(60), store.clock() + 5).values()) == {STORED}


def test_nothing_is_sent_once_time_is_up() -> None:
    table, clock = Table(), Clock()
    clock.now = 5
    assert store_of(table, clock).write(orders(30), 3) == {f"O{index}": UNCONFIRMED for index in range(30)}
    assert not table.calls


def test_a_call_that_is_slow_to_start_leaves_less_time_to_those_after_it() -> None:
    told, clock = [], Clock()

    class Slow(Executing):
        def start(self, key: Any, body: bytes, seconds: float) -> None:
            told.append(seconds)
            clock.now += 1
            super().start(key, body, seconds)

    Store(Slow(Table()), "Orders", clock=clock).write(orders(60), 10)
    assert told == [10, 9, 8]


def test_a_call_has_25_statements_and_a_megabyte_of_values_at_most_or_one_order() -> None:
    sizes: list[tuple[int, int]] = []

    class Sized(Executing):
        def start(self, key: Any, body: bytes, seconds: float) -> None:
            sizes.append((len(json.loads(body)["Statements"]), len(body)))
            super().start(key, body, seconds)

    table = Table()
    store = Store(Sized(table), "Orders")
    many = [
        parse(body(orderId=f"O{index}", note="x" * length, flags=[True] * flags))
        for index, (length, flags) in enumerate([(300_000, 0)] * 7 + [(1, 150_000)] + [(1, 0)] * 60)
    ]
    assert set(store.write(many, store.clock() + 10).values()) == {STORED}
    assert sum(count for count, _ in sizes) == len(table.items) == 68
    assert all(count <= 25 and (size < 1_020_000 or count == 1) for count, size in sizes)
    assert max(size for _, size in sizes) > 2_000_000
