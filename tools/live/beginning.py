"""What a local cloud begins with: what was published on those before it, and the orders of a file."""

from pathlib import Path

from tools.ops.deadletters import Message
from tools.ops.export import read_export
from tools.ops.failure import Failure
from tools.ops.files import read_text
from tools.ops.publish import check, publish_entries, read_bodies
from tools.ops.sending import Entry, Pace
from tools.ops.stack import Stack
from tools.root import ROOT
from tools.terminal import BAD, GOOD, Printer, counted


def orders_of(file: str) -> list[str]:
    """The orders of a file. Raises Failure if one breaks the contract."""
    bodies = read_bodies(read_text(file))
    check(bodies)
    return bodies


def memory_of(stack: str) -> Path:
    """The file in which what is published on a stack's local clouds is remembered."""
    return ROOT / "build" / f"published-{stack}.jsonl"


def earlier(memory: Path) -> list[Message]:
    """What was published on the clouds before. Raises Failure if somebody has changed the file."""
    try:
        return read_export(read_text(str(memory))) if memory.exists() else []
    except Failure as failure:
        raise Failure(f"{memory} must be as it was written: {failure}. Remove it to begin anew") from None


def begin(stack: Stack, printer: Printer, *, remembered: list[Message], seeds: list[str]) -> None:
    """Publish what is remembered of the stack's topic, each with its attributes, and then the orders of a file."""
    topic = stack["topicArn"].rpartition(":")[2]
    entries: list[Entry] = [
        {"Message": message.body, "MessageAttributes": dict(message.attributes)}
        for message in remembered
        if message.letter.source == topic
    ]
    entries += [{"Message": body, "MessageAttributes": {}} for body in seeds]
    if entries:
        refused = publish_entries(stack, entries, pace=Pace(None))
        taken = f"{len(entries) - len(refused)} of {counted(len(entries), 'message')}"
        printer.line(f"published at the start: {taken}", style=BAD if refused else GOOD)
