"""`./orders local`: the stack on the local cloud with its page, until it is told to stop."""

import contextlib
import io
import webbrowser
from collections.abc import Iterator
from pathlib import Path

import click
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tools.cloud.cloud import explained, free_port
from tools.cloud.deploy import check_place, deployed, enforcing, write_addresses, written_addresses
from tools.cloud.deployment import Deployment
from tools.cloud.description import describe
from tools.cloud.emulator import DEBUG, REMEMBER
from tools.interrupts import cleaning_up
from tools.live.actions import Actions
from tools.live.beginning import begin, earlier, memory_of, orders_of
from tools.live.feed import Feed
from tools.live.outage import Outage
from tools.live.pipeline import Pipeline
from tools.live.server import page_token, serving
from tools.live.watching import Watcher
from tools.ops import logs, tail
from tools.ops.logs import Line
from tools.ops.stack import local_stack
from tools.recording.pack import serve
from tools.root import ROOT
from tools.terminal import BAD, GOOD, Printer

PAGE_PORT = 4580
"""Where the page is, so that a browser finds it again after a restart."""
DEBUG_PORT = 5678
"""Where an editor looks for a debugger if it is not told otherwise."""
LOOK = 0.3
"""Seconds between two looks at the log."""


@click.option("--stack", default="local", help="which Pulumi.STACK.yaml")
@click.option("--port", type=int, help="loopback port of the local cloud; default: a free one")
@click.option("--page-port", type=int, default=PAGE_PORT, show_default=True, help="loopback port of the page")
@click.option("--outputs", type=Path, metavar="FILE", help="write addresses and credentials there, as JSON")
@click.option("--seed", metavar="FILE", help="publish the orders of a file at the start")
@click.option("--replay", is_flag=True, help="publish again what was published at the last start with --replay")
@click.option(
    "--debug", type=int, is_flag=False, flag_value=DEBUG_PORT, metavar="[PORT]", help="let an editor debug ProcessOrder"
)
@click.option("--open", "opened", is_flag=True, help="open the page in the browser")
@click.option("--no-page", is_flag=True, help="only deploy, and follow the function's log")
def run(
    printer: Printer,
    *,
    stack: str,
    port: int | None,
    page_port: int,
    outputs: Path | None,
    seed: str | None,
    replay: bool,
    debug: int | None,
    opened: bool,
    no_page: bool,
) -> None:
    """Run until Ctrl-C."""
    check_place(outputs)
    seeds, variables = orders_of(seed) if seed else [], dict[str, str]()
    if replay:
        variables[REMEMBER] = str(memory_of(stack))
    if debug is not None:
        variables[DEBUG] = str(free_port(debug))
    remembered = earlier(memory_of(stack)) if replay else []
    with explained(), contextlib.ExitStack() as more:
        # An edit is judged by the pack that runs: its start takes longer than the rest of an edit.
        pack = None if no_page else more.enter_context(serve(stack=stack))
        deployment = more.enter_context(
            deployed(stack=stack, port=port, judge=enforcing(printer, pack), variables=variables)
        )
        addresses = more.enter_context(written_addresses(deployment, outputs))
        pipeline, start = local_stack("the local cloud", deployment.addresses()), logs.since(0)
        lines = logs.follow(pipeline, start=start, interval=LOOK)
        if pack:
            url, lines = more.enter_context(page(deployment, addresses, pack, port=page_port, printer=printer))
            printer.line(f"The live page: {url}", style="bold")
            printer.line()
            if opened:
                webbrowser.open(url)
        begin(pipeline, printer, remembered=remembered, seeds=seeds)
        if debug is not None:
            # A worker, to which an editor can attach, before the first order comes.
            pipeline.client("lambda").invoke(FunctionName=pipeline["functionName"], Payload=b'{"Records": []}')
            printer.line(f"An editor attaches to ProcessOrder at 127.0.0.1:{debug}: docs/live.md says how", style=GOOD)
        describe(deployment, addresses, printer)
        follow(lines, printer)


def follow(lines: Iterator[Line], printer: Printer) -> None:
    """Print the functions' log until interrupted."""
    try:
        for line in lines:
            if tail.wanted(line):
                tail.show(line, printer)
    except KeyboardInterrupt:
        cleaning_up()
        printer.line("stopped")


@contextlib.contextmanager
def page(
    deployment: Deployment, addresses: Path, pack: AnalyzerStub, *, port: int, printer: Printer
) -> Iterator[tuple[str, Iterator[Line]]]:
    """The page of a stack, which follows edits, for as long as the block runs: its address, and the log."""
    pipeline = Pipeline(local_stack("the local cloud", deployment.addresses()))
    with (
        Outage(pipeline) as outage,
        Feed(pipeline, outage) as feed,
        serving(feed, Actions(pipeline, feed, outage), port=port, token=page_token(ROOT)) as url,
    ):

        def say(text: str, *, good: bool) -> None:
            feed.notice(text, good=good)
            printer.line(text, style=GOOD if good else BAD)

        def moved() -> None:
            """Page, commands and the addresses' file go by what the program exports now."""
            write_addresses(deployment, addresses)
            pipeline.use(local_stack("the local cloud", deployment.addresses()))

        judge = enforcing(Printer(out=io.StringIO()), pack)
        with Watcher(deployment, say=say, judge=judge, applied=moved).watching():
            try:
                yield url, feed.history.lines(LOOK)
            finally:
                cleaning_up()
