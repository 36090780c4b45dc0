"""`python -m live`: a stack on the local cloud with a page that shows it, deployed again as its files change."""

import argparse
import sys
from pathlib import Path

from recording.command import exit_status
from terminal import Printer


def main(arguments: list[str] | None = None) -> int:
    """Run until Ctrl-C; 0 if it could start, 1 after an error, 2 for wrong arguments, 130 if stopped before that."""
    options = _parser().parse_args(arguments)
    return exit_status(lambda: _run(options))


def _run(options: argparse.Namespace) -> int:
    import webbrowser  # here, and not above: loading, too, can be interrupted

    from live.session import session
    from local.cloud import explained

    choices = {"stack": options.stack, "port": options.port, "outputs": options.outputs}
    with explained(), session(**choices, printer=Printer()) as running:
        if options.open:
            webbrowser.open(running.url)
        running.follow()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m live", description=__doc__)
    parser.add_argument("--stack", default="local", help="which Pulumi.STACK.yaml (default: %(default)s)")
    parser.add_argument("--port", type=int, help="loopback port of the local cloud (default: a free one)")
    parser.add_argument("--outputs", type=Path, metavar="FILE", help="write addresses and credentials there, as JSON")
    parser.add_argument("--open", action="store_true", help="open the page in the browser")
    return parser


if __name__ == "__main__":
    sys.exit(main())
