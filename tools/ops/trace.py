"""`trace`: says where an order is."""

from typing import Any

import click

from tools.ops import logs, status, table
from tools.ops.arguments import Selection, quoted, spanning
from tools.ops.choosing import compare, find
from tools.ops.deadletters import Message
from tools.ops.export import describe
from tools.ops.failure import NO, Failure
from tools.ops.stack import Stack
from tools.terminal import BAD, DIM, GOOD, Printer, ago, counted

LONGEST_LOGGED = 128
"""Characters of an id in a line of the function's log."""


@click.argument("order_id")
@spanning("--since", "1d", "how far back to read the log")
def run(stack: Stack, printer: Printer, *, order_id: str, since: float) -> int:
    if not order_id or order_id.encode(errors="ignore").decode() != order_id:
        raise Failure(f"ORDER_ID must be a text of valid Unicode that is not empty, got {order_id!r}")
    found = trace(stack, order_id, seconds=since, printer=printer)
    if printer.as_json:
        printer.json(found)
    else:
        show(found, since, printer)
    settled = found["stored"] and all(m["state"] == "stored" for m in found["deadLetters"])
    return 0 if settled and not found["held"] and found["ahead"] != table.FAR else NO


def trace(stack: Stack, order_id: str, *, seconds: float, printer: Printer) -> dict[str, Any]:
    """What the table, the dead-letter queues and the log know of an order, and how many messages still wait.

    A queue cannot be searched: every look would be a receive, of the few a message has before it is a dead letter.
    """
    letters: list[Message] = []
    unreadable = 0

    def look(message: Message) -> None:
        nonlocal unreadable
        if message.concerns(order_id):
            letters.append(message)
        elif message.letter.order_id is None:
            unreadable += 1

    looked = find(stack, Selection(sources=stack.sources(None)), printer, use=look)
    states = compare(stack, [message.letter for message in letters])
    item = table.item(stack, order_id)
    version = str((item or {}).get("version", ""))
    logged = order_id[:LONGEST_LOGGED]
    said = logs.read(stack, start=logs.since(seconds), pattern=logs.mentioning("orderId", logged))
    return {
        "orderId": order_id,
        "stored": item,
        "ahead": table.ahead(version),
        "deadLetters": [
            {**describe(m), "state": states[m.letter.id], "tie": table.is_tie(version, m.letter.version)}
            for m in letters
        ],
        "unreadable": unreadable,
        "unseen": looked.unseen,
        "held": looked.held,
        "queue": status.depth(stack, stack["queueUrl"]),
        "level": status.function(stack, stack.functions[0])["level"],
        "log": [logs.spell(line) for _, line in said if line.fields.get("orderId") == logged],
    }


def show(found: dict[str, Any], seconds: float, printer: Printer) -> None:
    order_id, item, waiting = found["orderId"], found["stored"], found["queue"]
    if item:
        printer.line(
            f"table  {order_id} is stored: {item.get('status')}, {item.get('quantity')} x {item.get('itemName')}",
            style=GOOD,
        )
        printer.line(f"       event of {item.get('timestamp')}, version {item.get('version')}")
        if found["ahead"]:
            printer.line(
                f"       dated after now {found['ahead']}: until then it wins over every correction "
                "(docs/runbook.md says how to remove it)",
                style=BAD,
            )
    else:
        printer.line(f"table  {order_id} is not stored", style=BAD)
    count = waiting["visible"] + waiting["inFlight"]
    which = (
        f"holds {counted(count, 'message')}; which orders they are cannot be seen from outside" if count else "is empty"
    )
    printer.line(f"queue  {waiting['name']} {which}")
    for letter in found["deadLetters"]:
        state = "another event of the same instant is stored" if letter["tie"] else _STATES[letter["state"]]
        why = letter["reason"] or f"keeps the contract; {state}"
        printer.line(f"dead   message {letter['messageId']}: {why}", style=BAD)
        printer.line(f"       `dlq show {letter['messageId'][:8]}` shows it, {advice(letter)}")
    _show_gaps(found, printer)
    for line in found["log"]:
        for number, text in enumerate(line.split("\n")):
            printer.line("       " if number else "log   ", text, style=DIM)
    if not found["log"]:
        less = (
            "" if found["level"] in ("TRACE", "DEBUG") else f"; level {found['level']} names no message that went well"
        )
        printer.line(f"log    no line of the last {ago(seconds)} names it{less}")


def _show_gaps(found: dict[str, Any], printer: Printer) -> None:
    """Say what was not found in the dead-letter queues, and what could not be looked at."""
    others = found["unreadable"]
    if not found["deadLetters"] and not others and not found["unseen"] and not found["held"]:
        printer.line("dead   no dead letter holds it")
    elif not found["deadLetters"]:
        printer.line(f"dead   no dead letter whose order can be read is of it; {others} others do not tell theirs")
    if found["unseen"]:
        printer.line(f"dead   about {counted(found['unseen'], 'message')} were not read", style=BAD)
    if found["held"]:
        printer.line(f"dead   about {counted(found['held'], 'message')} are held by another reader", style=BAD)


def advice(letter: dict[str, Any]) -> str:
    """What to do about a dead letter of an order."""
    chosen = f"--id {quoted(letter['messageId'][:8])}"
    if letter["state"] == "rejected":
        return f"`dlq export {chosen} FILE` saves it to be corrected and imported"
    if letter["tie"]:
        return f"its producer must send it with a newer timestamp; then `dlq purge {chosen}` deletes it"
    if letter["state"] == "stored":
        return f"`dlq purge {chosen}` deletes it: it would change nothing"
    return f"`dlq redrive {chosen}` sends it back"


_STATES = {
    "missing": "the table lacks the order",
    "newer": "it is newer than what the table holds",
    "stored": "the table holds this version or a newer one",
    "rejected": "",
    "unknown": "its consumer gave it up",
}
