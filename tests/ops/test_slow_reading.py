"""Large dead-letter queues: read with bounded memory, told when reading takes longer than messages stay hidden."""

import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ops.cloud import order
from tests.unit.test_terminal import Terminal, plain
from tools.ops.arguments import Selection
from tools.ops.choosing import find
from tools.ops.export import run
from tools.ops.stack import Stack
from tools.terminal import Printer


class SlowQueue:
    """SQS with a clock of its own: each receive takes `seconds`, and hidden messages show again in time."""

    def __init__(self, *, messages: int, seconds: float, body: Callable[[int], str] = lambda _number: "{}") -> None:
        self._seconds, self._now, self._body = seconds, 0.0, body
        self._hidden_until = [0.0] * messages

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        shown = sum(until <= self._now for until in self._hidden_until)
        return {"Attributes": {"ApproximateNumberOfMessages": str(shown)}}

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self._now += self._seconds
        shown = [n for n, until in enumerate(self._hidden_until) if until <= self._now]
        received = shown[: request["MaxNumberOfMessages"]]
        for number in received:
            self._hidden_until[number] = self._now + request["VisibilityTimeout"]
        return {"Messages": [{"MessageId": str(n), "Body": self._body(n), "ReceiptHandle": str(n)} for n in received]}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        for entry in request["Entries"]:
            self._hidden_until[int(entry["ReceiptHandle"])] = self._now
        return {}


def stack_of(queue: SlowQueue) -> Stack:
    names = ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl")
    outputs = {name: f"https://sqs/{name}" for name in names}
    return Stack(origin="a test", outputs=outputs, make_client=lambda _service: queue)


@pytest.mark.parametrize(("seconds", "left_out"), [(0.1, 0), (0.5, 2600)])
def test_messages_that_reading_did_not_reach_are_counted(seconds: float, left_out: int) -> None:
    queue = SlowQueue(messages=5000, seconds=seconds)
    found = find(stack_of(queue), Selection(sources=("queue",)), Printer())
    assert (len(found.letters), found.unseen) == (5000 - left_out, left_out)


def large(number: int) -> str:
    return json.dumps(order(orderId=f"O{number}", note="x" * 100_000))


def test_reading_and_exporting_keep_no_bodies_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    tracemalloc.start()
    try:
        peaks = []
        for messages in (100, 1000):
            stack = stack_of(SlowQueue(messages=messages, seconds=0, body=large))
            tracemalloc.reset_peak()
            assert run(stack, Printer(out=io.StringIO()), file=str(file), source="queue") == 0
            peaks.append(tracemalloc.get_traced_memory()[1])
            assert file.stat().st_size > messages * 100_000
            file.unlink()
    finally:
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3_000_000  # of 90 MB more


def test_a_bar_counts_what_has_been_read() -> None:
    errors = Terminal()
    find(stack_of(SlowQueue(messages=25, seconds=0)), Selection(sources=("queue",)), Printer(errors=errors))
    assert "25/25" in " ".join(plain(errors))
