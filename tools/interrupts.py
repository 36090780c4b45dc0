"""Ctrl-C and SIGTERM end a command for sure, and leave its cleaning up in peace."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType

AGAIN = 0.2
"""Seconds after which an interrupt that was lost is raised again."""
_raising = False


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM raise KeyboardInterrupt inside the block, again and again until it begins to clean up.

    Once is not enough: what a signal handler raises is lost if it comes in a finaliser, in a callback of C code, or
    where a library catches everything. Python then reports the loss with a traceback, which is left out. Of what fails
    in the block after an interrupt, the interrupt is the cause.
    """
    global _raising
    interrupted = False

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        nonlocal interrupted
        if _raising:
            interrupted = True
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
            raise KeyboardInterrupt

    def report(lost: "sys.UnraisableHookArgs") -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            reported(lost)

    reported, sys.unraisablehook = sys.unraisablehook, report
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    before = {number: signal.signal(number, interrupt) for number in numbers}
    _raising = True
    try:
        yield
    except Exception:
        if interrupted:
            raise KeyboardInterrupt from None
        raise
    finally:
        cleaning_up()
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook = reported


def cleaning_up() -> None:
    """From here to its end, what is `interruptible` is interrupted no more."""
    global _raising
    if _raising:
        _raising = False
        signal.setitimer(signal.ITIMER_REAL, 0)
