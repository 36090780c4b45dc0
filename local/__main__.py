"""`python -m local`: runs the order pipeline on this machine, without an AWS account."""

import argparse
import sys
from pathlib import Path

from recording.command import exit_status
from terminal import Printer


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 if it did what it was asked to, 1 after an error, 2 for wrong arguments, 130 if stopped."""
    options = _parser().parse_args(arguments)
    return exit_status(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    from local.cloud import explained  # here, and not above: loading, too, can be interrupted

    with explained():
        return int(options.run(options, Printer()) or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="deploy a stack and follow the function's log until Ctrl-C")
    up.add_argument("--stack", default="local", help="which Pulumi.STACK.yaml (default: %(default)s)")
    up.add_argument("--port", type=int, help="loopback port (default: a free one)")
    up.add_argument("--outputs", type=Path, metavar="FILE", help="write addresses and credentials there, as JSON")
    up.set_defaults(run=_up)

    engine = commands.add_parser(
        "engine", help="run a command, or a shell, in which the Pulumi CLI works on a local cloud of its own"
    )
    engine.add_argument("--region", help="of the local cloud (default: that of Pulumi.yaml)")
    engine.add_argument("command", nargs="*", metavar="-- COMMAND", help="what to run, such as: make up STACK=local")
    engine.set_defaults(run=_engine)

    demo = commands.add_parser("demo", help="send real traffic through the pipeline and check where all of it ended")
    demo.add_argument("--orders", type=_count, default=1000, help="how many orders to generate (default: %(default)s)")
    demo.add_argument("--seed", type=int, default=1, help="the same seed gives the same traffic (default: %(default)s)")
    demo.set_defaults(run=_demo)
    return parser


def _up(options: argparse.Namespace, printer: Printer) -> None:
    from local.up import up  # each command imports only what it runs

    up(stack=options.stack, port=options.port, outputs=options.outputs, printer=printer)


def _demo(options: argparse.Namespace, printer: Printer) -> int:
    from local.demo import demo

    return 0 if demo(orders=options.orders, seed=options.seed, printer=printer) else 1


def _engine(options: argparse.Namespace, printer: Printer) -> int:
    from local.engine import engine
    from recording.graph import stack_config

    region = options.region or stack_config("local")[1]["aws:region"]
    return engine(options.command, region=region, printer=printer)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 1_000_000:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to 1000000, got {text}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
