"""`dlq list` and `dlq show`: what is in the dead-letter queues, and why."""

import click

from tools.ops import logs
from tools.ops.arguments import Selection, selecting
from tools.ops.choosing import compare, find, show_table, warn_of
from tools.ops.deadletters import Message
from tools.ops.export import describe, summary
from tools.ops.failure import NO
from tools.ops.stack import OWN, Stack
from tools.terminal import BAD, DIM, Printer, counted

LATEST = 3
"""Errors of another consumer's function that are shown with its dead letter."""


@selecting
def run(stack: Stack, printer: Printer, *, selection: Selection) -> int:
    found = find(stack, selection, printer)
    states = compare(stack, found.letters)
    if printer.as_json:
        printer.json([{**summary(letter), "state": states[letter.id]} for letter in found.letters])
    elif found.letters:
        show_table(found.letters, states, printer)
    for source in selection.sources:
        name = stack.dead_letters[source].url.rpartition("/")[2]
        count = sum(letter.source == source for letter in found.letters)
        printer.line(f"{name}: {counted(count, 'message')}", style=DIM)
    warn_of(found, printer)
    return NO if found.held else 0


@click.argument("wanted", metavar="MESSAGE_OR_ORDER_ID")
def show(stack: Stack, printer: Printer, *, wanted: str) -> int:
    messages: list[Message] = []

    def keep(message: Message) -> None:
        if message.letter.id.startswith(wanted) or message.concerns(wanted):
            messages.append(message)

    found = find(stack, Selection(sources=stack.sources(None)), printer, use=keep)
    warn_of(found, printer)
    if printer.as_json:
        printer.json([{**describe(m), "failures": failures(stack, m)} for m in messages])
        return 0 if messages else NO
    if not messages:
        printer.line(f"no message {wanted} in the dead-letter queues: `dlq list` shows what is there", style=BAD)
        return NO
    states = compare(stack, [message.letter for message in messages])
    for message in messages:
        show_table([message.letter], states, printer)
        for failure in failures(stack, message):
            for number, text in enumerate(f"the function said: {failure}".split("\n")):
                printer.line("    " * bool(number) + text, style=BAD)
        for name, value in message.attributes.items():
            printer.line(f"attribute {name}: {value.get('StringValue', '(binary)')}")
        for line in message.body.split("\n"):  # as it came: read and written again it could be another text
            printer.line(line)
    return 0


def failures(stack: Stack, message: Message) -> list[str]:
    """What the functions' logs say of a message, which keeps its id when it moves to the dead-letter queue.

    Of one that another function crashed on, what that function said last: a crash names no message.
    """
    start = int(message.letter.sent * 1000)
    said = logs.read(stack, start=start, pattern=logs.mentioning("messageId", message.letter.id))
    lines = [line for _, line in said if line.fields.get("messageId") == message.letter.id]
    told = list(dict.fromkeys(str(line.fields["reason"]) for line in lines if line.fields.get("reason")))
    if told or message.letter.source in OWN or not (function := stack.function_of(message.letter.source)):
        return told
    loud = logs.read(stack, start=start, pattern=logs.LOUD, functions=[function])
    since = dict.fromkeys(line.text for _, line in loud if line.level in ("ERROR", "FATAL"))
    return [f"{text} (one of its errors since then)" for text in list(since)[-LATEST:]]
