"""SQS in memory, with one dead-letter queue and a clock of its own."""

import math
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tools.ops.stack import Stack


class Queue:
    """Each receive takes `seconds`, and hidden messages, which are numbered, show again in time."""

    def __init__(
        self, *, messages: int, seconds: float = 0, body: Callable[[int], str] = lambda _: "{}", most: int = 120_000
    ) -> None:
        self._seconds, self._now, self._body, self._most = seconds, 0.0, body, most
        self._hidden_until = [0.0] * messages
        self.holds: set[int] = set()
        """For how long messages were hidden."""
        self.sent: list[str] = []
        self.log: list[str] = []
        self.refused = ""
        """The body that cannot be sent."""

    @property
    def visible(self) -> list[int]:
        return [number for number, until in enumerate(self._hidden_until) if until <= self._now]

    @property
    def hidden(self) -> int:
        return sum(self._now < until < math.inf for until in self._hidden_until)

    def add(self) -> None:
        self._hidden_until.append(0.0)

    def clock(self) -> float:
        return self._now

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        names = [f"ApproximateNumberOfMessages{name}" for name in ("", "NotVisible", "Delayed")]
        return {"Attributes": dict(zip(names, map(str, (len(self.visible), self.hidden, 0)), strict=True))}

    def receive_message(self, **request: Any) -> dict[str, Any]:
        self._now += self._seconds
        if self.hidden >= self._most:
            raise ClientError({"Error": {"Code": "OverLimit", "Message": "too many"}}, "ReceiveMessage")
        self.holds.add(request["VisibilityTimeout"])
        received = self.visible[: request["MaxNumberOfMessages"]]
        for number in received:
            self._hidden_until[number] = self._now + request["VisibilityTimeout"]
        return {"Messages": [{"MessageId": str(n), "Body": self._body(n), "ReceiptHandle": str(n)} for n in received]}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        for entry in request["Entries"]:
            self.holds.add(entry["VisibilityTimeout"])
            self._hidden_until[int(entry["ReceiptHandle"])] = self._now + entry["VisibilityTimeout"]
        return {}

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        self.log.append(f"send {len(request['Entries'])}")
        failed = [entry["Id"] for entry in request["Entries"] if entry["MessageBody"] == self.refused]
        self.sent += [entry["MessageBody"] for entry in request["Entries"] if entry["Id"] not in failed]
        return {"Failed": [{"Id": i, "Code": "TooLong", "Message": "too long", "SenderFault": True} for i in failed]}

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        self.log.append(f"delete {len(request['Entries'])}")
        for entry in request["Entries"]:
            self._hidden_until[int(entry["ReceiptHandle"])] = math.inf
        return {}


def stack_of(queue: Queue) -> Stack:
    names = ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl")
    outputs = {name: f"https://sqs/{name}" for name in names}
    return Stack(origin="a test", outputs=outputs, make_client=lambda _service: queue)
