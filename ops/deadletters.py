"""Reads the dead-letter queues, and empties them of chosen messages without losing one."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from functions.process_order.orders import Order, Rejected, parse
from ops.sending import BATCH, Entry, Pace, Refused, batches, send
from ops.stack import Stack
from terminal import Advance

HOLD = 120
"""Seconds that a message stays hidden from others while it is read or moved; it shows again if this program dies."""
EMPTY = 3
"""Receives without a message after which a queue counts as empty; SQS asks only some of its servers each time."""


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message in a dead-letter queue."""

    id: str
    source: str
    """What could not handle it: one of `Stack.dead_letters`."""
    body: str
    attributes: Mapping[str, Any]
    """What the producer attached, in the form of SQS."""
    system: Mapping[str, str]
    """What SQS knows of it: `SentTimestamp`, `ApproximateReceiveCount` and more."""
    handle: str
    """Receipt of the latest receive."""

    @cached_property
    def verdict(self) -> Order | Rejected:
        """What the function would make of it: its own contract decides."""
        try:
            return parse(self.body)
        except Rejected as rejected:
            return rejected

    @property
    def order(self) -> Order | None:
        return self.verdict if isinstance(self.verdict, Order) else None

    @property
    def order_id(self) -> str | None:
        return self.verdict.order_id

    @property
    def reason(self) -> str:
        """Why the function rejects it; empty if it would accept it."""
        return str(self.verdict) if isinstance(self.verdict, Rejected) else ""

    @property
    def age(self) -> float:
        """Seconds since it was first sent; the move to a dead-letter queue does not change that."""
        return time.time() - int(self.system.get("SentTimestamp", "0")) / 1000

    @property
    def receives(self) -> int:
        return int(self.system.get("ApproximateReceiveCount", "0"))

    def entry(self) -> Entry:
        """Itself as an entry of `SendMessageBatch`."""
        entry: Entry = {"MessageBody": self.body}
        if self.attributes:
            entry["MessageAttributes"] = dict(self.attributes)
        if "MessageGroupId" in self.system:
            entry["MessageGroupId"] = self.system["MessageGroupId"]
        if trace := self.system.get("AWSTraceHeader"):
            entry["MessageSystemAttributes"] = {"AWSTraceHeader": {"DataType": "String", "StringValue": trace}}
        return entry


def read(stack: Stack, source: str, *, limit: int, hold: int = HOLD) -> list[Message]:
    """The messages of a dead-letter queue that are visible now, oldest first, and visible again afterwards.

    Reading hides each for as long as it takes and adds one to its receive count, which here has no consequence.
    """
    found: dict[str, Message] = {}
    expected = visible(stack, source)
    empty = 0
    try:
        while len(found) < limit and empty < (EMPTY if len(found) < expected else 1):
            # Long polls ask every server of the queue, but an empty one takes its whole second.
            received = _receive(stack, source, count=BATCH, wait=int(len(found) < expected), hold=hold)
            fresh = [message for message in received if message.id not in found]
            empty = 0 if fresh else empty + 1
            found |= {message.id: message for message in received}
    finally:
        release(stack, source, list(found.values()))
    messages = sorted(found.values(), key=lambda message: message.system.get("SentTimestamp", ""))
    return messages[:limit]


def read_all(stack: Stack, sources: Collection[str], *, limit: int) -> list[Message]:
    """The messages of several dead-letter queues, at most `limit` of each."""
    return [message for source in sources for message in read(stack, source, limit=limit)]


def visible(stack: Stack, source: str) -> int:
    """About how many messages can be received."""
    answer = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.dead_letters[source].url, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


def drain(
    stack: Stack,
    source: str,
    wanted: Collection[str],
    use: Callable[[list[Message]], list[Message]],
    *,
    pace: Pace,
    hold: int = HOLD,
    advance: Advance = lambda _steps: None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Receive the messages with the wanted ids, use them, and only then delete those that `use` returns.

    Messages that come meanwhile are not touched: what fails again and returns has a new id, and would go round for
    ever. At every moment a message is in the dead-letter queue, or used, or both. Returns how many were deleted.
    """
    remaining, kept = set(wanted), dict[str, Message]()
    deleted = empty = 0
    progress = clock()
    try:
        while remaining and empty < EMPTY and clock() - progress < hold:
            pace.wait()
            received = _receive(stack, source, count=pace.at_once, wait=1, hold=hold)
            empty = 0 if received else empty + 1
            ours = [message for message in received if message.id in remaining]
            kept |= {message.id: message for message in received if message.id not in remaining}
            if not ours:
                continue
            done = use(ours)
            deleted += delete(stack, source, done)
            kept |= {message.id: message for message in ours if message not in done}
            remaining -= {message.id for message in ours}
            pace.spend(len(ours))
            advance(len(ours))
            progress = clock()
    finally:
        release(stack, source, list(kept.values()))
    return deleted


def delete(stack: Stack, source: str, messages: Sequence[Message]) -> int:
    """Delete received messages; return how many SQS confirmed."""
    sqs, url = stack.client("sqs"), stack.dead_letters[source].url
    if not messages:
        return 0
    refused = send(
        lambda entries: sqs.delete_message_batch(QueueUrl=url, Entries=entries),
        [{"ReceiptHandle": message.handle} for message in messages],
    )
    return len(messages) - len(refused)


def release(stack: Stack, source: str, messages: Sequence[Message]) -> None:
    """Make received messages visible to others at once; those that already are stay so."""
    for start in range(0, len(messages), BATCH):
        stack.client("sqs").change_message_visibility_batch(
            QueueUrl=stack.dead_letters[source].url,
            Entries=[
                {"Id": str(position), "ReceiptHandle": message.handle, "VisibilityTimeout": 0}
                for position, message in enumerate(messages[start : start + BATCH])
            ],
        )


def send_messages(stack: Stack, url: str, messages: Sequence[Message]) -> list[Refused]:
    """Send any number of messages to a queue; return those that it did not take."""
    sqs = stack.client("sqs")
    refused: list[Refused] = []
    for run in batches([len(message.body.encode()) for message in messages]):
        given_up = send(
            lambda entries: sqs.send_message_batch(QueueUrl=url, Entries=entries),
            [messages[position].entry() for position in run],
        )
        refused += [replace(refusal, position=run[refusal.position]) for refusal in given_up]
    return refused


def _receive(stack: Stack, source: str, *, count: int, wait: int, hold: int) -> list[Message]:
    answer = stack.client("sqs").receive_message(
        QueueUrl=stack.dead_letters[source].url,
        MaxNumberOfMessages=count,
        WaitTimeSeconds=wait,
        VisibilityTimeout=hold,
        MessageSystemAttributeNames=["All"],
        MessageAttributeNames=["All"],
    )
    return [
        Message(
            id=message["MessageId"],
            source=source,
            body=message["Body"],
            attributes=message.get("MessageAttributes", {}),
            system=message.get("Attributes", {}),
            handle=message["ReceiptHandle"],
        )
        for message in answer.get("Messages", [])
    ]
