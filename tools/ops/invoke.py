"""`invoke`: runs the deployed handler on one event."""

import base64
import contextlib
import json
import time
import uuid
from typing import Any

import click

from tools.ops import tail
from tools.ops.decoding import decode
from tools.ops.failure import NO, Failure
from tools.ops.files import read_text
from tools.ops.logs import trace_of, understand
from tools.ops.publish import read_bodies
from tools.ops.stack import Stack
from tools.terminal import BAD, GOOD, Printer


@click.argument("file")
def run(stack: Stack, printer: Printer, *, file: str) -> int:
    """Hand the event of a file (`-` for standard input), or orders as an event, to the function of the local cloud."""
    if "AWS_ENDPOINT_URL" not in stack.environment:
        raise Failure(f"invoke must have a stack on the local cloud, got {stack.origin}: publish orders on AWS instead")
    event = event_of(read_text(file))
    answer = deployed(stack, event, printer)
    if printer.as_json:
        printer.json(answer)
    if "errorMessage" in answer:
        line = understand(0, json.dumps(answer))
        for text in [line.text, *trace_of(line)]:
            printer.line(text, style=BAD)
        return NO
    failed = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
    taken = len(event["Records"]) - len(failed)
    printer.line(f"{taken} of {len(event['Records'])} messages were taken", style=BAD if failed else GOOD)
    for name in failed:
        printer.line(f"  back to the queue: {name}", style=BAD)
    return NO if failed else 0


def event_of(text: str) -> dict[str, Any]:
    """An event of SQS: as it stands in a text, or one whose messages the text's orders are."""
    with contextlib.suppress(ValueError):
        event = decode(text)
        if isinstance(event, dict) and isinstance(event.get("Records"), list):
            return event
    bodies = read_bodies(text)
    if not bodies:
        raise Failure("FILE must hold an event with Records, or orders, got nothing")
    records = [{"messageId": str(uuid.uuid4()), "eventSource": "aws:sqs", "body": body} for body in bodies]
    return {"Records": records}


def deployed(stack: Stack, event: dict[str, Any], printer: Printer) -> dict[str, Any]:
    """The answer of the function that runs on the local cloud, after the lines of its log."""
    payload = json.dumps(event).encode()
    done = stack.client("lambda").invoke(FunctionName=stack["functionName"], Payload=payload, LogType="Tail")
    for text in base64.b64decode(done.get("LogResult", "")).decode(errors="replace").splitlines():
        line = understand(int(time.time() * 1000), text)
        if not printer.as_json and not line.platform and text.strip():
            tail.show(line, printer)
    answer: dict[str, Any] = decode(done["Payload"].read().decode())
    return answer
