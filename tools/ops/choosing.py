"""Chooses dead letters, and shows what they would change."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.ops import deadletters, table
from tools.ops.arguments import Selection
from tools.ops.deadletters import Letter, Message, visible
from tools.ops.stack import OWN, Stack
from tools.terminal import BAD, DIM, GOOD, Printer, ago, counted

COLUMNS = ("queue", "message", "order", "age", "state", "reason")
PLAN_ROWS = 20
"""Messages that a plan lists one by one."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found in the dead-letter queues."""

    letters: list[Letter]
    """Those that were asked for, oldest first."""
    read: Mapping[str, int]
    """How many messages of each queue were looked at."""
    unseen: int
    """About how many were not. `--limit` is not the only reason: a queue that takes longer to read than its messages
    stay hidden shows the first ones once more, and reading ends before the last."""


def find(
    stack: Stack, selection: Selection, printer: Printer, use: Callable[[Message], object] = lambda _message: None
) -> Found:
    """Look through the dead-letter queues, and let `use` see each whole message that is asked for."""
    letters: list[Letter] = []
    expected = {source: visible(stack, source) for source in selection.sources}
    with printer.progress("reading dead letters", sum(expected.values())) as bar:

        def look(messages: list[Message]) -> None:
            for message in messages:
                if matches(message, selection):
                    use(message)
                    letters.append(message.letter)
            bar(len(messages))

        read = {source: deadletters.read(stack, source, look, limit=selection.limit) for source in expected}
    unseen = sum(max(0, visible(stack, source) - count) for source, count in read.items())
    return Found(letters=sorted(letters, key=lambda letter: letter.sent), read=read, unseen=unseen)


def warn_of(unseen: int, printer: Printer) -> None:
    """Say that there is more than was read."""
    if unseen:
        printer.error(
            f"not everything was read, about {counted(unseen, 'message')} were left out by --limit, or arrived "
            "meanwhile: run it again, without --limit or with a larger one"
        )


def matches(message: Message, selection: Selection) -> bool:
    if selection.order is not None and message.order_id != selection.order:
        return False
    return selection.match is None or selection.match.search(message.body) is not None


def compare(stack: Stack, letters: Sequence[Letter]) -> dict[str, str]:
    """What each letter, by id, holds beside the table: `rejected`, `missing`, `newer` or `stored`.

    `unknown` is one of another consumer, who alone can tell what it makes of its messages.
    """
    stored = table.versions(stack, [letter.order_id for letter in letters if letter.order_id and letter.version])
    states = {}
    for letter in letters:
        known = stored.get(letter.order_id or "")
        if letter.source not in OWN:
            states[letter.id] = "unknown"
        elif not letter.version:
            states[letter.id] = "rejected"
        elif known is None:
            states[letter.id] = "missing"
        else:
            states[letter.id] = "stored" if known >= letter.version else "newer"
    return states


def show_plan(letters: Sequence[Letter], states: Mapping[str, str], printer: Printer) -> None:
    """The first letters of a plan, and how many more there are."""
    if letters:
        show_table(letters[:PLAN_ROWS], states, printer)
    if len(letters) > PLAN_ROWS:
        printer.line(f"... and {len(letters) - PLAN_ROWS} more", style=DIM)


def show_table(letters: Sequence[Letter], states: Mapping[str, str], printer: Printer) -> None:
    styles = {"rejected": BAD, "missing": "yellow", "newer": "yellow", "stored": GOOD, "unknown": "yellow"}
    rows = []
    for letter in letters:
        state = states[letter.id]
        age = ago(time.time() - letter.sent)
        rows.append((letter.source, letter.id[:8], letter.order_id or "-", age, (state, styles[state]), letter.why))
    printer.table(COLUMNS, rows)
