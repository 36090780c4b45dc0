"""Batches: full but never too large, sent again until taken, at the rate that was asked for."""

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.table import Clock
from tools.ops.sending import ATTEMPTS, BATCH, BATCH_BYTES, Pace, Refused, batches, send


@given(st.lists(st.integers(0, BATCH_BYTES)))
def test_batches_keep_the_order_and_the_limits_of_a_request(sizes: list[int]) -> None:
    runs = list(batches(sizes))
    assert [position for run in runs for position in run] == list(range(len(sizes)))
    assert all(0 < len(run) <= BATCH and sum(sizes[p] for p in run) <= BATCH_BYTES for run in runs)


def test_small_messages_go_ten_at_a_time() -> None:
    assert [len(run) for run in batches([100] * 25)] == [10, 10, 5]


class Service:
    """A batch request that fails chosen entries so many times."""

    def __init__(self, failures: Mapping[str, int]) -> None:
        self.left = dict(failures)
        self.calls: list[list[str]] = []

    def __call__(self, entries: list[dict[str, Any]]) -> dict[str, Any]:
        self.calls.append([entry["Body"] for entry in entries])
        failed = [entry for entry in entries if self.left.get(entry["Body"], 0) > 0]
        for entry in failed:
            self.left[entry["Body"]] -= 1
        return {
            "Failed": [
                {"Id": entry["Id"], "Code": "InternalError", "Message": "later", "SenderFault": False}
                for entry in failed
            ]
        }


def test_only_the_refused_entries_are_sent_again() -> None:
    service, pauses = Service({"b": 2}), list[float]()
    assert send(service, [{"Body": body} for body in "abc"], sleep=pauses.append) == []
    assert service.calls == [["a", "b", "c"], ["b"], ["b"]]
    assert len(pauses) == 2


def test_an_entry_is_given_up_after_its_attempts() -> None:
    service = Service({"b": 99})
    refused = send(service, [{"Body": body} for body in "abc"], sleep=lambda _seconds: None)
    assert refused == [Refused(position=1, reason="InternalError: later")]
    assert len(service.calls) == ATTEMPTS


def test_a_pace_spreads_messages_evenly() -> None:
    clock = Clock()
    pace = Pace(5, clock=clock, sleep=clock.sleep)
    starts = []
    for _ in range(4):
        pace.wait(pace.at_once)
        starts.append(clock.now)
    assert starts == [0.0, 1.0, 2.0, 3.0]


def test_time_that_passed_unused_is_not_made_up_for() -> None:
    clock = Clock()
    pace = Pace(1, clock=clock, sleep=clock.sleep)
    clock.now = 100.0
    for _ in range(3):
        pace.wait(1)
    assert clock.now == 102.0
