"""The Lambda function ProcessOrder: it writes a batch of order messages and answers which of them failed."""

import functools
import json
import os
import sys
import time
from typing import Any, NamedTuple, TypedDict

from .client import Client
from .orders import INSTANT, Order, Rejected, latest_version, parse
from .store import SUPERSEDED, Outcome, Store

MARGIN, MARGIN_PER_RECORD = 0.5, 0.0002
"""Seconds kept at the end of the invocation to log and answer: for any batch, and for each record of it."""

READING = 0.5
"""Share of the time in which messages are read; in the rest those that were read are written."""

TIE = Outcome(
    "superseded",
    "another event of the order with the same timestamp was kept: send a correction with a newer timestamp",
)
UNREAD = Outcome("failed", "the function had no time left to read it")

LONGEST_ID = 128
"""Characters of an id in a log line; an SQS messageId has 36."""

_LEVELS = {"TRACE": 0, "DEBUG": 10, "INFO": 20, "WARN": 30, "ERROR": 40, "FATAL": 50}
_LEVEL_OF = {"stored": "DEBUG", "superseded": "DEBUG", "rejected": "WARN", "failed": "ERROR"}


class BatchResponse(TypedDict):
    """What Lambda reads from the answer: the messages that SQS must deliver again.

    https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-errorhandling.html
    """

    batchItemFailures: list[dict[str, str]]


class Message(NamedTuple):
    """One record of the batch, as far as it is understood."""

    id: str
    order_id: str | None
    order: Order | None
    outcome: Outcome = UNREAD
    """What became of a message without an order: `rejected` or `failed`."""


def lambda_handler(event: Any, context: Any) -> BatchResponse:
    """Handle one batch from the queue: the entry point that Lambda calls."""
    return process(event, context, _store(), level=os.environ.get("AWS_LAMBDA_LOG_LEVEL", "INFO"))


@functools.cache
def _store() -> Store:
    return Store(Client(os.environ), os.environ.get("TABLE_NAME", ""))


def process(event: Any, context: Any, store: Store, *, level: str = "INFO") -> BatchResponse:
    """Write every order of the batch and list the messages that were rejected or not written.

    An event that has no records is logged and answered as an empty batch; `level` is the lowest of the log's lines.
    """
    started = time.monotonic()
    records = event.get("Records") if isinstance(event, dict) else None
    log = _Log(context.aws_request_id, level)
    if not isinstance(records, list):
        log.write("ERROR", "the event must have a list of Records: is the function called by an SQS queue?")
        records = []
    now = store.clock()
    deadline = now + context.get_remaining_time_in_millis() / 1000 - MARGIN - MARGIN_PER_RECORD * len(records)
    reading, latest = now + READING * (deadline - now), latest_version()
    messages = [_read(record, latest, in_time=store.clock() < reading) for record in records]
    newest = _newest(messages)
    written = store.write(newest.values(), deadline)

    counts = dict.fromkeys(_LEVEL_OF, 0)
    failures: dict[str, None] = {}
    for message in messages:
        kind, reason = _outcome(message, newest, written)
        counts[kind] += 1
        if kind in ("rejected", "failed"):
            failures[message.id] = None
        # A tie that was lost is the only reason not to be stored that a producer can do something about.
        line_level = "INFO" if kind == "superseded" and reason else _LEVEL_OF[kind]
        if line_level in log.levels:
            log.message(line_level, kind, message, reason)
    milliseconds = round((time.monotonic() - started) * 1000, 1)
    log.write("INFO", "batch processed", records=len(records), **counts, milliseconds=milliseconds)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failures]}


def _read(record: Any, latest: str, *, in_time: bool) -> Message:
    """Read one record, or only its id if it is too late; one without a messageId gets an empty one.

    Lambda answers an empty identifier by returning the whole batch to the queue: nothing is lost, and what was stored
    is superseded next time. SQS itself always sends an identifier.
    """
    record = record if isinstance(record, dict) else {}
    message_id = record.get("messageId")
    message_id = message_id if isinstance(message_id, str) else ""
    if not in_time:
        return Message(message_id, None, None)
    try:
        order = parse(record.get("body"), latest)
    except Rejected as rejected:
        return Message(message_id, rejected.order_id, None, Outcome("rejected", str(rejected)))
    return Message(message_id, order.order_id, order)


def _newest(messages: list[Message]) -> dict[str, Order]:
    """Keep the newest event of each order: only that one is worth a write."""
    newest: dict[str, Order] = {}
    for message in messages:
        if order := message.order:
            known = newest.get(order.order_id)
            if known is None or known.version < order.version:
                newest[order.order_id] = order
    return newest


def _outcome(message: Message, newest: dict[str, Order], written: dict[str, Outcome]) -> Outcome:
    """Say what became of a message: `stored` is only the one whose version was written."""
    order = message.order
    if order is None:
        return message.outcome
    outcome, winner = written[order.order_id], newest[order.order_id]
    if order is winner or outcome.kind == "failed":
        return outcome
    tie = order.version != winner.version and order.version[:INSTANT] == winner.version[:INSTANT]
    return TIE if tie else SUPERSEDED


class _Log:
    """JSON lines on standard output, with the fields that Lambda filters by.

    https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
    """

    def __init__(self, request_id: str, level: str) -> None:
        self._request_id = request_id
        lowest = _LEVELS.get(level.upper(), _LEVELS["INFO"])
        self.levels = {name for name, height in _LEVELS.items() if height >= lowest}

    def write(self, level: str, message: str, **fields: object) -> None:
        """Write one line in one piece, in ASCII, so that no text of a producer can forge a line or move a cursor."""
        if level not in self.levels:
            return
        now = time.time()
        at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(now))}.{int(now % 1 * 1000):03d}Z"
        line = {"timestamp": at, "level": level, "message": message, "requestId": self._request_id, **fields}
        sys.stdout.write(json.dumps(line) + "\n")

    def message(self, level: str, kind: str, message: Message, reason: str) -> None:
        """Say what became of one message, and never what it holds."""
        fields = {"messageId": message.id[:LONGEST_ID]}
        if message.order_id is not None:
            fields["orderId"] = message.order_id[:LONGEST_ID]
        if reason:
            fields["reason"] = reason
        self.write(level, f"message {kind}", **fields)


if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    # Connect while Lambda initialises, before the first batch waits for it. Elsewhere importing has no effects.
    _store()
