"""`dlq export` and `dlq import`: dead letters as JSON lines."""

import base64
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import click

from tools.ops.arguments import Selection, selecting, unchecked
from tools.ops.choosing import find, warn_of
from tools.ops.deadletters import Letter, Message, message_of, send_messages
from tools.ops.decoding import decode
from tools.ops.failure import NO, Failure
from tools.ops.files import read_text, writing
from tools.ops.stack import OWN, Stack
from tools.terminal import BAD, GOOD, Printer, counted


@click.argument("file")
@selecting
def run(stack: Stack, printer: Printer, *, file: str, selection: Selection) -> int:
    """Copy dead letters to a file, or to standard output for `-`."""
    with writing(file) as out:
        found = find(stack, selection, printer, use=lambda message: out.write(json.dumps(describe(message)) + "\n"))
    warn_of(found, printer)
    exported = len(found.letters)
    if file != "-":
        printer.line(f"exported {counted(exported, 'message')} to {file}; they are still in their queues", style=GOOD)
        if printer.as_json:
            printer.json({"exported": exported, "file": file, "unseen": found.unseen, "held": found.held})
    return 0 if found.whole else NO


@click.argument("file")
@click.option(
    "--to",
    default="order",
    metavar="order|queue|topic|CONSUMER",
    help="OrderQueue (order), the dead-letter queue of the queue or of the topic, or another consumer's queue",
)
@unchecked
def restore(stack: Stack, printer: Printer, *, file: str, to: str, no_check: bool) -> int:
    """Send what a file, or standard input for `-`, holds of an export."""
    messages = read_export(read_text(file))
    rejected = [message.letter for message in messages if message.letter.reason]
    if rejected and not no_check:
        raise Failure(
            f"{len(rejected)} of {len(messages)} messages will be rejected by the function, and nothing was sent "
            f"(--no-check sends them as they are); the first, {rejected[0].id}: {rejected[0].reason}"
        )
    url = destination(stack, to)
    sent = messages if to == "topic" else [message.without_sns() for message in messages]
    refused = send_messages(stack, url, sent)
    if printer.as_json:
        failed = [{"messageId": messages[r.position].letter.id, "reason": r.reason} for r in refused]
        printer.json({"sent": len(messages) - len(refused), "failed": failed})
    name = url.rpartition("/")[2]
    printer.line(f"sent {len(messages) - len(refused)} of {len(messages)} messages to {name}", style=GOOD)
    for refusal in refused:
        printer.line(f"  {messages[refusal.position].letter.id} was not taken: {refusal.reason}", style=BAD)
    return NO if refused else 0


def destination(stack: Stack, name: str) -> str:
    """The URL of the queue that `--to` names.

    Raises:
        Failure: there is none of that name.
    """
    known = stack.dead_letters.items()
    urls = {"order": stack["queueUrl"]} | {n: each.url if n in OWN else each.queue_url for n, each in known}
    if name not in urls:
        raise Failure(f"--to must be one of {', '.join(urls)}, got {name}")
    return urls[name]


def describe(message: Message) -> dict[str, Any]:
    """A message as JSON-ready values: a line of `dlq export`."""
    attributes = {name: _encoded(value) for name, value in message.attributes.items()}
    return {**summary(message.letter), "body": message.body, "attributes": attributes}


def summary(letter: Letter) -> dict[str, Any]:
    """What is remembered of a message, as JSON-ready values."""
    return {
        "messageId": letter.id,
        "source": letter.source,
        "orderId": letter.order_id,
        "reason": letter.reason,
        "sent": datetime.fromtimestamp(letter.sent, UTC).isoformat(timespec="milliseconds"),
        "receives": letter.receives,
    }


def read_export(text: str) -> list[Message]:
    """The messages that `dlq export` wrote.

    Raises:
        Failure: a line is not one of its lines.
    """
    messages = []
    for number, line in enumerate(io.StringIO(text), 1):  # which ends lines at \n alone: a JSON text may hold others
        try:
            value = decode(line)
            attributes = {name: _decoded(attribute) for name, attribute in value.get("attributes", {}).items()}
            received = {
                "MessageId": str(value["messageId"]),
                "Body": "" + value["body"],
                "MessageAttributes": attributes,
            }
            messages.append(message_of(str(value["source"]), received))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Failure(f"line {number} must be a line of `dlq export`, got something else ({error!r})") from None
    return messages


def _encoded(attribute: Mapping[str, Any]) -> dict[str, Any]:
    binary = attribute.get("BinaryValue")
    return {**attribute, **({"BinaryValue": base64.b64encode(binary).decode()} if binary is not None else {})}


def _decoded(attribute: Mapping[str, Any]) -> dict[str, Any]:
    binary = attribute.get("BinaryValue")
    return {**attribute, **({"BinaryValue": base64.b64decode(binary)} if binary is not None else {})}
