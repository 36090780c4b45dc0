"""What is told of a dead-letter queue that takes longer to read than its messages stay hidden."""

from typing import Any

import pytest

from ops.arguments import Selection
from ops.choosing import chosen_of_all
from ops.stack import Stack


class SlowQueue:
    """SQS with a clock of its own: each receive takes `seconds`, and hidden messages show again in time."""

    def __init__(self, *, messages: int, seconds: float) -> None:
        self._seconds, self._now = seconds, 0.0
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
        return {"Messages": [{"MessageId": str(n), "Body": "{}", "ReceiptHandle": str(n)} for n in received]}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        for entry in request["Entries"]:
            self._hidden_until[int(entry["ReceiptHandle"])] = self._now
        return {}


@pytest.mark.parametrize(("seconds", "left_out"), [(0.1, 0), (0.5, 2600)])
def test_messages_that_reading_did_not_reach_are_counted(seconds: float, left_out: int) -> None:
    queue = SlowQueue(messages=5000, seconds=seconds)
    outputs = {
        "queueUrl": "https://sqs/orders",
        "deadLetterQueueUrl": "https://sqs/queue",
        "subscriptionDeadLetterQueueUrl": "https://sqs/topic",
    }
    stack = Stack(origin="a test", outputs=outputs, make_client=lambda _service: queue)
    messages, unseen = chosen_of_all(stack, Selection(sources=("queue",)))
    assert (len(messages), unseen) == (5000 - left_out, left_out)
