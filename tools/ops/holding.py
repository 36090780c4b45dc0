"""Receives dead letters, and hides them from other readers for no longer than they are needed."""

import itertools
import time
from collections.abc import Callable, Collection, Iterable
from types import TracebackType
from typing import Any

from botocore.exceptions import ClientError

from tools import interrupts
from tools.ops.sending import BATCH
from tools.ops.stack import Stack

HOLD = 30
"""Seconds that received messages stay hidden, made longer as long as they are needed. Where a reader is killed they
show again after so long; one that is interrupted shows them at once."""
EXTENDED = 100
"""Messages per second that are hidden for longer, at least: so many more make the holds a second longer."""


def span(messages: int) -> int:
    """Seconds that so many messages are hidden at a time."""
    return max(HOLD, messages // EXTENDED)


class Held:
    """The messages that a block received: they are visible to others again when it ends, however it ends."""

    def __init__(self, stack: Stack, source: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._sqs, self._url, self._clock = stack.client("sqs"), stack.dead_letters[source].url, clock
        self._receipts: dict[str, tuple[str, float]] = {}
        self.seen: set[str] = set()
        """The ids of all messages that were received."""

    def __enter__(self) -> "Held":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with interrupts.held():
            self._hide([receipt for receipt, _ in self._receipts.values()], seconds=0)

    def receive(self, count: int, *, wait: int) -> list[dict[str, Any]]:
        """Messages that this block has not received before; none, too, where SQS lends no more of the queue."""
        self.extend()
        seconds = span(len(self._receipts))
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=count,
                WaitTimeSeconds=wait,
                VisibilityTimeout=seconds,
                MessageSystemAttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except ClientError as error:
            # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
            if error.response["Error"]["Code"].rpartition(".")[2] != "OverLimit":
                raise
            return []
        received = answer.get("Messages", [])
        fresh = [message for message in received if message["MessageId"] not in self.seen]
        for message in received:
            self._receipts.pop(message["MessageId"], None)
            self._receipts[message["MessageId"]] = (message["ReceiptHandle"], self._clock() + seconds)
            self.seen.add(message["MessageId"])
        return fresh

    def extend(self) -> None:
        """Hide for longer what is at half of its time."""
        now, seconds = self._clock(), span(len(self._receipts))
        # Who was held or extended first is due first: looking at all of them each time would take ever longer.
        held = itertools.takewhile(lambda each: each[1][1] - now < seconds / 2, self._receipts.items())
        due = [name for name, _ in held]
        self._hide([self._receipts[name][0] for name in due], seconds=seconds)
        for name in due:
            self._receipts[name] = (self._receipts.pop(name)[0], now + seconds)

    def forget(self, ids: Iterable[str]) -> None:
        """What is no longer in the queue."""
        for name in ids:
            self._receipts.pop(name, None)

    def _hide(self, receipts: Collection[str], *, seconds: int) -> None:
        """Hide messages for so many seconds from now; SQS refuses that of one which is visible again, or gone."""
        handles = list(receipts)
        for start in range(0, len(handles), BATCH):
            entries = [
                {"Id": str(position), "ReceiptHandle": receipt, "VisibilityTimeout": seconds}
                for position, receipt in enumerate(handles[start : start + BATCH])
            ]
            self._sqs.change_message_visibility_batch(QueueUrl=self._url, Entries=entries)
