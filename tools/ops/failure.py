"""How a command fails: an exit status for scripts, and a text that says what to do."""

NO = 1
"""The command ran, and its answer is no: an order is missing, a check failed, a message could not be sent."""
USAGE = 2
"""The arguments or a file given must be corrected first; nothing was done."""
UNREACHABLE = 3
"""The stack's services could not be reached, or refused: addresses, credentials or permissions must be corrected."""


class Failure(RuntimeError):  # noqa: N818 - the word that operators use
    """A command that cannot go on; the text says what must hold, what was found, and how to fix it."""

    def __init__(self, text: str, status: int = USAGE) -> None:
        super().__init__(text)
        self.status = status
