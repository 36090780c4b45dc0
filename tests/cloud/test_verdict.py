"""The demo's verdict holds only if all of the traffic ended where it belongs."""

from collections.abc import Callable
from typing import Any

import pytest

from tools.cloud.demo import MUST_BE_EMPTY, verify
from tools.cloud.traffic import Traffic, make_traffic

TRAFFIC = make_traffic(20, seed=5)
KNOWN = 6
"""Attributes of the contract."""
VALID = len(TRAFFIC.bodies) - TRAFFIC.poison.total()
Ends = tuple[dict[str, dict[str, Any]], list[dict[str, Any]], dict[str, int]]
"""What the table holds, what the dead-letter queue holds, and what is left in each other queue."""


def good_ends(traffic: Traffic = TRAFFIC) -> Ends:
    stored = {order: dict(event) for order, event in traffic.newest.items()}
    return stored, [{"Body": body} for body in traffic.poison.elements()], dict.fromkeys(MUST_BE_EMPTY, 0)


def verdict(ends: Ends) -> list[bool]:
    return [check.held for check in verify(TRAFFIC, *ends, told=VALID)]


def test_the_right_end_of_all_traffic_holds_every_promise() -> None:
    assert verdict(good_ends()) == [True, True, True, True]


def older_version(ends: Ends) -> None:
    next(iter(ends[0].values()))["status"] = "an older one"


def lost_attribute(ends: Ends) -> None:
    next(event for event in ends[0].values() if len(event) > KNOWN).popitem()


@pytest.mark.parametrize(
    ("spoil", "expected"),
    [
        (lambda ends: ends[0].popitem(), [False, True, True, True]),
        (lambda ends: ends[0].update(STRANGER={"orderId": "STRANGER"}), [False, True, True, True]),
        (older_version, [False, True, True, True]),
        (lost_attribute, [False, True, True, True]),
        (lambda ends: ends[1].pop(), [True, False, True, True]),
        (lambda ends: ends[1].append(ends[1][0]), [True, False, True, True]),
        (lambda ends: ends[1].append({"Body": TRAFFIC.bodies[0]}), [True, False, True, True]),
        (lambda ends: ends[2].update(queueUrl=1), [True, True, False, True]),
        (lambda ends: ends[2].update(subscriptionDeadLetterQueueUrl=1), [True, True, False, True]),
    ],
    ids=[
        *("order lost", "order of nobody", "older version", "attribute lost"),
        *("poison lost", "poison twice", "good order dead", "left in the queue", "undelivered"),
    ],
)
def test_each_wrong_end_breaks_its_promise(spoil: Callable[[Ends], object], expected: list[bool]) -> None:
    ends = good_ends()
    spoil(ends)
    assert verdict(ends) == expected


def test_a_log_that_was_cut_breaks_the_promise_that_it_accounts_for_every_message() -> None:
    assert [check.held for check in verify(TRAFFIC, *good_ends(), told=VALID - 1)] == [True, True, True, False]
