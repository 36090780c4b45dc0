"""Large dead-letter queues: read with bounded memory, told when reading takes longer than messages stay hidden."""

import io
import json
import tracemalloc
from pathlib import Path

import pytest

from tests.ops.cloud import order
from tests.ops.queues import Queue, stack_of
from tools.ops.arguments import Selection
from tools.ops.choosing import find, warn_of
from tools.ops.deadletters import Message, drain
from tools.ops.export import run
from tools.ops.sending import Pace
from tools.terminal import Printer


def test_a_queue_that_takes_long_to_read_is_read_to_its_end_and_never_hidden_for_long() -> None:
    queue = Queue(messages=3200, seconds=0.5)
    found = find(stack_of(queue), Selection(sources=("queue",)), Printer(), clock=queue.clock)
    assert (len(found.letters), found.unseen, found.held) == (3200, 0, 0)
    assert max(queue.holds) == 32


def test_the_last_message_of_a_queue_that_takes_long_to_read_is_found_again() -> None:
    queue = Queue(messages=3000, seconds=1)
    used: list[str] = []

    def use(messages: list[Message]) -> list[Message]:
        used.extend(message.letter.id for message in messages)
        return []

    drain(stack_of(queue), "queue", {"2999"}, use, pace=Pace(None), clock=queue.clock)
    assert used == ["2999"]


def test_more_than_sqs_lends_at_a_time_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    queue = Queue(messages=500, most=120)
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
        for messages in (20, 120):
            stack = stack_of(Queue(messages=messages, body=large))
            tracemalloc.reset_peak()
            assert run(stack, Printer(out=io.StringIO()), file=str(file), source="queue") == 0
            peaks.append(tracemalloc.get_traced_memory()[1])
            assert file.stat().st_size > messages * 100_000
            file.unlink()
    finally:
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 3_000_000  # of 10 MB more
