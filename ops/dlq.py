"""`dlq list`, `show`, `export`, `import` and `purge`: what is in the dead-letter queues, and moving it by hand."""

import base64
import json
import sys
from argparse import Namespace
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ops import logs, table
from ops.deadletters import SOURCES, Message, drain, read_all, send_messages, visible
from ops.failure import NO, USAGE, Failure
from ops.printing import BAD, DIM, GOOD, Printer, ago, counted
from ops.publish import read_text
from ops.sending import Pace
from ops.stack import Stack

COLUMNS = ("queue", "message", "order", "age", "state", "reason")
PLAN_ROWS = 20
"""Messages that a plan lists one by one."""


def list_messages(stack: Stack, options: Namespace, printer: Printer) -> int:
    messages = chosen(stack, options)
    states = compare(stack, messages)
    if options.as_json:
        printer.json([{**describe(message), "state": states[message.id]} for message in messages])
    elif messages:
        show_table(messages, states, printer)
    for source in options.sources:
        name = stack[SOURCES[source]].rpartition("/")[2]
        count = sum(message.source == source for message in messages)
        more = visible(stack, source) > count and count == options.limit
        printer.line(
            f"{name}: {counted(count, 'message')}" + (", and more (--limit shows more)" if more else ""), style=DIM
        )
    return 0


def show(stack: Stack, options: Namespace, printer: Printer) -> int:
    messages = [
        message
        for message in read_all(stack, options.sources, limit=options.limit)
        if message.id.startswith(options.id) or message.order_id == options.id
    ]
    if options.as_json:
        printer.json([{**describe(m), "failures": failures(stack, m)} for m in messages])
        return 0 if messages else NO
    if not messages:
        printer.line(f"no message {options.id} in the dead-letter queues: `dlq list` shows what is there", style=BAD)
        return NO
    states = compare(stack, messages)
    for message in messages:
        show_table([message], states, printer)
        for failure in failures(stack, message):
            printer.line(f"the function said: {failure}", style=BAD)
        for name, value in message.attributes.items():
            printer.line(f"attribute {name}: {value.get('StringValue', '(binary)')}")
        for line in pretty(message.body).split("\n"):
            printer.line(line)
    return 0


def export(stack: Stack, options: Namespace, printer: Printer) -> int:
    messages, unseen = chosen_of_all(stack, options)
    lines = "".join(json.dumps(describe(message)) + "\n" for message in messages)
    warn_of(unseen, printer)
    if options.file == "-":
        sys.stdout.write(lines)
        return NO if unseen else 0
    Path(options.file).write_text(lines, encoding="utf-8")
    printer.line(
        f"exported {counted(len(messages), 'message')} to {options.file}; they are still in their queues", style=GOOD
    )
    if options.as_json:
        printer.json({"exported": len(messages), "file": options.file, "unseen": unseen})
    return NO if unseen else 0


def import_messages(stack: Stack, options: Namespace, printer: Printer) -> int:
    messages = read_export(read_text(options.file))
    rejected = [message for message in messages if message.reason]
    if rejected and not options.no_check:
        raise Failure(
            f"{len(rejected)} of {len(messages)} messages will be rejected by the function, and nothing was sent "
            f"(--no-check sends them as they are); the first, {rejected[0].id}: {rejected[0].reason}"
        )
    url = stack["queueUrl"] if options.to == "order" else stack[SOURCES[options.to]]
    refused = send_messages(stack, url, messages)
    if options.as_json:
        failed = [{"messageId": messages[r.position].id, "reason": r.reason} for r in refused]
        printer.json({"sent": len(messages) - len(refused), "failed": failed})
    name = url.rpartition("/")[2]
    printer.line(f"sent {len(messages) - len(refused)} of {len(messages)} messages to {name}", style=GOOD)
    for refusal in refused:
        printer.line(f"  {messages[refusal.position].id} was not taken: {refusal.reason}", style=BAD)
    return NO if refused else 0


def purge(stack: Stack, options: Namespace, printer: Printer) -> int:
    """Delete what the plan shows, and nothing that came after it."""
    messages, unseen = chosen_of_all(stack, options)
    warn_of(unseen, printer)
    states = compare(stack, messages)
    lost = [message for message in messages if states[message.id] in ("missing", "newer")]
    show_plan(messages, states, printer)
    printer.line(
        f"plan: delete {counted(len(messages), 'message')} for good; {len(lost)} with a valid order the table lacks"
    )
    if messages and not options.yes:
        printer.line("nothing was deleted: `dlq export FILE` keeps a copy, --yes deletes", style=BAD)
    deleted = 0
    if options.yes:
        for source in options.sources:
            ids = [message.id for message in messages if message.source == source]
            deleted += drain(stack, source, ids, lambda ours: ours, pace=Pace(None))
        printer.line(f"deleted {counted(deleted, 'message')}", style=GOOD)
    if options.as_json:
        printer.json({"planned": len(messages), "ordersLacking": len(lost), "deleted": deleted, "unseen": unseen})
    if messages and not options.yes:
        return USAGE
    return 0 if deleted == len(messages) and not unseen else NO


def chosen(stack: Stack, options: Namespace) -> list[Message]:
    """The messages of the dead-letter queues that pass `--order` and `--match`."""
    return [message for message in read_all(stack, options.sources, limit=options.limit) if matches(message, options)]


def chosen_of_all(stack: Stack, options: Namespace) -> tuple[list[Message], int]:
    """What `chosen` gives, and about how many messages of the queues were not looked at.

    `--limit` is not the only reason: a queue that takes longer to read than its messages stay hidden shows the first
    ones once more, and reading ends before the last.
    """
    messages = read_all(stack, options.sources, limit=options.limit)
    unseen = 0
    for source in options.sources:
        read = sum(message.source == source for message in messages)
        unseen += max(0, visible(stack, source) - read)
    return [message for message in messages if matches(message, options)], unseen


def warn_of(unseen: int, printer: Printer) -> None:
    """Say that there is more than was read."""
    if unseen:
        printer.error(
            f"not everything was read, about {counted(unseen, 'message')} were left out: --limit N reads more of each "
            "queue, and what arrived meanwhile needs another run"
        )


def matches(message: Message, options: Namespace) -> bool:
    if options.order is not None and message.order_id != options.order:
        return False
    return options.match is None or options.match.search(message.body) is not None


def compare(stack: Stack, messages: Iterable[Message]) -> dict[str, str]:
    """What each message, by id, holds beside the table: `rejected`, `missing`, `newer` or `stored`."""
    messages = list(messages)
    stored = table.versions(stack, [m.order.order_id for m in messages if m.order])
    states = {}
    for message in messages:
        order = message.order
        if order is None:
            states[message.id] = "rejected"
        elif order.order_id not in stored:
            states[message.id] = "missing"
        else:
            states[message.id] = "stored" if stored[order.order_id] >= order.version else "newer"
    return states


def show_plan(messages: Sequence[Message], states: Mapping[str, str], printer: Printer) -> None:
    """The first messages of a plan, and how many more there are."""
    if messages:
        show_table(messages[:PLAN_ROWS], states, printer)
    if len(messages) > PLAN_ROWS:
        printer.line(f"... and {len(messages) - PLAN_ROWS} more", style=DIM)


def show_table(messages: Sequence[Message], states: Mapping[str, str], printer: Printer) -> None:
    styles = {"rejected": BAD, "missing": "yellow", "newer": "yellow", "stored": GOOD}
    rows = [
        (
            m.source,
            m.id[:8],
            m.order_id or "-",
            ago(m.age),
            (states[m.id], styles[states[m.id]]),
            why(m),
        )
        for m in messages
    ]
    printer.table(COLUMNS, rows)


def why(message: Message) -> str:
    """Why a message is where it is, as far as it shows by itself; `failures` asks the log."""
    if message.reason:
        return message.reason
    if message.source == "topic":
        # https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
        told = message.attributes.get("ErrorMessage", {}).get("StringValue")
        return "keeps the contract: SNS could not deliver it" + (f" ({told})" if told else "")
    return "keeps the contract: its write failed"


def failures(stack: Stack, message: Message) -> list[str]:
    """What the function's log says of a message: it keeps its id when it moves to the dead-letter queue."""
    start = int(message.system.get("SentTimestamp", "0"))
    said = logs.read(stack, start=start, pattern=logs.mentioning("messageId", message.id))
    lines = [line for _, line in said if line.fields.get("messageId") == message.id]
    return list(dict.fromkeys(str(line.fields["reason"]) for line in lines if line.fields.get("reason")))


def pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body


def describe(message: Message) -> dict[str, Any]:
    """A message as JSON-ready values: a line of `dlq export`."""
    sent = int(message.system.get("SentTimestamp", "0")) / 1000
    return {
        "messageId": message.id,
        "source": message.source,
        "orderId": message.order_id,
        "reason": message.reason,
        "sent": datetime.fromtimestamp(sent, UTC).isoformat(timespec="milliseconds"),
        "receives": message.receives,
        "body": message.body,
        "attributes": {name: _encoded(value) for name, value in message.attributes.items()},
    }


def read_export(text: str) -> list[Message]:
    """The messages that `dlq export` wrote.

    Raises:
        Failure: a line is not one of its lines.
    """
    messages = []
    for number, line in enumerate(text.splitlines(), 1):
        try:
            value = json.loads(line)
            attributes = {name: _decoded(attribute) for name, attribute in value.get("attributes", {}).items()}
            message = Message(
                id=str(value["messageId"]),
                source=str(value["source"]),
                body=value["body"],
                attributes=attributes,
                system={},
                handle="",
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Failure(f"line {number} must be a line of `dlq export`, got something else ({error!r})") from None
        messages.append(message)
    return messages


def _encoded(attribute: Mapping[str, Any]) -> dict[str, Any]:
    binary = attribute.get("BinaryValue")
    return {**attribute, **({"BinaryValue": base64.b64encode(binary).decode()} if binary is not None else {})}


def _decoded(attribute: Mapping[str, Any]) -> dict[str, Any]:
    binary = attribute.get("BinaryValue")
    return {**attribute, **({"BinaryValue": base64.b64decode(binary)} if binary is not None else {})}
