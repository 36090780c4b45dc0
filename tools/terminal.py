"""Prints results: tables and progress for a person at a terminal, plain lines in a pipe, JSON for a program."""

import contextlib
import functools
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any
from unicodedata import combining, east_asian_width

Advance = Callable[[int], None]
"""Moves a progress bar on by so many steps."""
GOOD, BAD, DIM = "green", "red", "dim"
Line = list[tuple[str, str]]
"""Pieces of a line: text and style."""
GAP, WIDEST, NARROW = 2, 40, 20
"""Cells: between two columns, of a column that is not the last, and least of the last one beside them."""
NUMBER = re.compile(r"\$?[\d,.]+|-")


def clean(text: object) -> str:
    """Spell whatever a terminal could obey (escapes, controls, reversed writing) as visible backslash sequences.

    Texts from messages and logs come from anyone who may publish.
    """
    spelled = str(text)
    if spelled.isprintable():
        return spelled
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in spelled)


class Printer:
    """Where a command's answer goes; rich is loaded only for a terminal."""

    def __init__(self, *, as_json: bool = False, out: IO[str] | None = None, errors: IO[str] | None = None) -> None:
        self.as_json = as_json
        self.out, self.errors = out or sys.stdout, errors or sys.stderr

    def json(self, value: object) -> None:
        """One JSON document on one line, in ASCII."""
        self._write([(json.dumps(value, default=str), "")])

    def line(self, *parts: object, style: str = "") -> None:
        """A line of text, for people only: with `--json` nothing is written."""
        if not self.as_json:
            text = clean(" ".join(str(part) for part in parts))
            for line in wrapped(text, self.width):
                self._write([(line, style)])

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Rows under headings, the longest text last; a cell is a text or a pair of text and style."""
        if self.as_json:
            return
        pairs = [[cell if isinstance(cell, tuple) else (cell, "") for cell in row] for row in rows]
        cells = [[(clean(text), style) for text, style in row] for row in pairs]
        for line in laid_out([[(name, "bold") for name in columns], *cells], self.width):
            self._write(line)

    def error(self, text: str) -> None:
        """An error on standard error; only its own line breaks are kept."""
        for line in text.split("\n"):
            for part in wrapped(clean(line), _columns(self.errors)):
                self._write([(part, BAD)], self.errors)

    @contextlib.contextmanager
    def progress(self, what: str, total: int) -> Iterator["Bar"]:
        """A progress bar on standard error, where that is a terminal."""
        if self.as_json or not self.errors.isatty():
            yield Bar()
            return
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (MofNCompleteColumn(), BarColumn(16), TimeElapsedColumn(), TextColumn("{task.description}"))
        with Progress(*columns, console=_console(self.errors), transient=True) as shown:
            yield Bar(functools.partial(shown.update, shown.add_task(what, total=total)))

    def clear(self) -> None:
        """Begin at the top of an empty terminal."""
        if not self.as_json and self.out.isatty():
            self.out.write("\x1b[H\x1b[2J")

    @property
    def width(self) -> int | None:
        """Cells in a line of a terminal; None for a file or a pipe, whose lines may be of any length."""
        return _columns(self.out)

    def _write(self, line: Line, stream: IO[str] | None = None) -> None:
        """Write one line, in colour where the terminal and NO_COLOR allow it."""
        stream = stream or self.out
        if stream.isatty() and any(style for _, style in line):
            from rich.text import Text

            _console(stream).print(Text.assemble(*line), soft_wrap=True)
            return
        encoding = getattr(stream, "encoding", None) or "utf-8"
        text = "".join(text for text, _ in line).rstrip() + "\n"
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        stream.flush()


def _columns(stream: IO[str]) -> int | None:
    return shutil.get_terminal_size().columns if stream.isatty() else None


class Bar:
    """A progress bar, or none where nobody could see it."""

    def __init__(self, update: Callable[..., None] = lambda **_: None) -> None:
        self._update = update
        self.steps = 0

    def __call__(self, steps: int) -> None:
        """Move on by so many steps."""
        self.steps += steps
        self._update(advance=steps)

    def says(self, what: str) -> None:
        """Tell what is being done or waited for from now on."""
        self._update(description=what)


@functools.lru_cache(maxsize=2)
def _console(stream: IO[str]) -> Any:
    from rich.console import Console

    return Console(file=stream)


def cells(text: str) -> int:
    """How many places of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(0 if combining(c) else 2 if east_asian_width(c) in "WF" else 1 for c in text)


def wrapped(text: str, width: int | None, *, indent: int = 2) -> list[str]:
    """Lines of whole words; those after the first are indented, or stand under what follows a label and its spaces.

    A word that is longer than the width, such as a URL, stays whole: a terminal breaks it so that it can be copied.
    """
    if width is None or cells(text) <= width:
        return [text]
    label = re.match(r"\s*(\S+\s{2,})?", text)
    hanging = " " * (label.end() if label and label.end() and label.end() < width / 2 else indent)
    lines, line = [], ""
    for word in re.findall(r"\s*\S+", text):
        if line.strip() and cells(line + word) > width:
            lines.append(line)
            line = hanging + word.lstrip()
        else:
            line += word
    return [*lines, line]


def laid_out(rows: Sequence[Line], width: int | None) -> Iterator[Line]:
    """Rows of cells as lines: columns line up, numbers at their right, and the last column takes what is left.

    Where less than `NARROW` is left, the last column stands below its row. Texts are cut only on a terminal, where the
    widest column must give way.
    """
    *firsts, last = (list(column) for column in zip(*rows, strict=True))
    widths = [min(WIDEST, max(cells(text) for text, _ in column)) for column in firsts]
    if width is not None and (excess := sum(widths) + GAP * (len(widths) - 1) - width) > 0:
        widest = widths.index(max(widths))
        widths[widest] = max(GAP, widths[widest] - excess)
    start = sum(widths) + GAP * len(widths)
    room = None if width is None else width - start
    below = room is not None and room < min(NARROW, max(cells(text) for text, _ in last))
    numeric = [all(NUMBER.fullmatch(text) for text, _ in column[1:]) for column in firsts]
    for *row, (text, style) in rows:
        line = [
            (_fitted(cell, size, right=right, cut=width is not None) + " " * GAP, kind)
            for (cell, kind), size, right in zip(row, widths, numeric, strict=True)
        ]
        if below:
            *line, (cell, kind) = line
            yield [*line, (cell.rstrip(), kind)]
            yield from ([(" " * GAP + part, style)] for part in wrapped(text, width - GAP if width else None, indent=0))
        else:
            part, *more = wrapped(text, room, indent=0)
            yield [*line, (part, style)]
            yield from ([(" " * start + part, style)] for part in more)


def _fitted(text: str, size: int, *, right: bool, cut: bool) -> str:
    """A text in a column of its size: filled up, and cut where it must be."""
    if cut and cells(text) > size:
        text = text[: size - 1]
        while cells(text) > size - 1:
            text = text[:-1]
        text += "…"
    filling = " " * (size - cells(text))
    return filling + text if right else text + filling


def counted(count: int, noun: str, plural: str = "") -> str:
    """A number of things: `1 message`, `2 messages`."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def ago(seconds: float | None) -> str:
    """A span of time in the unit a person would choose."""
    if seconds is None:
        return "-"
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"
