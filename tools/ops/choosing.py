"""Chooses dead letters, and shows what they would change."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tools.ops import deadletters, table
from tools.ops.arguments import Selection
from tools.ops.deadletters import Letter, Message
from tools.ops.holding import span
from tools.ops.stack import OWN, Stack
from tools.ops.status import depth
from tools.terminal import BAD, DIM, GOOD, Printer, ago, counted

COLUMNS = ("queue", "message", "order", "age", "state", "reason")
PLAN_ROWS = 20
"""Messages that a plan lists one by one."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What was found in the dead-letter queues."""

    letters: list[Letter]
    """Those that were asked for, oldest first."""
    unseen: int = 0
    """About how many were not, though they could be: `--limit`, what arrived meanwhile, and SQS, which lends at most
    120,000 messages of a queue at a time."""
    held: int = 0
    """About how many another reader has in hand, so that nobody else can look at them."""

    @property
    def whole(self) -> bool:
        """Whether all there is was looked at."""
        return not self.unseen and not self.held


def find(
    stack: Stack,
    selection: Selection,
    printer: Printer,
    use: Callable[[Message], object] = lambda _message: None,
    clock: Callable[[], float] = time.monotonic,
) -> Found:
    """Look through the dead-letter queues, and let `use` see each whole message that is asked for."""
    letters: list[Letter] = []
    urls = {source: stack.dead_letters[source].url for source in selection.sources}
    expected = sum(depth(stack, url)["visible"] for url in urls.values())
    with printer.progress("reading dead letters", expected) as bar:

        def look(messages: list[Message]) -> None:
            for message in messages:
                if matches(message, selection):
                    use(message)
                    letters.append(message.letter)
            bar(len(messages))

        read = {
            source: deadletters.read(stack, source, look, limit=selection.limit, clock=clock)
            for source in selection.sources
        }
    unseen = held = 0
    for source, count in read.items():
        now = depth(stack, urls[source])
        left = max(0, now["visible"] + now["inFlight"] - count)
        held += min(left, now["inFlight"])
        unseen += left - min(left, now["inFlight"])
    return Found(letters=sorted(letters, key=lambda letter: letter.sent), unseen=unseen, held=held)


def warn_of(found: Found, printer: Printer) -> None:
    """Say that there is more than was read."""
    if found.unseen:
        printer.error(
            f"about {counted(found.unseen, 'message')} were not read, because of --limit or because they just arrived: "
            "run it again"
        )
    if found.held:
        printer.error(
            f"about {counted(found.held, 'message')} more are held by another reader, for at most "
            f"{span(found.held)} s if it is one of these commands: run it again then"
        )


def matches(message: Message, selection: Selection) -> bool:
    if selection.ids and not message.letter.id.startswith(selection.ids):
        return False
    if selection.order is not None and not message.concerns(selection.order):
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
