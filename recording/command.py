"""Runs a command to its exit status: what goes wrong is one message in red, never a traceback."""

from collections.abc import Callable

from recording.interrupts import interruptible
from terminal import Printer

INTERRUPTED = 130
"""The exit status of a command that was interrupted, as a shell gives it."""


def exit_status(command: Callable[[], int]) -> int:
    """What a command returns, 1 after an error, or 130 if SIGINT or SIGTERM ended it."""
    printer = Printer()
    try:
        with interruptible():
            return command()
    except KeyboardInterrupt:
        printer.error("interrupted")
        return INTERRUPTED
    except Exception as error:
        import pulumi  # takes long, and does not matter before

        if not isinstance(error, OSError | RuntimeError | ValueError | pulumi.RunError):
            raise
        printer.error(str(error))
        return 1
