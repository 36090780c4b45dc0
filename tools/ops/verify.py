"""`verify`: three checks, of the queues, the function's log and the table, as one verdict."""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

import click

from functions.process_order.orders import Rejected, parse
from tools.ops import logs, status, table
from tools.ops.arguments import quoted, spanning
from tools.ops.failure import NO, Failure
from tools.ops.files import read_text
from tools.ops.publish import read_bodies
from tools.ops.stack import Stack
from tools.terminal import BAD, GOOD, Advance, Printer, ago


@dataclass(frozen=True, kw_only=True)
class Check:
    """One check and its answer."""

    name: str
    ok: bool
    text: str
    early: bool = False
    """Whether the answer may still turn good by itself."""


@click.argument("file", required=False)
@spanning("--since", "5m", "how far back to read the log")
@spanning("--wait", "30s", "time for it to settle")
@click.option("--orders-only", is_flag=True, help="let FILE's orders decide, and only show queues and log")
def run(stack: Stack, printer: Printer, *, file: str | None, since: float, wait: float, orders_only: bool) -> int:
    """Hold the stack against the orders of a file (`-` for standard input), or against none."""
    if orders_only and not file:
        raise click.UsageError("--orders-only needs FILE, whose orders decide")
    newest = expected(read_bodies(read_text(file))) if file else {}
    deadline = time.monotonic() + wait
    with printer.progress("looking for the orders", len(newest)) as bar:
        stored = check_table(stack, newest, seconds=wait, advance=bar)  # first, because the others follow from it
    checks = [
        _settled(lambda: check_queues(stack), deadline),
        _settled(lambda: check_log(stack, seconds=since), deadline),
        stored,
    ]
    verified = stored.ok if orders_only else all(check.ok for check in checks)
    if printer.as_json:
        printer.json({"verified": verified, "checks": [asdict(check) for check in checks]})
    for check in checks:
        mark, style = ("✔", GOOD) if check.ok else ("!", "") if orders_only and check is not stored else ("✘", BAD)
        printer.line(f"{mark} {check.name:8}{check.text}", style=style)
    printer.line("verified" if verified else "not verified", style=GOOD if verified else BAD)
    return 0 if verified else NO


def expected(bodies: list[str]) -> dict[str, str]:
    """The version that the table must hold of each order, once it has seen all of the bodies.

    Raises:
        Failure: a body breaks the contract.
    """
    found = []
    for position, body in enumerate(bodies, 1):
        try:
            found.append(parse(body))
        except Rejected as rejected:
            raise Failure(f"order {position} of FILE must keep the contract to be verified: {rejected}") from None
    return table.newest((order.order_id, order.version) for order in found)


def check_queues(stack: Stack) -> Check:
    """Nothing waits to be stored, and nothing is a dead letter of any consumer."""
    urls = dict.fromkeys([stack["queueUrl"], *(each.url for each in stack.dead_letters.values())])
    found = [status.depth(stack, url) for url in urls]
    counts = [queue["visible"] + queue["inFlight"] + queue["delayed"] for queue in found]
    text = ", ".join(f"{queue['name']} {count or 'empty'}" for queue, count in zip(found, counts, strict=True))
    if any(counts[1:]):
        text += "; `dlq list` says why"
    return Check(name="queues", ok=not any(counts), text=text, early=counts[0] > 0)


def check_log(stack: Stack, *, seconds: float) -> Check:
    """The function has processed batches lately, and no message failed or was rejected."""
    read = logs.read(stack, start=logs.since(seconds), pattern=logs.LOUD, functions=stack.functions[:1])
    lines = [line for _, line in read]
    sums = logs.totals(lines)
    bad = [line for line in lines if line.level in ("WARN", "ERROR", "FATAL")]
    counts = ", ".join(f"{sums[name]} {name}" for name in logs.OUTCOMES)
    text = f"{sums['batches']} batches in the last {ago(seconds)}: {counts}"
    if not sums["batches"]:
        text += "; nothing shows that it works: `publish --generate 1`, then verify again"
    if bad:
        latest = bad[-1].text.split("\n")[0]
        text += f"; the latest of {len(bad)} warnings and errors: {latest}"
    works = sums["batches"] > 0
    return Check(name="log", ok=works and not bad, text=text, early=not works and not bad)


def check_table(stack: Stack, newest: dict[str, str], *, seconds: float, advance: Advance) -> Check:
    """The table is ready and, waited for so long, holds every expected order at its version or a newer one."""
    found, stored = status.table(stack), dict[str, str]()
    lacking = table.wait_until_stored(stack, newest, seconds=seconds, stored=advance, seen=stored)
    orders = f"{len(newest) - len(lacking)} of {len(newest)} orders" if newest else f"about {found['items']} orders"
    text = "; ".join([f"{found['name']} {found['state']}, {orders} stored", *table.remarks(stored, newest)])
    if lacking:
        text += f"; `trace {quoted(min(lacking))}` says where one of the others is"
    frozen = any(table.ahead(version) == table.FAR for version in stored.values())
    ready = found["state"] in ("ACTIVE", "UPDATING")
    return Check(name="table", ok=ready and not lacking and not frozen, text=text)


def _settled(check: Callable[[], Check], deadline: float) -> Check:
    while (found := check()).early and time.monotonic() < deadline:
        time.sleep(0.5)
    return found
