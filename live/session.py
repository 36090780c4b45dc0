"""One run of the local cloud with its page: what starts with it, and ends with it."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from live.actions import Actions
from live.feed import Feed
from live.outage import Outage
from live.redeploy import Ledger
from live.server import serving
from live.watching import Watcher
from local.deploy import check_place, deployed, enforce_policies, written_addresses
from local.up import describe
from ops import tail
from ops.stack import local_stack
from recording.interrupts import cleaning_up
from terminal import BAD, GOOD, Printer

SERVICES = ("sns", "sqs", "dynamodb", "logs", "lambda", "cloudwatch", "iam")


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
                for number, line in self.feed.lines_after(shown):
                    tail.show(line, self.printer)
                    shown = number
                time.sleep(0.3)
        except KeyboardInterrupt:
            self.printer.line("stopped")


@contextlib.contextmanager
def session(*, stack: str, port: int | None, outputs: Path | None, printer: Printer) -> Iterator[Session]:
    """A stack on the local cloud, and its page, for as long as the block runs."""
    check_place(outputs)
    enforce_policies(stack, printer)
    ledger = Ledger()
    with (
        deployed(stack=stack, port=port, observed=ledger.observe) as deployment,
        written_addresses(deployment, outputs) as addresses,
    ):
        pipeline = local_stack("the local cloud", deployment.addresses())
        for service in SERVICES:  # threads share the clients, and must not be the first to ask for one
            pipeline.client(service)
        with (
            Outage(pipeline) as outage,
            Feed(pipeline, outage) as feed,
            serving(feed, Actions(pipeline, feed, outage)) as url,
        ):

            def say(text: str, *, good: bool) -> None:
                feed.notice(text, good=good)
                printer.line(text, style=GOOD if good else BAD)

            watcher = Watcher(stack=stack, cloud=deployment.cloud, ledger=ledger, say=say)
            printer.line(f"The live page: {url}", style="bold")
            printer.line()
            describe(deployment, addresses, printer)
            with watcher.watching():
                try:
                    yield Session(url=url, feed=feed, printer=printer)
                finally:
                    cleaning_up()
