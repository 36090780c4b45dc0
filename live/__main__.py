"""`python -m live`: a stack on the local cloud with a page that shows it, deployed again as its files change."""

import argparse
import signal
import sys
import webbrowser
from pathlib import Path
from types import FrameType

import pulumi
from botocore.exceptions import BotoCoreError, ClientError

from live.session import session
from local.cloud import CloudError
from ops.failure import Failure
from terminal import Printer


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C; 0 if it could start, 1 after an error, 2 for wrong arguments."""
    options = _parser().parse_args(arguments)
    printer = Printer()
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    try:
        with session(stack=options.stack, port=options.port, outputs=options.outputs, printer=printer) as running:
            if options.open:
                webbrowser.open(running.url)
            running.follow()
    except KeyboardInterrupt:
        printer.line("stopped")
        return 0
    except (CloudError, Failure, OSError, RuntimeError, ValueError, pulumi.RunError) as error:
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
    parser = argparse.ArgumentParser(prog="python -m live", description=__doc__)
    parser.add_argument("--stack", default="local", help="which Pulumi.STACK.yaml (default: %(default)s)")
    parser.add_argument("--port", type=int, help="loopback port of the local cloud (default: a free one)")
    parser.add_argument("--outputs", type=Path, metavar="FILE", help="write addresses and credentials there, as JSON")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    return parser


if __name__ == "__main__":
    sys.exit(main())
