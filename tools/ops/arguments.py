"""Options that several commands of `./orders` share, and the kinds of values that options take."""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import wraps
from typing import Any, TypeVar

import click

Function = TypeVar("Function", bound=Callable[..., Any])
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def span(text: str) -> float:
    """Seconds from a text such as 90, 90s, 15m, 2h or 3d."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found:
        raise click.BadParameter(f"must be a time such as 90s, 15m, 2h or 3d, got {text!r}")
    return float(found[1]) * UNITS[found[2] or "s"]


def pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise click.BadParameter(f"must be a regular expression, got {text!r} ({error})") from None


def quoted(text: str) -> str:
    """A text as a POSIX shell, or bash for what is not printable, reads it back as one word."""
    if text.isprintable():
        return shlex.quote(text)
    return "$'" + "".join(map(_spelled, text)) + "'"


def _spelled(character: str) -> str:
    if character in "'\\":
        return "\\" + character
    if character.isprintable():
        return character
    return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", "surrogateescape"))


def attribute(text: str) -> tuple[str, str]:
    """Name and value of a message attribute."""
    name, _, value = text.partition("=")
    if not (name and value):
        raise click.BadParameter(f"must be NAME=VALUE, got {text!r}")
    return name, value


def spanning(name: str, default: str, what: str) -> Callable[[Function], Function]:
    """An option that takes a span of time."""
    return click.option(name, type=span, default=default, metavar="TIME", help=what)


rated = click.option(
    "--rate", type=click.IntRange(min=1), metavar="N", help="messages per second; default: all at once"
)
confirmed = click.option("--yes", is_flag=True, help="really do it; without it, only show the plan")
unchecked = click.option("--no-check", is_flag=True, help="send what the function will reject, too")


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which dead letters a command is about."""

    sources: tuple[str, ...] = ("queue", "topic")
    """The dead-letter queues, of `Stack.dead_letters`."""
    limit: int | None = None
    """Messages read of each; all without one."""
    ids: tuple[str, ...] = ()
    """Only messages whose ids begin so; any without one."""
    order: str | None = None
    """Only messages of this order, and those whose order cannot be read and whose text holds its id."""
    match: re.Pattern[str] | None = None
    """Only messages in whose body this is found."""


def selecting(function: Callable[..., int]) -> Callable[..., int]:
    """Add the options that choose dead letters; the function gets them as its `selection`."""
    names = [field.name for field in fields(Selection)]

    @wraps(function)
    def run(stack: Any, *arguments: Any, source: str | None = None, **options: Any) -> int:
        chosen = {name: options.pop(name) for name in names if name in options} | {"sources": stack.sources(source)}
        return function(stack, *arguments, selection=Selection(**chosen), **options)

    for option in (
        click.option("--match", type=pattern, metavar="REGEX", help="only messages whose body matches"),
        click.option("--order", metavar="ID", help="only messages of this order"),
        click.option("--id", "ids", multiple=True, metavar="ID", help="only messages whose id begins with this"),
        click.option("--limit", type=click.IntRange(min=1), metavar="N", help="messages read of each; default: all"),
        click.option("--from", "source", metavar="queue|topic|CONSUMER", help="whose dead letters; default: all"),
    ):
        run = option(run)
    return run
