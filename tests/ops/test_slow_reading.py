"""Large dead-letter queues: read with bounded memory, told when reading takes longer than messages stay hidden."""

import io
import json
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.ops.cloud import order
from tools.ops.arguments import Selection
from tools.ops.choosing import find, warn_of
from tools.ops.deadletters import Message, drain
from tools.ops.export import run
from tools.ops.sending import Pace
from tools.ops.stack import Stack
from tools.terminal import Printer


class SlowQueue:
    """SQS with a clock of its own: each receive takes `seconds`, and hidden messages show again in time."""

    def __init__(
        self, *, messages: int, seconds: float, body: Callable[[int], str] = lambda _: "{}", most: int = 120_000
    ) -> None:
        self._seconds, self._now, self._body, self._most = seconds, 0.0, body, most
        self.holds: set[int] = set()
        self._hidden_until = [0.0] * messages

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        shown = sum(until <= self._now for until in self._hidden_until)
        hidden = len(self._hidden_until) - shown
        names = [f"ApproximateNumberOfMessages{name}" for name in ("", "NotVisible", "Delayed")]
        return {"Attributes": dict(zip(names, map(str, (shown, hidden, 0)), strict=True))}

    def clock(self) -> float:
        return self._now

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self._now += self._seconds
        shown = [n for n, until in enumerate(self._hidden_until) if until <= self._now]
        if len(self._hidden_until) - len(shown) >= self._most:
            raise ClientError({"Error": {"Code": "OverLimit", "Message": "too many"}}, "ReceiveMessage")
        self.holds.add(request["VisibilityTimeout"])
        received = shown[: request["MaxNumberOfMessages"]]
        for number in received:
            self._hidden_until[number] = self._now + request["VisibilityTimeout"]
        return {"Messages": [{"MessageId": str(n), "Body": self._body(n), "ReceiptHandle": str(n)} for n in received]}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        for entry in request["Entries"]:
            self.holds.add(entry["VisibilityTimeout"])
            self._hidden_until[int(entry["ReceiptHandle"])] = self._now + entry["VisibilityTimeout"]
        return {}


def stack_of(queue: SlowQueue) -> Stack:
    names = ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl")
    outputs = {name: f"https://sqs/{name}" for name in names}
    return Stack(origin="a test", outputs=outputs, make_client=lambda _service: queue)


def test_a_queue_that_takes_long_to_read_is_read_to_its_end_and_never_hidden_for_long() -> None:
    queue = SlowQueue(messages=5000, seconds=0.5)
    found = find(stack_of(queue), Selection(sources=("queue",)), Printer(), clock=queue.clock)
    assert (len(found.letters), found.unseen, found.held) == (5000, 0, 0)
    assert max(queue.holds) == 50


def test_the_last_message_of_a_queue_that_takes_long_to_read_is_found_again() -> None:
    queue = SlowQueue(messages=3000, seconds=1)
    used: list[str] = []

    def use(messages: list[Message]) -> list[Message]:
        used.extend(message.letter.id for message in messages)
        return []

    drain(stack_of(queue), "queue", {"2999"}, use, pace=Pace(None), clock=queue.clock)
    assert used == ["2999"]


def test_more_than_sqs_lends_at_a_time_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    queue = SlowQueue(messages=500, seconds=0, most=120)
    found = find(stack_of(queue), Selection(sources=("queue",)), Printer(), clock=queue.clock)
    warn_of(found, Printer())
    assert (len(found.letters), found.unseen) == (120, 380)
    assert "about 380 messages were not read" in capsys.readouterr().err


def large(number: int) -> str:
    return json.dumps(order(orderId=f"O{number}", note="x" * 100_000))


def test_reading_and_exporting_keep_no_bodies_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    tracemalloc.start()
    try:
        peaks = []
        for messages in (50, 300):
            stack = stack_of(SlowQueue(messages=messages, seconds=0, body=large))
            tracemalloc.reset_peak()
            assert run(stack, Printer(out=io.StringIO()), file=str(file), source="queue") == 0
            peaks.append(tracemalloc.get_traced_memory()[1])
            assert file.stat().st_size > messages * 100_000
            file.unlink()
    finally:
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3_000_000  # of 25 MB more
