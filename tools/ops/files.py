"""Reads and writes the files that commands are given; `-` is standard input or output."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from tools import interrupts
from tools.ops.failure import UNREACHABLE, Failure


def read_text(file: str) -> str:
    """The text of a file, or of standard input for `-`, without a byte order mark.

    Raises:
        Failure: it cannot be read.
    """
    try:
        read = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return read.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError, ValueError) as error:
        rule = "FILE must be a readable file of UTF-8 text, or - for standard input"
        raise Failure(f"{rule}, got {file} ({error})") from None


@contextlib.contextmanager
def writing(file: str) -> Iterator[IO[str]]:
    """A new file to write text to, which only its owner may read, or standard output for `-`.

    It is written beside its name, and gets its name when it is whole: never that of another file, or through a link.

    Raises:
        Failure: it cannot be written, or there is something of that name.
    """
    if file == "-":
        yield sys.stdout
        sys.stdout.flush()
        return
    path = Path(file)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    rule = "FILE must be a new file in a folder that can be written to, or - for standard output"
    try:
        if os.path.lexists(path):
            raise FileExistsError("there is something of that name")
        draft.touch(mode=0o600, exist_ok=False)
    except (OSError, ValueError) as error:
        raise Failure(f"{rule}, got {file} ({error})") from None
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as out:
            yield out
        _name(draft, path)
    except FileExistsError as error:
        raise Failure(f"{rule}, got {file} ({error})") from None
    except OSError as error:
        raise Failure(f"{file} must be written to its end, but: {error}. It is not there", UNREACHABLE) from None
    finally:
        with interrupts.held():
            draft.unlink(missing_ok=True)


def _name(draft: Path, path: Path) -> None:
    """Give a whole file its name, unless something of that name has come meanwhile."""
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if os.path.lexists(path):
            raise FileExistsError("there is something of that name") from None
        draft.rename(path)
