"""The archive under AWS's own runtime client: its log at DEBUG, and a DynamoDB that hangs."""

import json
import time
from pathlib import Path
from threading import Event

from tests.fakes.events import body, sqs_event
from tests.fakes.table import Table
from tests.handler.runtime import TOKEN, running

PAYLOAD = "payload-secret"
Answer = tuple[int, dict[str, str], bytes]


def answering(table: Table, request: bytes) -> Answer:
    return 200, {}, json.dumps(table.batch_execute_statement(**json.loads(request))).encode()


def failed(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_the_debug_log_holds_neither_payload_nor_token(tmp_path: Path) -> None:
    table = Table()
    table.items["O1"] = {"orderId": {"S": "O1"}, "itemName": {"S": PAYLOAD}, "version": {"S": "9999"}}
    with running(tmp_path, lambda _, request: answering(table, request)) as function:
        event = sqs_event(*(body(orderId=f"O{index}", itemName=PAYLOAD, note=PAYLOAD) for index in range(60)))
        assert failed(function.invoke(event)) == []
        output = function.output
    assert output.count('"message stored"') == 59
    assert output.count('"message superseded"') == 1
    assert PAYLOAD not in output
    assert TOKEN not in output
    assert {json.loads(line)["level"] for line in output.splitlines()} == {"DEBUG", "INFO"}


def test_a_dynamodb_that_hangs_costs_no_deadline_and_harms_no_later_invocation(tmp_path: Path) -> None:
    released = Event()
    released.set()
    table = Table()

    def hanging(_: str, request: bytes) -> Answer:
        released.wait(10)
        return answering(table, request)

    with running(tmp_path, hanging) as function:
        function.invoke(sqs_event(body(orderId="first")))
        released.clear()
        for count in (1, 60):
            started = time.monotonic()
            answer = function.invoke(sqs_event(*(body(orderId=f"O{index}") for index in range(count))), seconds=2)
            assert failed(answer) == [f"m{index}" for index in range(count)]
            assert time.monotonic() - started < 2
        released.set()
        assert failed(function.invoke(sqs_event(*(body(orderId=f"O{index}") for index in range(60))))) == []
    assert len(table.items) == 61
