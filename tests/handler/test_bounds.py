"""What a sender can cost: bounded memory for any batch, time kept for the others, and no row from the future."""

import json
import subprocess
import sys
import tracemalloc
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from functions.process_order import orders
from functions.process_order.orders import AHEAD, MAX_ITEM_SIZE, Rejected, parse, version_at
from functions.process_order.store import Store
from tests.fakes.events import Context, body, run, sqs_event
from tests.fakes.table import Clock, Executing, Table, store_of
from tests.handler.peer import KEYS
from tests.handler.runtime import serving

MEGABYTES_OVER_IDLE = 150
DELIVERABLE = 5_900_000
"""Bytes of a batch, a little less than Lambda's 6 MB."""
EMOJI = "\U0001f4e6"
"""Makes every character of a text take four bytes of memory."""

MEASURE = """
import json, os, re, sys
out = os.dup(1)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
from process_order.lambda_function import lambda_handler
class Context:
    aws_request_id = "request-1"
    def get_remaining_time_in_millis(self):
        return 300_000
def status(name):
    return int(re.search(name + r":\\s+(\\d+)", open("/proc/self/status").read())[1]) / 1024
first, event = sys.stdin.readline(), sys.stdin
lambda_handler(json.loads(first), Context())
idle = status("VmRSS")
open("/proc/self/clear_refs", "w").write("5")
text = event.readline()  # held meanwhile, as Lambda's runtime does
answer = lambda_handler(json.loads(text), Context())
failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
os.write(out, json.dumps([status("VmHWM") - idle, failed]).encode())
"""


def filled(piece: str, size: int, count: int) -> list[str]:
    """Make orders of a size, each of them with a list that repeats a piece."""
    pieces = ",".join([piece] * (size // (len(piece) + 1) - 300 // len(piece)))
    texts = (body(orderId=f"{size}-{number}", note="?", pad="pad") for number in range(count))
    return [text.replace('"?"', f"[{pieces}]").replace("pad", EMOJI) for text in texts]


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux tells a process its peak of memory")
def test_no_batch_takes_more_than_150_megabytes() -> None:
    def superseding(_: str, request: bytes) -> tuple[int, dict[str, str], bytes]:
        code = "DuplicateItem" if b"INSERT" in request[:50] else "ConditionalCheckFailed"
        responses = [{"Error": {"Code": code, "Message": ""}}] * request.count(b'{"Statement":')
        return 200, {}, json.dumps({"Responses": responses}).encode()

    bodies = filled("null", 1_000_000, 3) + filled("0", 400_000, 2)
    too_large = filled("[" * 29 + "]" * 29, 780_000, 1) + filled('"\u0101"', 900_000, 1)
    assert 5_000_000 < sum(map(len, bodies + too_large)) < DELIVERABLE
    events = "\n".join(json.dumps(sqs_event(*texts), ensure_ascii=False) for texts in ([body()], bodies + too_large))
    with serving(superseding) as endpoint:
        done = subprocess.run(
            [sys.executable, "-c", MEASURE],
            cwd=Path(orders.__file__).parents[1],
            env={
                **KEYS,
                "AWS_ENDPOINT_URL": f"http://{endpoint}",
                "PYTHONIOENCODING": "utf-8",
                "TABLE_NAME": "Orders",
            },
            input=events,
            encoding="utf-8",
            capture_output=True,
            check=True,
            timeout=300,
        )
    over_idle, failed = json.loads(done.stdout)
    assert failed == ["m5", "m6"]
    assert over_idle < MEGABYTES_OVER_IDLE


def test_a_body_that_can_only_be_too_large_is_rejected_before_it_is_read() -> None:
    zeros = body(note="?").replace('"?"', f"[{','.join('0' * 450_000)}]")
    tracemalloc.start()
    try:
        with pytest.raises(Rejected, match="the item must be at most 409600 bytes large, got more"):
            parse(zeros)
        assert tracemalloc.get_traced_memory()[1] < 10_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("mark", [",", "[", "{", ",[{"])
def test_no_body_that_fits_is_rejected_for_its_marks(mark: str) -> None:
    room = MAX_ITEM_SIZE - len("".join(orders.COLUMNS)) - len("O1234U123Laptopnew") - 20 - 63 - 2 - 3 - 1 - len("note")
    text = (mark * room)[:room]
    assert parse(body(note=text) + " " * 1000)
    with pytest.raises(Rejected, match="409600 bytes"):
        parse(body(note=text + ","))


def test_messages_are_read_in_half_of_the_time_and_those_that_were_not_are_failed() -> None:
    class Ticking(Clock):
        def __call__(self) -> float:
            self.now += 0.1
            return self.now

    table, clock = Table(), Ticking()
    store = Store(Executing(table), "Orders", clock=clock, sleep=clock.sleep)
    bodies = [body(orderId=f"O{index}") for index in range(30)]
    result = run(sqs_event(*bodies), store, context=Context(milliseconds=4_506))  # 4 s but for the margin
    read = len(table.items)
    assert 18 <= read <= 20
    assert result.failed == [f"m{index}" for index in range(read, 30)]
    assert {line["reason"] for line in result.lines[:-1]} == {"the function had no time left to read it"}
    assert {line["level"] for line in result.lines[:-1]} == {"ERROR"}
    assert (result.summary["stored"], result.summary["failed"], result.summary["rejected"]) == (read, 30 - read, 0)


def ahead(hours: float, zone: float = 0) -> str:
    """Spell an instant that is so far ahead in a zone that is so far from Greenwich."""
    return (datetime.now(timezone(timedelta(hours=zone))) + timedelta(hours=hours)).isoformat()


def test_an_event_from_more_than_a_day_ahead_is_rejected_however_it_is_spelt_and_its_neighbours_are_stored() -> None:
    table = Table()
    times = [ahead(23.9), ahead(23, 12), ahead(24.1), ahead(25, -12), "9999-12-31T23:59:59Z"]
    bodies = [body(orderId=f"O{index}", timestamp=text) for index, text in enumerate(times)]
    result = run(sqs_event(*bodies), store_of(table))
    assert result.failed == ["m2", "m3", "m4"]
    assert set(table.items) == {"O0", "O1"}
    assert [(line["orderId"], line["reason"]) for line in result.lines[:-1]] == [(f"O{n}", AHEAD) for n in (2, 3, 4)]


def test_what_was_rejected_for_its_time_is_an_order_when_its_time_has_come() -> None:
    text = body(timestamp="2030-01-01T00:00:00Z")
    midnight = datetime(2030, 1, 1, tzinfo=UTC).timestamp()
    assert parse(text, version_at(midnight + 0.000001)).item["timestamp"] == {"S": "2030-01-01T00:00:00Z"}
    with pytest.raises(Rejected):
        parse(text, version_at(midnight - 0.000001))
