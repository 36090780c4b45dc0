"""`publish`: checks order events against the contract and publishes them to the topic."""

import contextlib
import itertools
import json
import random
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import click
from botocore.exceptions import ClientError

from functions.process_order import orders
from tools.ops import table
from tools.ops.arguments import attribute, rated, unchecked
from tools.ops.failure import NO, Failure, accounting
from tools.ops.files import read_text, writing
from tools.ops.refusals import DENIED
from tools.ops.sending import BATCH, BATCH_BYTES, Entry, Pace, Refused, batches, send
from tools.ops.stack import Stack
from tools.root import ROOT
from tools.terminal import BAD, GOOD, Advance, Printer

THREADS = 8
"""Batches on their way at once."""
COMPARED = 1000
"""Orders that are held against the table before they are published; `verify` looks at any number."""
SHOWN = 10
"""Problems that are spelled out."""


@click.argument("file", required=False)
@click.option("--generate", "count", type=click.IntRange(min=1), metavar="N", help="publish N orders made up here")
@click.option("--save", metavar="FILE", help="keep what is published, for `verify FILE`")
@unchecked
@rated
@click.option(
    "--attribute",
    "attributes",
    type=attribute,
    multiple=True,
    metavar="NAME=VALUE",
    help="a message attribute, by which other consumers may filter; may be repeated",
)
def run(
    stack: Stack,
    printer: Printer,
    *,
    file: str | None,
    count: int | None,
    save: str | None,
    no_check: bool,
    rate: int | None,
    attributes: tuple[tuple[str, str], ...] = (),
) -> int:
    """Publish the orders of a file (`-` for standard input), or made-up ones."""
    if (file is None) == (count is None):
        raise Failure("either FILE or --generate N must be given, and not both")
    bodies = list(generate(count)) if count else read_bodies(read_text(str(file)))
    if not bodies:
        raise Failure(f"{file} must hold at least one order, got none")
    check(bodies, contract=not no_check)
    if save:
        with writing(save) as saved:
            saved.writelines(f"{body}\n" for body in bodies)
    remarks = [] if count else compare(stack, bodies)
    for remark in remarks:
        printer.line(f"! {remark}", style="yellow")
    started = time.monotonic()
    with (
        printer.progress("publishing", len(bodies)) as bar,
        accounting(printer, lambda: f"published {bar.steps} of {len(bodies)} orders before it ended"),
    ):
        refused = publish(stack, bodies, pace=Pace(rate), attributes=dict(attributes), advance=bar)
    seconds = time.monotonic() - started
    published = len(bodies) - len(refused)
    if printer.as_json:
        failed = [{"position": r.position + 1, "reason": r.reason} for r in refused]
        figures = {"published": published, "failed": failed, "remarks": remarks, "seconds": round(seconds, 3)}
        printer.json(figures)
    printer.line(
        f"published {published} of {len(bodies)} orders in {seconds:.1f} s ({published / max(seconds, 1e-9):.0f}/s)",
        style=BAD if refused else GOOD,
    )
    for refusal in refused[:SHOWN]:
        printer.line(f"  order {refusal.position + 1} was not taken: {refusal.reason}", style=BAD)
    return NO if refused else 0


def compare(stack: Stack, bodies: Sequence[str]) -> list[str]:
    """What the table says beforehand of orders that will not be stored as they are."""
    if len(bodies) > COMPARED:
        return []
    known = []
    for body in bodies:
        with contextlib.suppress(orders.Rejected):
            known.append(orders.parse(body))
    newest = table.newest((order.order_id, order.version) for order in known)
    try:
        return table.remarks(table.versions(stack, newest), newest)
    except ClientError as error:
        if error.response["Error"]["Code"] not in DENIED:
            raise
        return ["not compared with the table: your credentials do not allow dynamodb:BatchGetItem"]


def publish(
    stack: Stack,
    bodies: Sequence[str],
    *,
    pace: Pace,
    attributes: Mapping[str, str] | None = None,
    advance: Advance = lambda _steps: None,
) -> list[Refused]:
    """Publish each body as one message with the attributes; return those that the topic did not take.

    An order is published once, except when an answer of SNS is lost: then again, which the table ignores.
    """
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in (attributes or {}).items()}
    entries = [{"Message": body, "MessageAttributes": typed} for body in bodies]
    return publish_entries(stack, entries, pace=pace, advance=advance)


def publish_entries(
    stack: Stack, entries: Sequence[Entry], *, pace: Pace, advance: Advance = lambda _steps: None
) -> list[Refused]:
    """Publish messages, each with attributes of its own, in batches."""
    sns, topic = stack.client("sns"), stack["topicArn"]

    def publish_batch(run: range) -> list[Refused]:
        pace.wait(len(run))
        refused = send(
            lambda batch: sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=batch),
            [entries[position] for position in run],
        )
        advance(len(run))
        return [Refused(position=run[r.position], reason=r.reason) for r in refused]

    runs = batches([_size(entry) for entry in entries], most=pace.at_once)
    with ThreadPoolExecutor(THREADS if pace.at_once == BATCH else 1) as pool:
        return list(itertools.chain.from_iterable(pool.map(publish_batch, runs)))


def _size(entry: Entry) -> int:
    """Bytes of a message: its attributes count, with their names and types."""
    attached = [part for name, typed in entry["MessageAttributes"].items() for part in (name, *typed.values())]
    return sum(len(part if isinstance(part, bytes) else part.encode()) for part in (entry["Message"], *attached))


def read_bodies(text: str) -> list[str]:
    """The orders in a text: one JSON value, the elements of one JSON array, or else one order on each line.

    Each is kept letter for letter: reading and writing it again could change a number.
    """
    text = text.strip()
    cuts = _cuts(text)
    if not cuts:
        return [line.strip() for line in text.split("\n") if line.strip()]  # a JSON text may hold other line ends
    if text[0] == "{":
        return [text]
    parts = [text[start + 1 : end].strip() for start, end in itertools.pairwise(cuts)]
    return [] if parts == [""] else parts


def _cuts(text: str) -> list[int]:
    """Where a text that is one list or object as a whole has its outer brackets and commas; nothing for another."""
    if text[:1] not in ("[", "{"):
        return []
    depth, cuts = 0, list[int]()
    for found in re.finditer(r'"(?:[^"\\]|\\.)*"|[\[\]{},]', text, re.DOTALL):
        mark, at = found[0], found.start()
        depth += (mark in "[{") - (mark in "]}")
        if at == 0 or depth == 0 or (mark == "," and depth == 1):
            cuts.append(at)
        if depth == 0:
            return cuts if at == len(text) - 1 else []
    return []


def check(bodies: Sequence[str], *, contract: bool = True) -> None:
    """Refuse bodies that can never be stored, or published at all.

    Raises:
        Failure: with every problem, by position; nothing may be published.
    """
    problems = []
    for position, body in enumerate(bodies, 1):
        if len(body.encode(errors="replace")) > BATCH_BYTES:
            problems.append(f"order {position}: a message must be at most {BATCH_BYTES} bytes long, got more")
        elif contract and (problem := reason(body)):
            problems.append(f"order {position}: {problem}")
    if problems:
        more = [f"... and {len(problems) - SHOWN} more"] if len(problems) > SHOWN else []
        raise Failure(
            f"{len(problems)} of {len(bodies)} orders must be corrected, and nothing was published "
            "(--no-check sends them as they are):\n" + "\n".join(f"  {p}" for p in [*problems[:SHOWN], *more])
        )


def reason(body: str) -> str:
    """Why the function will reject a body; empty if it will accept it."""
    try:
        orders.parse(body)
    except orders.Rejected as rejected:
        return str(rejected)
    return ""


def generate(count: int) -> Iterator[str]:
    """So many orders with ids of their own, as a shop could send them."""
    chance = random.Random()  # noqa: S311 - sample data
    run = f"{chance.randrange(16**6):06x}"
    example = json.loads((ROOT / "functions/process_order/order.schema.json").read_text())["examples"][0]
    goods = ("Laptop", "Phone", "Headphones", "Keyboard", "Monitor", "Desk lamp")
    for number in range(1, count + 1):
        order = {
            **example,
            "orderId": f"G{run}-{number}",
            "userId": f"U{chance.randrange(1000)}",
            "itemName": chance.choice(goods),
            "quantity": chance.randint(1, 5),
            "timestamp": datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        }
        yield json.dumps(order)
