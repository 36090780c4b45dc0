"""One run of the local cloud with its page: what starts with it, and ends with it."""

import contextlib
import time
import webbrowser
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from tools.cloud.cloud import explained
from tools.cloud.deploy import check_place, deployed, enforcing, write_addresses, written_addresses
from tools.cloud.up import describe, up
from tools.interrupts import cleaning_up
from tools.live.actions import Actions
from tools.live.feed import Feed
from tools.live.outage import Outage
from tools.live.pipeline import Pipeline
from tools.live.server import page_token, serving
from tools.live.watching import Watcher
from tools.ops import tail
from tools.ops.stack import local_stack
from tools.root import ROOT
from tools.terminal import BAD, GOOD, Printer

PAGE_PORT = 4580
"""Where the page is, so that a browser finds it again after a restart."""


@dataclass(frozen=True, kw_only=True)
class Session:
    """A running pipeline and its page."""

    url: str
    """The page's address, with the token that opens it."""
    feed: Feed
    printer: Printer

    def follow(self) -> None:
        """Print the function's log until interrupted."""
        shown = 0
        try:
            while True:
                for number, line in self.feed.history.after(shown):
                    tail.show(line, self.printer)
                    shown = number
                time.sleep(0.3)
        except KeyboardInterrupt:
            self.printer.line("stopped")


@click.option("--stack", default="local", help="which Pulumi.STACK.yaml")
@click.option("--port", type=int, help="loopback port of the local cloud; default: a free one")
@click.option("--page-port", type=int, default=PAGE_PORT, show_default=True, help="loopback port of the page")
@click.option("--outputs", type=Path, metavar="FILE", help="write addresses and credentials there, as JSON")
@click.option("--open", "opened", is_flag=True, help="open the page in the browser")
@click.option("--no-page", is_flag=True, help="only deploy, and follow the function's log")
def run(
    printer: Printer,
    *,
    stack: str,
    port: int | None,
    page_port: int,
    outputs: Path | None,
    opened: bool,
    no_page: bool,
) -> None:
    """Run until Ctrl-C."""
    with explained():
        if no_page:
            up(stack=stack, port=port, outputs=outputs, printer=printer)
            return
        with session(stack=stack, port=port, page_port=page_port, outputs=outputs, printer=printer) as running:
            if opened:
                webbrowser.open(running.url)
            running.follow()


@contextlib.contextmanager
def session(
    *, stack: str, port: int | None, page_port: int, outputs: Path | None, printer: Printer
) -> Iterator[Session]:
    """A stack on the local cloud, and its page, for as long as the block runs."""
    check_place(outputs)
    with (
        deployed(stack=stack, port=port, judge=enforcing(printer)) as deployment,
        written_addresses(deployment, outputs) as addresses,
    ):
        pipeline = Pipeline(local_stack("the local cloud", deployment.addresses()))
        with (
            Outage(pipeline) as outage,
            Feed(pipeline, outage) as feed,
            serving(feed, Actions(pipeline, feed, outage), port=page_port, token=page_token(ROOT)) as url,
        ):

            def say(text: str, *, good: bool) -> None:
                feed.notice(text, good=good)
                printer.line(text, style=GOOD if good else BAD)

            def follow() -> None:
                """Page, commands and the addresses' file go by what the program exports now."""
                write_addresses(deployment, addresses)
                pipeline.use(local_stack("the local cloud", deployment.addresses()))

            watcher = Watcher(deployment, say=say, applied=follow)
            printer.line(f"The live page: {url}", style="bold")
            printer.line()
            describe(deployment, addresses, printer)
            with watcher.watching():
                try:
                    yield Session(url=url, feed=feed, printer=printer)
                finally:
                    cleaning_up()
