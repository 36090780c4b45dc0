"""`tail`: follows the function's log."""

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


@spanning("--since", "5m", "where to begin, ago")
@click.option("--level", type=click.Choice(LEVELS), default="DEBUG", help="least severe line")
@click.option("--order", metavar="ID", help="only lines that name this order")
@click.option("--match", type=pattern, metavar="REGEX", help="only lines in which this is found")
@click.option("--platform", is_flag=True, help="Lambda's own lines, too")
@click.option("--no-follow", is_flag=True, help="end after the lines that are there")
@spanning("--interval", "1s", "between two looks")
def run(stack: Stack, printer: Printer, *, since: float, no_follow: bool, interval: float, **filters: Any) -> int:
    start = logs.since(since)
    lines = Follower(stack, start=start).new_lines() if no_follow else follow(stack, start=start, interval=interval)
    with contextlib.suppress(KeyboardInterrupt):
        for line in lines:
            if wanted(line, **filters):
                show(line, printer)
    return 0


def show(line: Line, printer: Printer) -> None:
    """Print one line, in the colour of its level."""
    if printer.as_json:
        printer.json(line.fields)
    printer.line(spell(line), style=STYLES.get(line.level, ""))


def wanted(
    line: Line,
    *,
    level: str = "DEBUG",
    order: str | None = None,
    match: re.Pattern[str] | None = None,
    platform: bool = False,
) -> bool:
    """Whether a line passes the filters; Lambda's own are left out while all is well."""
    if line.platform and not platform:
        return False
    severity = LEVELS.index(line.level) if line.level in LEVELS else len(LEVELS)
    if severity < LEVELS.index(level):
        return False
    if order is not None and line.fields.get("orderId") != order:
        return False
    return match is None or match.search(line.text) is not None
