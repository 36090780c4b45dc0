"""The pipeline is drawn where the graph changes, and a drawing cannot end the block that it is in."""

import json
from typing import Any

from tests.review.stack import Stack, changed, orders, without
from tools.review.changes import State, state_of
from tools.review.picture import picture


def states(stack: Stack) -> list[State]:
    found = [state_of(document) for document in stack.values()]
    return [state for state in found if state is not None]


def drawn(before: Stack, after: Stack) -> str | None:
    return picture(states(before), states(after))


def test_a_graph_that_changes_is_drawn_as_it_will_be() -> None:
    text = drawn(orders(), without(orders(), "orders-wait-too-long"))
    assert text is not None
    assert 'OrderQueue[["OrderQueue<br/>SQS queue"]]' in text
    assert 'alarms["dead-letter-queue-not-empty<br/>alarm"]' in text


def test_a_graph_that_stays_is_not_drawn() -> None:
    assert drawn(orders(), changed(orders(), "ProcessOrder", timeout=60)) is None
    assert drawn(orders(), {}) is None


def redriving(receives: Any) -> Stack:
    return changed(orders(), "OrderQueue", redrivePolicy=json.dumps({"maxReceiveCount": receives}))


def test_a_label_that_could_end_the_block_leaves_the_picture_out() -> None:
    assert drawn({}, redriving(4)) is not None
    assert drawn({}, redriving("4\n```\n@octocat")) is None


def test_a_value_that_is_not_known_yet_leaves_the_picture_out() -> None:
    assert drawn({}, changed(orders(), "ProcessOrder-mapping", scalingConfig=None)) is None
