"""`trace`: says where an order is."""

from typing import Any

import click

from tools.ops import logs, status, table
from tools.ops.arguments import Selection, limited, quoted, spanning
from tools.ops.choosing import compare, find
from tools.ops.deadletters import Message
from tools.ops.export import describe
from tools.ops.failure import NO
from tools.ops.stack import Stack
from tools.terminal import BAD, DIM, GOOD, Printer, ago, counted

LONGEST_LOGGED = 128
"""Characters of an id in a line of the function's log."""


@click.argument("order_id")
@spanning("--since", "1d", "log to look at")
@limited
def run(stack: Stack, printer: Printer, *, order_id: str, since: float, limit: int | None) -> int:
    found = trace(stack, order_id, seconds=since, limit=limit, printer=printer)
    if printer.as_json:
        printer.json(found)
    else:
        show(found, since, printer)
    return 0 if found["stored"] and all(m["state"] == "stored" for m in found["deadLetters"]) else NO


def trace(stack: Stack, order_id: str, *, seconds: float, limit: int | None, printer: Printer) -> dict[str, Any]:
    """What the table, the dead-letter queues and the log know of an order, and how many messages still wait.

    A queue cannot be searched: every look would be a receive, of the few a message has before it is a dead letter.
    """
    letters: list[Message] = []
    asked = Selection(sources=tuple(stack.dead_letters), limit=limit, order=order_id)
    states = compare(stack, find(stack, asked, printer, use=letters.append).letters)
    logged = order_id[:LONGEST_LOGGED]
    said = logs.read(stack, start=logs.since(seconds), pattern=logs.mentioning("orderId", logged))
    return {
        "orderId": order_id,
        "stored": table.item(stack, order_id),
        "deadLetters": [{**describe(message), "state": states[message.id]} for message in letters],
        "queue": status.queue(stack, stack["queueUrl"]),
        "log": [logs.spell(line) for _, line in said if line.fields.get("orderId") == logged],
    }


def show(found: dict[str, Any], seconds: float, printer: Printer) -> None:
    order_id, item, waiting = found["orderId"], found["stored"], found["queue"]
    if item:
        printer.line(
            f"table  {order_id} is stored: {item['status']}, {item['quantity']} x {item['itemName']}", style=GOOD
        )
        printer.line(f"       event of {item['timestamp']}, version {item['version']}")
    else:
        printer.line(f"table  {order_id} is not stored", style=BAD)
    count = waiting["visible"] + waiting["inFlight"]
    which = (
        f"holds {counted(count, 'message')}; which orders they are cannot be seen from outside" if count else "is empty"
    )
    printer.line(f"queue  {waiting['name']} {which}")
    for letter in found["deadLetters"]:
        why = letter["reason"] or f"keeps the contract; {_STATES[letter['state']]}"
        printer.line(f"dead   message {letter['messageId']}: {why}", style=BAD)
        printer.line(f"       `dlq show {letter['messageId'][:8]}` shows it, {advice(letter, order_id)}")
    if not found["deadLetters"]:
        printer.line("dead   no dead letter holds it")
    for line in found["log"]:
        printer.line(f"log    {line}", style=DIM)
    if not found["log"]:
        printer.line(
            f"log    no line of the last {ago(seconds)} names it; level INFO names only rejected and failed messages"
        )


def advice(letter: dict[str, Any], order_id: str) -> str:
    """What to do about a dead letter of an order."""
    chosen = f"--order {quoted(order_id)}"
    if letter["state"] == "rejected":
        return f"`dlq export {chosen} FILE` saves it to be corrected and imported"
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
