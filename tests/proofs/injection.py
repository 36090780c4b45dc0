"""Texts that would be commands somewhere else (PartiQL, log lines, terminal escapes) stay texts everywhere."""

import json
import os
import pty
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.proofs.account import bodies_in, drain, publish
from tests.proofs.commands import command
from tests.proofs.faults import visibility_timeout
from tests.proofs.report import Result
from tools.cloud.deploy import deployed, written_addresses
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import stored_events
from tools.ops.logs import Follower, since
from tools.ops.stack import local_stack
from tools.root import ROOT

MARK = "EVIL"
"""Stands behind every escape: where it is printed, the escape must not be."""
TEXTS: Mapping[str, str] = {
    "PartiQL: end the value": '\'}; DELETE FROM "Orders" WHERE "orderId" = \'sentinel',
    "PartiQL: end the name": 'x" = ? SET "status" = \'stolen\' WHERE "orderId" = \'sentinel\' --',
    "PartiQL: a parameter": "? , ?",
    "PartiQL: another table": '\' UNION SELECT * FROM "Customers" --',
    "log: a line of its own": '\n{"level": "ERROR", "message": "message stored", "orderId": "forged"}\n',
    "log: the end of the JSON": '", "level": "FATAL", "x": "',
    "log: a format": "%s %(message)s {0} {orderId} ${jndi:ldap://127.0.0.1/x}",
    "terminal: colours": f"\x1b[31m{MARK}\x1b[0m",
    "terminal: clear the screen": f"\x1b[2J\x1b[H{MARK}",
    "terminal: the title": f"\x1b]0;{MARK}\x07",
    "terminal: a link": f"\x1b]8;;file:///etc/passwd\x1b\\{MARK}\x1b]8;;\x1b\\",
    "terminal: 8-bit escapes": f"\x9b31m{MARK}\x9d0;{MARK}\x9c",
    "terminal: back and over": f"good\r\b\b\b\b\x7f{MARK}",
    "terminal: reversed writing": f"\u202e{MARK}\u2066\u200f",
    "terminal: markup": f"[red]{MARK}[/red][link=file:///etc/passwd]",
    "spreadsheet and shell": "=cmd|' /C calc'!A0; $(reboot) `reboot` && reboot",
}
FIELDS = ("orderId", "userId", "itemName", "status", "the name of an attribute", "the value of an attribute")
ORDER = "ORDER"
"""Stands for the id of an order that holds escapes."""
COMMANDS = (
    ("dlq", "list"),
    ("dlq", "show", ORDER),
    ("trace", ORDER, "--since", "5m"),
    ("dlq", "redrive", "--all", "--dry-run"),
    ("status",),
    ("tail", "--no-follow"),
    ("dlq", "list", "--match", f"\x1b[2J{MARK}("),  # an error that quotes what was typed
)
OF_RICH = re.compile(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\r?\x1b\[(2K|1A)")
"""What a command on a terminal may print: colours, and a bar that hides the cursor and draws its line again."""


def run() -> Result:
    """Prove it on a cloud of its own."""
    with deployed() as deployment:
        return prove(deployment)


def prove(
    deployment: Deployment,
    *,
    commands: Sequence[Sequence[str]] = COMMANDS,
    visibility: int | None = None,
) -> Result:
    """Send every text through every field, then read the table, the log and what the commands print.

    `visibility` shortens the queue's visibility timeout, in seconds, until the rejected messages are dead letters.
    """
    salt = uuid.uuid4().hex[:6]
    log = Follower(local_stack("the local cloud", deployment.addresses()), start=since(0))
    orders = {order["orderId"]: order for order in _orders(salt)}
    sentinel = {**_order(f"sentinel {salt}"), "status": "untouched"}
    rejected = [json.dumps({**order, "quantity": 0}) for order in orders.values()]
    with visibility_timeout(deployment, visibility):
        publish(deployment, [json.dumps(sentinel), *map(json.dumps, orders.values()), *rejected])
        drain(deployment)
    table = stored_events(deployment)
    problems = [f"not stored as it was sent: {order!r}" for order, event in orders.items() if table.get(order) != event]
    if table.get(sentinel["orderId"]) != sentinel:
        problems.append("an order that no message named was changed")
    lines = list(log.new_lines())
    problems += [f"a forged log line: {line}" for line in lines if line.fields.get("orderId") == "forged"]
    printed = list(_printed(deployment, commands, list(orders)))
    problems += [f"`{what}` prints {found!r}" for what, text in printed if (found := _unsafe(text))]
    if not any(MARK in text for _, text in printed):
        problems.append("no command printed any of the texts: the proof proved nothing")
    _forget(deployment, rejected)
    return Result(
        promise="no text of a message is ever a command: to DynamoDB, to the log, or to an operator's terminal",
        test="Texts that would be PartiQL, log lines, terminal escapes or markup go through every field, in orders and "
        "in rejected messages. Every order must be stored as it was sent and another one stay untouched; every log "
        "line must be the handler's; what the operator's commands print, into a pipe and on a terminal, must hold no "
        "character that a terminal obeys.",
        figures={
            "texts": len(TEXTS),
            "fields": len(FIELDS),
            "orders stored as they were sent": len(orders),
            "log lines read": len(lines),
            "outputs of commands read, half of them from a terminal": len(printed),
        },
        problems=tuple(problems[:10]),
    )


def _order(order_id: str) -> dict[str, Any]:
    return {
        "orderId": order_id,
        "userId": "U1",
        "itemName": "Laptop",
        "quantity": 1,
        "status": "new",
        "timestamp": "2025-05-03T12:00:00Z",
    }


def _orders(salt: str) -> Iterator[dict[str, Any]]:
    for number, text in enumerate(TEXTS.values()):
        for name in FIELDS:
            order = _order(f"I-{salt}-{number}-{FIELDS.index(name)}")
            match name:
                case "orderId":
                    yield {**order, "orderId": f"{text} {salt}"}
                case "the name of an attribute":
                    yield {**order, text: 1}
                case "the value of an attribute":
                    yield {**order, "note": {"deep": [text]}}
                case _:
                    yield {**order, name: text}


def _printed(deployment: Deployment, commands: Sequence[Sequence[str]], orders: list[str]) -> Iterator[tuple[str, str]]:
    """What each command prints, into a pipe and on a terminal."""
    escape = next(order for order in orders if "\x1b[2J" in order)
    for words in commands:
        arguments = [escape if word == ORDER else word for word in words]
        done = command(deployment, *arguments)
        yield f"ops {' '.join(arguments)}", done.stdout + done.stderr
        yield f"ops {' '.join(arguments)} on a terminal", on_terminal(deployment, *arguments)


def _unsafe(text: str) -> str:
    """The first characters that a terminal would obey, with what surrounds them; empty if there are none."""
    for line in OF_RICH.sub("", text).replace("\r\n", "\n").split("\n"):
        if not line.isprintable():
            at = next(position for position, character in enumerate(line) if not character.isprintable())
            return line[max(0, at - 30) : at + 30]
    # Colours of ours end before a text begins: one right before the mark is the message's own.
    return "a colour of the message's" if f"\x1b[31m{MARK}" in text else ""


def on_terminal(deployment: Deployment, *arguments: str) -> str:
    """Run `./orders` on a terminal of its own and return everything that it wrote there."""
    path = Path(deployment.cloud.folder) / "addresses.json"
    ours, theirs = pty.openpty()
    with written_addresses(deployment, path), os.fdopen(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-m", "tools", "--outputs", str(path), *arguments],
            cwd=ROOT,
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "200"},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        )
        os.close(theirs)
        chunks = []
        try:
            while chunk := screen.read(65536):
                chunks.append(chunk)
        except OSError:  # how Linux says that the other end is closed
            pass
        process.wait(timeout=60)
    return b"".join(chunks).decode(errors="replace")


def _forget(deployment: Deployment, bodies: list[str]) -> None:
    """Take our dead letters out of the queue again: other proofs may share the deployment."""
    sqs, url = deployment.client("sqs"), deployment.outputs["deadLetterQueueUrl"]
    wanted = set(bodies)
    while wanted & bodies_in(deployment, "deadLetterQueueUrl").keys():
        for message in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", []):
            if message["Body"] in wanted:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
