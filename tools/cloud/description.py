"""Says where a stack on the local cloud is, and how to use it."""

import json
import shlex
from pathlib import Path

from tools.cloud.deployment import Deployment
from tools.cloud.traffic import EXAMPLE
from tools.root import ROOT
from tools.terminal import GOOD, Printer


def describe(deployment: Deployment, addresses: Path, printer: Printer) -> None:
    """Say what runs where, and how to use it from another terminal."""
    printer.line(f"The pipeline runs on {deployment.cloud.endpoint}", style=GOOD)
    printer.line(f"deployed in {deployment.seconds:.1f} s")
    printer.line()
    for name, value in deployment.outputs.items():
        if not isinstance(value, list):  # lists are for `ops` to read
            printer.line(f"  {name:<31}{value}")
    printer.line()
    printer.line(f"Addresses and credentials are in {addresses}")
    printer.line(f"Publish an order from another terminal, in {ROOT}:")
    printer.line()
    for line in publish_command(addresses).split("\n"):
        printer.line(line)
    printer.line()
    printer.line("Ctrl-C stops it and leaves nothing behind. The function's log:")
    printer.line()


def publish_command(addresses: Path) -> str:
    """A command for a POSIX shell, in the project's folder, that publishes the example order."""
    words = ["./orders", "--outputs", str(addresses.absolute()), "publish", "-"]
    return f"echo {shlex.quote(json.dumps(EXAMPLE))} | \\\n  {shlex.join(words)}"
