"""Prints results: tables and progress for a person at a terminal, plain lines in a pipe, JSON for a program."""

import contextlib
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import IO, Any

Advance = Callable[[int], None]
"""Moves a progress bar on by so many steps."""
GOOD, BAD, DIM = "green", "red", "dim"


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
        self.out = out or sys.stdout
        self._errors = errors or sys.stderr
        self.rich = not as_json and self.out.isatty()

    def json(self, value: object) -> None:
        """One JSON document on one line, in ASCII."""
        self._write(json.dumps(value, default=str))

    def line(self, *parts: object, style: str = "") -> None:
        """One line of text, for people only: with `--json` nothing is written."""
        if self.as_json:
            return
        text = clean(" ".join(str(part) for part in parts))
        if self.rich and style:
            from rich.text import Text

            self._console().print(Text(text, style=style), soft_wrap=True)
        else:
            self._write(text)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[object]], *, title: str = "") -> None:
        """Rows under headings; a cell is a text or a pair of text and style."""
        if self.as_json:
            return
        cells = [[cell if isinstance(cell, tuple) else (cell, "") for cell in row] for row in rows]
        if self.rich:
            self._console().print(_rich_table(columns, cells, title))
            return
        lines = [list(columns), *([clean(text) for text, _ in row] for row in cells)]
        widths = [max(len(line[i]) for line in lines) for i in range(len(columns))]
        for line in lines:
            self._write("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())

    def error(self, text: str) -> None:
        """An error on standard error; only its own line breaks are kept."""
        lines = "\n".join(clean(line) for line in text.split("\n"))
        if self._errors.isatty():
            lines = f"\x1b[31m{lines}\x1b[0m"
        self._errors.write(lines + "\n")

    @contextlib.contextmanager
    def progress(self, what: str, total: int) -> Iterator[Advance]:
        """A progress bar on standard error, where that is a terminal."""
        if self.as_json or not self._errors.isatty():
            yield lambda _steps: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(file=self._errors), transient=True) as bar:
            task = bar.add_task(what, total=total)
            yield lambda steps: bar.advance(task, steps)

    @contextlib.contextmanager
    def screen(self) -> Iterator[None]:
        """What is printed inside replaces what was on the terminal, at once."""
        if not self.rich:
            yield
            return
        console = self._console()
        with console.capture() as captured:
            yield
        self.out.write("\x1b[H\x1b[2J" + captured.get())
        self.out.flush()

    def _console(self) -> Any:
        from rich.console import Console

        if not hasattr(self, "_shared"):
            self._shared = Console(file=self.out, highlight=False, markup=False, emoji=False)
        return self._shared

    def _write(self, line: str) -> None:
        if self.rich:  # through the console, so that a captured screen holds it too
            from rich.text import Text

            self._console().print(Text(line), soft_wrap=True)
            return
        encoding = getattr(self.out, "encoding", None) or "utf-8"
        self.out.write(line.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self.out.flush()


def _rich_table(columns: Sequence[str], cells: Sequence[Sequence[tuple[object, str]]], title: str) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    for row in cells:
        table.add_row(*(Text(clean(text), style=style) for text, style in row))
    return table


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
