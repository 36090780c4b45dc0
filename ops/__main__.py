"""`python -m ops`: operates a deployed order pipeline."""

import importlib
import os
import sys
from argparse import Namespace

from ops import arguments
from ops.failure import Failure
from ops.printing import Printer

VERBS = {
    "publish": ("ops.publish", "run"),
    "status": ("ops.status", "run"),
    "verify": ("ops.verify", "run"),
    "trace": ("ops.trace", "run"),
    "tail": ("ops.tail", "run"),
    "dlq list": ("ops.dlq", "list_messages"),
    "dlq show": ("ops.dlq", "show"),
    "dlq redrive": ("ops.redrive", "run"),
    "dlq export": ("ops.dlq", "export"),
    "dlq import": ("ops.dlq", "import_messages"),
    "dlq purge": ("ops.dlq", "purge"),
}
"""Where each verb lives: only the one that runs is imported, so that starting takes no time."""
INTERRUPTED = 130


def main(command_line: list[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = arguments.parse(command_line)
    printer = Printer(as_json=options.as_json)
    try:
        return _run(options, printer)
    except Failure as failure:
        printer.error(str(failure))
        return failure.status
    except KeyboardInterrupt:
        if options.verb == "tail" or getattr(options, "watch", False):
            return 0  # how looking on ends
        printer.error("interrupted: what was sent is sent, and the rest is where it was")
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read has seen enough; what is still buffered must not fail once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(options: Namespace, printer: Printer) -> int:
    if options.verb == "cost":
        from ops import cost

        return cost.run(options, printer)
    from ops.stack import connect

    stack = connect(stack=options.stack, outputs=options.outputs)
    from ops.refusals import explained

    module, name = VERBS[options.verb]
    with explained(stack.origin):
        return int(getattr(importlib.import_module(module), name)(stack, options, printer))


if __name__ == "__main__":
    sys.exit(main())
