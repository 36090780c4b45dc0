"""`python -m local`: runs the order pipeline on this machine, without an AWS account."""

import argparse
import signal
import sys
from pathlib import Path
from types import FrameType

import pulumi
from botocore.exceptions import BotoCoreError, ClientError

from local.cloud import CloudError
from recording.graph import stack_config
from terminal import Printer

INTERRUPTED = 130


def main(arguments: list[str] | None = None) -> int:
    """Run one command; 0 if it did what it was asked to, 1 after an error, 2 for wrong arguments."""
    options = _parser().parse_args(arguments)
    printer = Printer()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        return int(options.run(options, printer) or 0)
    except KeyboardInterrupt:
        printer.line("stopped")
        return 0 if options.run is _up else INTERRUPTED  # that is how `up` ends
    except (CloudError, OSError, RuntimeError, ValueError, pulumi.RunError) as error:
        printer.error(str(error))
    except (BotoCoreError, ClientError) as error:
        printer.error(f"the local cloud refused a request: {error}")
    return 1


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """End in order, once: a second signal must not interrupt the cleaning up."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


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

    region = options.region or stack_config("local")[1]["aws:region"]
    return engine(options.command, region=region, printer=printer)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) > 1_000_000:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to 1000000, got {text}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
