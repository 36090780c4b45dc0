"""`tail`: follows the functions' logs."""

import contextlib
import re
from typing import Any

import click

from tools.ops import logs
from tools.ops.arguments import pattern, spanning
from tools.ops.logs import LEVELS, Follower, Line, follow, spell
from tools.ops.stack import Stack
from tools.terminal import BAD, DIM, Printer

STYLES = {"DEBUG": DIM, "WARN": "yellow", "ERROR": BAD, "FATAL": BAD}


@spanning("--since", "5m", "how far back to begin")
@click.option("--level", type=click.Choice(LEVELS), default="DEBUG", help="least severe line")
@click.option("--match", type=pattern, metavar="REGEX", help="only lines in which this is found")
@click.option("--function", "functions", multiple=True, metavar="NAME", help="only lines of this function")
@click.option("--trace", is_flag=True, help="stack traces, too")
@click.option("--no-follow", is_flag=True, help="end after the lines that are there")
def run(
    stack: Stack,
    printer: Printer,
    *,
    since: float,
    no_follow: bool,
    functions: tuple[str, ...],
    trace: bool,
    **filters: Any,
) -> int:
    start = logs.since(since)
    if no_follow:
        lines = Follower(stack, start=start, functions=functions).new_lines()
    else:
        lines = follow(stack, start=start, interval=1, functions=functions)
    with contextlib.suppress(KeyboardInterrupt):
        for line in lines:
            if wanted(line, **filters):
                show(line, printer, trace=trace)
    return 0


def show(line: Line, printer: Printer, *, trace: bool = False) -> None:
    """Print one line, in the colour of its level; what follows its first line is further to the right."""
    if printer.as_json:
        printer.json(line.fields)
    first, *more = spell(line).split("\n")
    printer.line(first, style=STYLES.get(line.level, ""))
    for each in [*more, *(logs.trace_of(line) if trace else [])]:
        printer.line("   ", each, style=DIM)


def wanted(
    line: Line,
    *,
    level: str = "DEBUG",
    match: re.Pattern[str] | None = None,
) -> bool:
    """Whether a line passes the filters; Lambda's own are left out while all is well."""
    if line.platform:
        return False
    severity = LEVELS.index(line.level) if line.level in LEVELS else len(LEVELS)
    if severity < LEVELS.index(level):
        return False
    return match is None or match.search(line.text) is not None
