"""Reads and writes the files that commands are given; `-` is standard input or output."""

import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tools.ops.failure import Failure


def read_text(file: str) -> str:
    """The text of a file, or of standard input for `-`.

    Raises:
        Failure: it cannot be read.
    """
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        rule = "FILE must be a readable file of UTF-8 text, or - for standard input"
        raise Failure(f"{rule}, got {file} ({error})") from None


@contextlib.contextmanager
def writing(file: str, *, new: bool = False) -> Iterator[IO[str]]:
    """A file to write text to, or standard output for `-`.

    A `new` one must not be there yet, and is gone again if the block fails.

    Raises:
        Failure: it cannot be written.
    """
    if file == "-":
        yield sys.stdout
        return
    try:
        with Path(file).open("x" if new else "w", encoding="utf-8") as out:
            try:
                yield out
            except BaseException:
                if new:
                    Path(file).unlink()
                raise
    except OSError as error:
        rule = f"FILE must be a {'new ' if new else ''}file that can be written, or - for standard output"
        raise Failure(f"{rule}, got {file} ({error})") from None
