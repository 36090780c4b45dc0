"""Reads the dead-letter queues, and empties them of chosen messages without losing one."""

import json
import re
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from functions.process_order import orders
from tools.ops.holding import Held
from tools.ops.sending import BATCH, Entry, Pace, Refused, batches, send
from tools.ops.stack import OWN, Stack
from tools.ops.status import depth
from tools.terminal import Advance

ADDED_BY_SNS = frozenset({"RequestID", "ErrorCode", "ErrorMessage"})
"""Attributes of a message that SNS could not deliver. On any other message they are the sender's own.
https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html"""
EMPTY = 3
"""Receives without a message after which a queue counts as empty; SQS asks only some of its servers each time."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """What is remembered of a message, without its body: a queue may hold more than memory does."""

    id: str
    source: str
    """What could not handle it: one of `Stack.dead_letters`."""
    order_id: str | None
    version: str
    """Of the order that the function would store; empty if it would reject the message."""
    reason: str
    """Why the function would reject it; empty if it would accept it: its own contract decides."""
    why: str
    """Why it is where it is, as far as it shows by itself; the function's log may know more."""
    sent: float
    """When it was first sent, in seconds since 1970; the move to a dead-letter queue does not change that."""
    receives: int


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message in a dead-letter queue."""

    letter: Letter
    body: str
    attributes: Mapping[str, Any]
    """What the producer attached, in the form of SQS."""
    system: Mapping[str, str]
    """What SQS knows of it: `SentTimestamp`, `ApproximateReceiveCount` and more."""
    handle: str
    """Receipt of the latest receive."""

    def concerns(self, order_id: str) -> bool:
        """Whether it is of an order; where that cannot be read, whether its text holds the order's id."""
        if self.letter.order_id is not None or not order_id:
            return self.letter.order_id == order_id
        spelled = {order_id, json.dumps(order_id)[1:-1], json.dumps(order_id, ensure_ascii=False)[1:-1]}
        found = "|".join(re.escape(each) for each in sorted(spelled))
        return re.search(rf"(?<![\w-])(?:{found})(?![\w-])", self.body) is not None

    def without_sns(self) -> "Message":
        """Itself as it was published: without what SNS adds to a message that it could not deliver."""
        if self.letter.source != "topic":
            return self
        attributes = {name: value for name, value in self.attributes.items() if name not in ADDED_BY_SNS}
        return replace(self, attributes=attributes)

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


def message_of(source: str, received: Mapping[str, Any]) -> Message:
    """A message of a dead-letter queue, as SQS hands it out."""
    body, attributes = received["Body"], received.get("MessageAttributes", {})
    system, version, reason = received.get("Attributes", {}), "", ""
    order_id: str | None
    try:
        order_id, _, version, *_ = orders.parse(body)
    except orders.Rejected as rejected:
        order_id, reason = rejected.order_id, str(rejected)
    letter = Letter(
        id=received["MessageId"],
        source=source,
        order_id=order_id,
        version=version,
        reason=reason,
        why=reason or f"keeps the contract: {_why(source, attributes)}",
        sent=int(system.get("SentTimestamp", "0")) / 1000,
        receives=int(system.get("ApproximateReceiveCount", "0")),
    )
    return Message(
        letter=letter, body=body, attributes=attributes, system=system, handle=received.get("ReceiptHandle", "")
    )


def _why(source: str, attributes: Mapping[str, Any]) -> str:
    if source == "topic":
        told = attributes.get("ErrorMessage", {}).get("StringValue")
        return "SNS could not deliver it" + (f" ({told})" if told else "")
    if source in OWN:
        return "it was not stored, and the log says why"
    return "its consumer gave it up, or SNS could not deliver it"


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
    expected, count, empty = depth(stack, stack.dead_letters[source].url)["visible"], 0, 0
    with Held(stack, source, clock=clock) as held:
        while limit is None or count < limit:
            more_expected = count < expected
            # Long polls ask every server of the queue, but an empty one takes its whole second.
            fresh = [message_of(source, each) for each in held.receive(BATCH, wait=1 if more_expected else 0)]
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
    return sorted(messages, key=lambda message: message.letter.sent)


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
            fresh = [message_of(source, each) for each in held.receive(BATCH, wait=1)]
            empty = 0 if fresh else empty + 1
            ours = [message for message in fresh if message.letter.id in remaining]
            for start in range(0, len(ours), pace.at_once):
                some = ours[start : start + pace.at_once]
                pace.wait(len(some))
                done = use(some)
                deleted += delete(stack, source, done)
                held.forget(message.letter.id for message in done)
                remaining -= {message.letter.id for message in some}
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
