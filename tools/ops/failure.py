"""How a command fails: an exit status for scripts, and a text that says what to do."""

import contextlib
from collections.abc import Callable, Iterator

from tools import interrupts
from tools.terminal import Printer

NO = 1
"""The command ran, and its answer is no: an order is missing, a check failed, a message could not be sent."""
USAGE = 2
"""The arguments or a file given must be corrected first; nothing was done."""
UNREACHABLE = 3
"""It could not be told or done: the stack's services were not reached or refused, or a disk was full."""


class Failure(RuntimeError):  # noqa: N818 - the word that operators use
    """A command that cannot go on; the text says what must hold, what was found, and how to fix it."""

    def __init__(self, text: str, status: int = USAGE) -> None:
        super().__init__(text)
        self.status = status


@contextlib.contextmanager
def accounting(printer: Printer, account: Callable[[], str]) -> Iterator[None]:
    """Whatever ends the block early, say what was done until then."""
    try:
        yield
    except BaseException:
        with interrupts.held():
            printer.error(account())
        raise
