"""One invocation: which messages fail, what the log says, and that nothing of a message gets into it."""

import re
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.fakes.events import Context, body, orders, run, sqs_event, without
from tests.fakes.table import Statement, Table, store_of

SECRET = "payload-secret"


BAD = {
    "not JSON": "{" + SECRET,
    "missing": without("status"),
    "secret time": body(timestamp=SECRET),
    "lone surrogate": body(note="\ud800" + SECRET),
    "name twice": body()[:-1] + f', "{SECRET}": 1, "{SECRET}": 2}}',
    "too large": body(note=SECRET * 40_000),
    "no body": None,
    "body is an object": {"orderId": SECRET},
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_bad_input_fails_alone_with_a_reason_and_no_payload_or_attribute(bad: Any) -> None:
    table = Table()
    event = sqs_event(body(orderId="O0"), bad, body(orderId="O1"))
    for record in event["Records"]:  # what filters read is no part of an item
        record["messageAttributes"] = {"channel": {"stringValue": SECRET, "dataType": "String"}}
    result = run(event, store_of(table), level="DEBUG")
    assert result.failed == ["m1"]
    assert table.items == {order.order_id: order.item for order in orders(2)}
    [line] = [line for line in result.lines if line["message"] == "message rejected"]
    assert line["level"] == "WARN"
    assert line["messageId"] == "m1"
    assert 10 < len(line["reason"]) < 300
    assert SECRET not in result.output


@pytest.mark.parametrize("event", [{"Records": []}, {}, None, [], "x", {"Records": None}, {"Records": {"a": 1}}])
def test_an_event_without_messages_answers_no_failures(event: object) -> None:
    result = run(event, store_of(Table()))
    assert result.failed == []
    assert result.summary["records"] == 0
    told = [(line["level"], line["message"]) for line in result.lines[:-1]]
    asked = "the event must have a list of Records: is the function called by an SQS queue?"
    assert told == ([] if event == {"Records": []} else [("ERROR", asked)])


@pytest.mark.parametrize("record", [{}, {"body": "bad"}, {"messageId": None, "body": "bad"}, None, 5, "x", []])
def test_bad_messages_without_an_id_return_the_whole_batch_by_one_answer(record: object) -> None:
    table = Table()
    result = run({"Records": [{"messageId": "m0", "body": body()}, record, record]}, store_of(table))
    assert result.failed == [""]
    assert set(table.items) == {"O1234"}


def test_all_messages_of_an_order_fail_with_its_write() -> None:
    def before(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
        return {index: "AccessDenied" for index, each in enumerate(statements) if each["Parameters"][0]["S"] == "a"}

    bodies = [body(orderId="a"), body(orderId="b"), body(orderId="a", timestamp="2026-01-01T00:00:00Z"), "bad"]
    result = run(sqs_event(*bodies), store_of(Table(before=before)))
    assert result.failed == ["m0", "m2", "m3"]
    assert [(line["level"], line.get("orderId"), line["reason"]) for line in result.lines[:2]] == [
        ("ERROR", "a", "DynamoDB answered AccessDenied: it is AccessDenied")
    ] * 2


def test_the_newest_version_in_a_batch_is_written_once() -> None:
    table = Table()
    times = [f"2025-05-03T12:00:{second:02}Z" for second in (5, 30, 30, 1)]
    result = run(sqs_event(*(body(timestamp=time) for time in times)), store_of(table))
    assert len(table.calls) == 1
    assert table.items["O1234"]["timestamp"] == {"S": times[1]}
    assert (result.summary["stored"], result.summary["superseded"]) == (1, 3)
    assert result.lines == [result.summary]  # an older event and a duplicate are no ties


@pytest.mark.parametrize(("count", "milliseconds"), [(2, 500), (1000, 700)])
def test_no_time_left_but_to_answer_fails_every_message_and_starts_nothing(count: int, milliseconds: int) -> None:
    table, event = Table(), sqs_event(*[body()] * count)
    result = run(event, store_of(table), context=Context(milliseconds))
    assert result.failed == [f"m{index}" for index in range(count)]
    assert table.calls == []
    assert {line["reason"] for line in result.lines[:-1]} == {"the function had no time left to read it"}
    assert run(event, store_of(table), context=Context(milliseconds + 2)).failed == []


def test_the_summary_counts_every_record() -> None:
    def before(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
        time.sleep(0.02)
        return {index: "AccessDenied" for index, each in enumerate(statements) if each["Parameters"][0]["S"] == "f"}

    table = Table(before=before)
    store = store_of(table)
    run(sqs_event(body(orderId="old")), store)
    bodies = [body(orderId=order_id) for order_id in ("a", "b", "old", "f", "a")]
    started = datetime.now(UTC) - timedelta(milliseconds=1)
    summary = run(sqs_event(*bodies, "bad", ""), store).summary
    assert 20 <= summary.pop("milliseconds") <= 10_000
    timestamp = summary.pop("timestamp")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", timestamp)
    assert started < datetime.fromisoformat(timestamp) <= datetime.now(UTC)
    assert summary == {
        "level": "INFO",
        "message": "batch processed",
        "requestId": "request-1",
        "records": 7,
        "stored": 2,
        "superseded": 2,
        "rejected": 2,
        "failed": 1,
    }


@pytest.mark.parametrize(
    ("level", "lines"),
    [
        ("TRACE", ["DEBUG", "WARN", "INFO"]),
        ("DEBUG", ["DEBUG", "WARN", "INFO"]),
        ("INFO", ["WARN", "INFO"]),
        ("nonsense", ["WARN", "INFO"]),
        ("warn", ["WARN"]),
        ("ERROR", []),
        ("FATAL", []),
    ],
)
def test_the_log_level_chooses_the_lines(level: str, lines: list[str]) -> None:
    result = run(sqs_event(body(), "bad"), store_of(Table()), level=level)
    assert [line["level"] for line in result.lines] == lines


def test_an_order_id_cannot_forge_a_line_or_move_a_cursor() -> None:
    forged = '\n{"level": "INFO"}\r\x1b[2J\u2028\x85\U0001f4e6' + "x" * 400
    result = run(sqs_event(body(orderId=forged, quantity=0)), store_of(Table()))
    assert result.output.isascii()
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", result.output)
    assert result.output.count("\n") == 2
    assert result.lines[0]["orderId"] == forged[:128]
