"""Reads the dead-letter queues, and empties them of chosen messages without losing one."""

import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from functions.process_order import orders
from tools.ops.holding import Held, depth
from tools.ops.sending import BATCH, Entry, Pace, Refused, batches, send
from tools.ops.stack import OWN, Stack
from tools.terminal import Advance

ADDED_BY_SNS = frozenset({"RequestID", "ErrorCode", "ErrorMessage"})
"""Attributes of a message that SNS could not deliver. On any other message they are the sender's own.
https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html"""
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
    def verdict(self) -> orders.Order | orders.Rejected:
        """What the function would make of it: its own contract decides."""
        try:
            return orders.parse(self.body)
        except orders.Rejected as rejected:
            return rejected

    @property
    def order_id(self) -> str | None:
        return self.verdict.order_id

    @property
    def version(self) -> str:
        """Of the order that the function would store; empty if it would reject the message."""
        return self.verdict.version if isinstance(self.verdict, orders.Order) else ""

    @property
    def reason(self) -> str:
        """Why the function rejects it; empty if it would accept it."""
        return str(self.verdict) if isinstance(self.verdict, orders.Rejected) else ""

    @property
    def sent(self) -> float:
        """When it was first sent, in seconds since 1970; the move to a dead-letter queue does not change that."""
        return int(self.system.get("SentTimestamp", "0")) / 1000

    @property
    def why(self) -> str:
        """Why it is where it is, as far as it shows by itself; the function's log may know more."""
        if self.reason:
            return self.reason
        if self.source == "topic":
            told = self.attributes.get("ErrorMessage", {}).get("StringValue")
            return "keeps the contract: SNS could not deliver it" + (f" ({told})" if told else "")
        if self.source in OWN:
            return "keeps the contract: it was not stored, and the log says why"
        return "keeps the contract: its consumer gave it up, or SNS could not deliver it"

    def concerns(self, order_id: str) -> bool:
        """Whether it is of an order; where that cannot be read, whether its text holds the order's id."""
        if self.order_id is not None or not order_id:
            return self.order_id == order_id
        spelled = {order_id, json.dumps(order_id)[1:-1], json.dumps(order_id, ensure_ascii=False)[1:-1]}
        found = "|".join(re.escape(each) for each in sorted(spelled))
        return re.search(rf"(?<![\w-])(?:{found})(?![\w-])", self.body) is not None

    def without_sns(self) -> "Message":
        """Itself as it was published: without what SNS adds to a message that it could not deliver."""
        if self.source != "topic":
            return self
        attributes = {name: value for name, value in self.attributes.items() if name not in ADDED_BY_SNS}
        return replace(self, attributes=attributes)

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


def read(
    stack: Stack,
    source: str,
    use: Callable[[list[Message]], object],
    *,
    limit: int | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Have a look at each message of a dead-letter queue that is visible now, and will be again; return how many.

    Reading adds one to the receive count of each, which here has no consequence.
    """
    expected, count, empty = depth(stack, source).visible, 0, 0
    with Held(stack, source, clock=clock) as held:
        while limit is None or count < limit:
            more_expected = count < expected
            # Long polls ask every server of the queue, but an empty one takes its whole second.
            fresh = _messages(source, held.receive(BATCH, wait=1 if more_expected else 0))
            if limit is not None:
                fresh = fresh[: limit - count]
            use(fresh)
            count += len(fresh)
            empty = 0 if fresh else empty + 1
            patience = EMPTY if more_expected else 1
            if empty >= patience:
                break
    return count


def read_all(stack: Stack, sources: Iterable[str], *, limit: int | None = None) -> list[Message]:
    """The messages of several dead-letter queues, at most `limit` of each, oldest first."""
    messages: list[Message] = []
    for source in sources:
        read(stack, source, messages.extend, limit=limit)
    return sorted(messages, key=lambda message: message.sent)


def drain(
    stack: Stack,
    source: str,
    wanted: Collection[str],
    use: Callable[[list[Message]], list[Message]],
    *,
    pace: Pace,
    advance: Advance = lambda _steps: None,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Receive the messages with the wanted ids, use them, and only then delete those that `use` returns.

    Messages that come meanwhile are not touched: what fails again and returns has a new id, and would go round
    forever. At every moment a message is in the dead-letter queue, or used, or both. Returns how many were deleted.
    """
    remaining = set(wanted)
    deleted = empty = 0
    with Held(stack, source, clock=clock) as held:
        while remaining and empty < EMPTY:
            fresh = _messages(source, held.receive(BATCH, wait=1))
            empty = 0 if fresh else empty + 1
            ours = [message for message in fresh if message.id in remaining]
            for start in range(0, len(ours), pace.at_once):
                some = ours[start : start + pace.at_once]
                pace.wait(len(some), idle=held.extend)
                done = use(some)
                deleted += delete(stack, source, done)
                held.forget(message.id for message in done)
                remaining -= {message.id for message in some}
                advance(len(some))
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


def _messages(source: str, received: Iterable[Mapping[str, Any]]) -> list[Message]:
    return [
        Message(
            id=message["MessageId"],
            source=source,
            body=message["Body"],
            attributes=message.get("MessageAttributes", {}),
            system=message.get("Attributes", {}),
            handle=message["ReceiptHandle"],
        )
        for message in received
    ]
