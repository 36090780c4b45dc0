"""Reads the dead-letter queues, and empties them of chosen messages without losing one."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from functions.process_order.orders import Order, Rejected, parse
from tools.ops.sending import BATCH, Entry, Pace, Refused, batches, send
from tools.ops.stack import OWN, Stack
from tools.terminal import Advance

HOLD = 120
"""Seconds that a message stays hidden from others while it is read or moved; it shows again if this program dies."""
LONGEST_HOLD, SLOWEST = 43_200, 50
"""Seconds that SQS can hide a message, and messages per second that a large queue is read at, at least."""
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
    def order_id(self) -> str | None:
        return self.verdict.order_id

    @property
    def version(self) -> str:
        """Of the order that the function would store; empty if it would reject the message."""
        return self.verdict.version if isinstance(self.verdict, Order) else ""

    @property
    def reason(self) -> str:
        """Why the function rejects it; empty if it would accept it."""
        return str(self.verdict) if isinstance(self.verdict, Rejected) else ""

    @property
    def sent(self) -> float:
        """When it was first sent, in seconds since 1970; the move to a dead-letter queue does not change that."""
        return int(self.system.get("SentTimestamp", "0")) / 1000

    @property
    def why(self) -> str:
        """Why it is where it is, as far as it shows by itself; the function's log may know more."""
        if self.reason:
            return self.reason
        # https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
        told = self.attributes.get("ErrorMessage", {}).get("StringValue")
        if told or self.source == "topic":
            return "keeps the contract: SNS could not deliver it" + (f" ({told})" if told else "")
        return "keeps the contract: " + (
            "it was not stored, and the log says why" if self.source in OWN else "its consumer gave it up"
        )

    @property
    def letter(self) -> "Letter":
        return Letter(
            id=self.id,
            source=self.source,
            order_id=self.order_id,
            version=self.version,
            reason=self.reason,
            why=self.why,
            sent=self.sent,
            receives=int(self.system.get("ApproximateReceiveCount", "0")),
        )

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What is remembered of a message, without its body: a queue may hold more than memory does."""

    id: str
    source: str
    order_id: str | None
    version: str
    """Empty if the function would reject it."""
    reason: str
    why: str
    sent: float
    """Seconds since 1970."""
    receives: int


def read(stack: Stack, source: str, use: Callable[[list[Message]], object], *, limit: int | None = None) -> int:
    """Have a look at each message of a dead-letter queue that is visible now, and will be again; return how many.

    Reading hides each for as long as it takes and adds one to its receive count, which here has no consequence.
    """
    handles: dict[str, str] = {}
    expected = visible(stack, source)
    hold = min(LONGEST_HOLD, max(HOLD, expected // SLOWEST))
    empty = 0
    try:
        while (limit is None or len(handles) < limit) and empty < (EMPTY if len(handles) < expected else 1):
            # Long polls ask every server of the queue, but an empty one takes its whole second.
            received = _receive(stack, source, count=BATCH, wait=int(len(handles) < expected), hold=hold)
            fresh = [message for message in received if message.id not in handles]
            use(fresh if limit is None else fresh[: limit - len(handles)])
            empty = 0 if fresh else empty + 1
            handles |= {message.id: message.handle for message in received}
    finally:
        release(stack, source, handles.values())
    return len(handles) if limit is None else min(limit, len(handles))


def read_all(stack: Stack, sources: Iterable[str], *, limit: int | None = None) -> list[Message]:
    """The messages of several dead-letter queues, at most `limit` of each, oldest first."""
    messages: list[Message] = []
    for source in sources:
        read(stack, source, messages.extend, limit=limit)
    return sorted(messages, key=lambda message: message.sent)


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

    Messages that come meanwhile are not touched: what fails again and returns has a new id, and would go round
    forever. At every moment a message is in the dead-letter queue, or used, or both. Returns how many were deleted.
    """
    remaining, kept = set(wanted), dict[str, str]()
    deleted = empty = 0
    progress = clock()
    try:
        while remaining and empty < EMPTY and clock() - progress < hold:
            pace.wait()
            received = _receive(stack, source, count=pace.at_once, wait=1, hold=hold)
            empty = 0 if received else empty + 1
            ours = [message for message in received if message.id in remaining]
            kept |= {message.id: message.handle for message in received if message.id not in remaining}
            if not ours:
                continue
            done = use(ours)
            deleted += delete(stack, source, done)
            kept |= {message.id: message.handle for message in ours if message not in done}
            remaining -= {message.id for message in ours}
            pace.spend(len(ours))
            advance(len(ours))
            progress = clock()
    finally:
        release(stack, source, kept.values())
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


def release(stack: Stack, source: str, handles: Iterable[str]) -> None:
    """Make received messages, by their latest receipts, visible to others at once; those that already are stay so."""
    receipts = list(handles)
    for start in range(0, len(receipts), BATCH):
        stack.client("sqs").change_message_visibility_batch(
            QueueUrl=stack.dead_letters[source].url,
            Entries=[
                {"Id": str(position), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for position, receipt in enumerate(receipts[start : start + BATCH])
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
