"""Log lines: the handler's, Lambda's and plain text, each told in a way a person can read."""

import json
import re
from typing import Any

import pytest

from tests.unit.test_terminal import Terminal, plain
from tools.ops import logs, tail
from tools.ops.failure import Failure
from tools.ops.logs import understand
from tools.ops.stack import Stack
from tools.terminal import Printer

SUMMARY = {"level": "INFO", "message": "batch processed", "records": 10, "stored": 8, "superseded": 0, "rejected": 2}
REJECTED = {"level": "WARN", "message": "message rejected", "orderId": "O1", "reason": "quantity must be ..."}


def text(fields: dict[str, Any]) -> str:
    return logs.spell(understand(1_000_000_123, json.dumps(fields)))


def test_the_handlers_lines_are_told_in_words() -> None:
    assert text({**SUMMARY, "failed": 0, "milliseconds": 12.5}) == (
        "13:46:40.123 INFO  10 records: 8 stored, 2 rejected in 12.5 ms"
    )
    assert text(REJECTED) == "13:46:40.123 WARN  message rejected · order O1 · quantity must be ..."


def test_a_crash_is_an_error_with_the_innermost_place_of_the_function() -> None:
    files = (("/var/task/a.py", 1), ("/var/task/b/c.py", 2), ("/var/lang/lib/python3.12/json/decoder.py", 3))
    frames = [f'  File "{file}", line {number}, in f\n' for file, number in files]
    crash = {"level": "ERROR", "errorType": "KeyError", "errorMessage": "'x'", "stackTrace": frames}
    line = understand(0, json.dumps(crash))
    assert line.text == "KeyError: 'x' (c.py:2)"
    assert len(logs.trace_of(line)) == 3
    assert logs.crashed(line)
    assert tail.wanted(line, level="ERROR")
    assert not logs.crashed(understand(0, json.dumps({**crash, "errorType": "Sandbox.Timedout"})))


@pytest.mark.parametrize(("status", "platform", "level"), [("success", True, "INFO"), ("timeout", False, "ERROR")])
def test_a_report_of_lambdas_matters_only_when_an_invocation_went_wrong(
    status: str, platform: bool, level: str
) -> None:
    record = {"status": status, "metrics": {"durationMs": 1000.0}}
    line = understand(0, json.dumps({"type": "platform.report", "record": record}))
    assert (line.platform, line.level, line.text) == (platform, level, f"platform.report: {status} after 1000.0 ms")


@pytest.mark.parametrize(
    "message",
    ["START RequestId: 1", "plain", "[" * 9000, '{"a": "\\ud800"}', "[1]", "null", '{"type": "platform.report"}', "{}"],
)
def test_any_message_can_be_told(message: str) -> None:
    assert logs.spell(understand(0, message)).startswith("00:00:00.000 ")


def test_a_text_of_several_lines_keeps_them_but_no_line_can_pass_for_another() -> None:
    shown = Terminal()
    tail.show(understand(0, "[ERROR] KeyError: 'x'\nTraceback:\n00:00:00.000 INFO  forged"), Printer(out=shown))
    lines = plain(shown)
    assert [line[:4].strip() for line in lines] == ["00:0", "", ""]
    assert lines[0].startswith("00:00:00.000 ERROR [ERROR] KeyError")


def test_totals_add_up_the_summaries() -> None:
    lines = [understand(0, json.dumps(fields)) for fields in (SUMMARY, REJECTED, {**SUMMARY, "failed": "x"})]
    assert logs.totals(lines) == {"batches": 2, "stored": 16, "superseded": 0, "rejected": 4, "failed": 0}


def test_a_value_that_could_change_a_filter_pattern_is_left_out_of_it() -> None:
    assert logs.mentioning("orderId", "O-1.a") == '{ $.orderId = "O-1.a" }'
    assert logs.mentioning("orderId", 'O" || $.x = "*') == ""


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, [SUMMARY, REJECTED]),
        ({"level": "WARN"}, [REJECTED]),
        ({"match": re.compile("8 stored")}, [SUMMARY]),
    ],
)
def test_tail_filters(options: dict[str, Any], shown: list[dict[str, Any]]) -> None:
    lines = [understand(0, json.dumps(fields)) for fields in (SUMMARY, REJECTED, {"type": "platform.start"})]
    assert [line.fields for line in lines if tail.wanted(line, **options)] == shown


class FullPages:
    """CloudWatch Logs as MiniStack answers: one page of the oldest 10,000 events, and no word of there being more."""

    def __init__(self, events: list[dict[str, Any]]) -> None:
        self._events = events

    def get_paginator(self, _operation: str) -> "FullPages":
        return self

    def paginate(self, *, startTime: int, **_: Any) -> list[dict[str, Any]]:  # noqa: N803 - the API's own name
        self.start = startTime
        return [{"events": [event for event in self._events if event["timestamp"] >= startTime][: logs.FULL_PAGE]}]


def log_of(*millis: int) -> Stack:
    lines = [{"logStreamName": "s", "timestamp": at, "message": f"line {n}"} for n, at in enumerate(millis)]
    outputs = {"logGroupName": "logs", "functionName": "f"}
    return Stack(origin="a test", outputs=outputs, make_client=lambda _service: FullPages(lines))


def test_a_log_of_more_than_one_full_page_is_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FULL_PAGE", 100)
    read = [line.text for _, line in logs.read(log_of(*range(250)), start=0)]
    assert read == [f"line {n}" for n in range(250)]


def test_a_millisecond_with_more_lines_than_can_be_read_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FULL_PAGE", 100)
    with pytest.raises(Failure, match="must hold fewer than 100 lines of one millisecond"):
        list(logs.read(log_of(*[7] * 101), start=7))


def test_a_burst_that_is_over_is_not_read_again() -> None:
    burst = logs.since(2 * logs.QUIET)
    stack = log_of(*range(burst, burst + 100))
    follower = logs.Follower(stack, start=burst)
    assert len(list(follower.new_lines())) == 100
    assert list(follower.new_lines()) == []
    assert stack.client("logs").start > burst + 100
