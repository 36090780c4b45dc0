"""Prints results: tables and progress for a person at a terminal, plain lines in a pipe, JSON for a program."""

import contextlib
import functools
import json
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

Advance = Callable[[int], None]
"""Moves a progress bar on by so many steps."""
GOOD, BAD, DIM = "green", "red", "dim"
Line = list[tuple[str, str]]
"""Pieces of a line: text and style."""
GAP, WIDEST, NARROW = "  ", 40, 20
"""What is between two columns, and characters: of a column that is not the last at most, of the last one at least."""


def clean(text: object) -> str:
    """Spell whatever a terminal could obey (escapes, controls, reversed writing) as visible backslash sequences.

    Texts from messages and logs come from anyone who may publish.
    """
    spelled = str(text)
    if spelled.isprintable():
        return spelled
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in spelled)


class Printer:
    """Where a command's answer goes; most of rich is loaded only for a terminal."""

    def __init__(self, *, as_json: bool = False, out: IO[str] | None = None, errors: IO[str] | None = None) -> None:
        self.as_json = as_json
        self.out, self.errors = out or sys.stdout, errors or sys.stderr

    def json(self, value: object) -> None:
        """One JSON document on one line, in ASCII."""
        self._write([(json.dumps(value, default=str), "")])

    def line(self, *parts: object, style: str = "") -> None:
        """A line of text, for people only: with `--json` nothing is written."""
        if not self.as_json:
            for line in _wrapped(clean(" ".join(map(str, parts))), _columns(self.out)):
                self._write([(line, style)])

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """Rows under headings, the longest text last; a cell is a text or a pair of text and style."""
        if self.as_json:
            return
        pairs = [[cell if isinstance(cell, tuple) else (cell, "") for cell in row] for row in rows]
        cells = [[(clean(text), style) for text, style in row] for row in pairs]
        for line in _laid_out([[(name, "bold") for name in columns], *cells], _columns(self.out)):
            self._write(line)

    def error(self, text: str) -> None:
        """An error on standard error; only its own line breaks are kept."""
        for line in text.split("\n"):
            for part in _wrapped(clean(line), _columns(self.errors)):
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
    """How many characters a line of a terminal has; None for a pipe or a file."""
    return shutil.get_terminal_size().columns if stream.isatty() else None


def _wrapped(text: str, width: int | None, indent: str = "  ") -> list[str]:
    """Lines of whole words, each but the first indented.

    A word that is longer than the width, such as a URL, stays whole: a terminal breaks it so that it can be copied.
    """
    if width is None:
        return [text]
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]


def _laid_out(rows: Sequence[Line], width: int | None) -> Iterator[Line]:
    """Rows of cells as lines: columns line up, and the last one takes what is left of a terminal's width.

    Where less than `NARROW` is left, and it needs more, it stands below its row. Texts are cut only on a terminal.
    """
    from rich.cells import cell_len

    *sizes, longest = (max(cell_len(text) for text, _ in column) for column in zip(*rows, strict=True))
    sizes = [min(WIDEST, size) for size in sizes]
    if width is not None and (excess := sum(sizes) + len(GAP) * len(sizes) - width) > 0:
        sizes[sizes.index(max(sizes))] -= min(excess, max(sizes) - 1)
    start = sum(sizes) + len(GAP) * len(sizes)
    below = width is not None and width - start < min(NARROW, longest)
    for *row, (text, style) in rows:
        fitted = (_fitted(cell, size, cut=width is not None) for (cell, _), size in zip(row, sizes, strict=True))
        line = [(cell + GAP, kind) for cell, (_, kind) in zip(fitted, row, strict=True)]
        margin = GAP if below else " " * start
        part, *more = _wrapped(text, width and width - len(margin), "")
        if below:
            more, part = [part, *more], ""
        yield [*line, (part, style)]
        yield from ([(margin + each, style)] for each in more)


def _fitted(text: str, size: int, *, cut: bool) -> str:
    """A text that fills a column, and shows that it was cut."""
    from rich.cells import cell_len, set_cell_size

    if cut and cell_len(text) > size:
        text = set_cell_size(text, size - 1) + "…"
    return text + " " * (size - cell_len(text))


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
