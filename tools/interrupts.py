"""Ctrl-C, SIGTERM and a closed terminal end a command for sure, and leave its cleaning up in peace."""

import contextlib
import signal
import sys
from collections.abc import Iterator
from types import FrameType, TracebackType

AGAIN = 0.2
"""Seconds after which an interrupt that was lost is raised again."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)


class Interrupts:
    """Makes signals raise KeyboardInterrupt in a block, again and again until the block begins to clean up.

    Once is not enough: what a signal handler raises is lost if it comes in a finaliser, in a callback of C code, or
    where a library catches everything. Python then reports the loss with a traceback, which is left out. Of what fails
    in the block after an interrupt, the interrupt is the cause.
    """

    def __init__(self) -> None:
        self._came = self._deaf = False
        self._waiting = 0

    def __enter__(self) -> "Interrupts":
        self._reported, sys.unraisablehook = sys.unraisablehook, self._report
        self._before = {number: signal.signal(number, self._interrupt) for number in SIGNALS}
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.clean_up()
        for number, handler in self._before.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._reported
        if self._came and isinstance(error, Exception):
            raise KeyboardInterrupt from None

    def clean_up(self) -> None:
        """From here to the end of the block nothing is interrupted any more."""
        if not self._deaf:
            self._deaf = True
            signal.setitimer(signal.ITIMER_REAL, 0)

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Inside this block nothing is interrupted; what came meanwhile is raised at its end."""
        self._waiting += 1
        try:
            yield
        finally:
            self._waiting -= 1
            if self._came and not self._deaf:
                signal.setitimer(signal.ITIMER_REAL, 0.001)

    def _interrupt(self, _signal: int, _frame: FrameType | None) -> None:
        if self._deaf:
            return
        self._came = True
        if not self._waiting:
            signal.setitimer(signal.ITIMER_REAL, AGAIN)
            raise KeyboardInterrupt

    def _report(self, lost: "sys.UnraisableHookArgs") -> None:
        if not issubclass(lost.exc_type, KeyboardInterrupt):
            self._reported(lost)


def current() -> Interrupts | None:
    """Whose block this is, as the handler of the signals tells; None outside of any."""
    owner = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return owner if isinstance(owner, Interrupts) else None


def cleaning_up() -> None:
    """From here to its end, the block of `Interrupts` that runs is interrupted no more."""
    if found := current():
        found.clean_up()


def held() -> contextlib.AbstractContextManager[None]:
    """A block in which interrupts wait."""
    found = current()
    return found.held() if found else contextlib.nullcontext()
