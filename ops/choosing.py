"""Chooses dead letters, and shows what they would change."""

from collections.abc import Iterable, Mapping, Sequence

from ops import table
from ops.arguments import Selection
from ops.deadletters import Message, read_all, visible
from ops.stack import OWN, Stack
from terminal import BAD, DIM, GOOD, Printer, ago, counted

COLUMNS = ("queue", "message", "order", "age", "state", "reason")
PLAN_ROWS = 20
"""Messages that a plan lists one by one."""


def chosen(stack: Stack, selection: Selection) -> list[Message]:
    """The messages of the dead-letter queues that pass `--order` and `--match`."""
    return [
        message for message in read_all(stack, selection.sources, limit=selection.limit) if matches(message, selection)
    ]


def chosen_of_all(stack: Stack, selection: Selection) -> tuple[list[Message], int]:
    """What `chosen` gives, and about how many messages of the queues were not looked at.

    `--limit` is not the only reason: a queue that takes longer to read than its messages stay hidden shows the first
    ones once more, and reading ends before the last.
    """
    messages = read_all(stack, selection.sources, limit=selection.limit)
    unseen = 0
    for source in selection.sources:
        read = sum(message.source == source for message in messages)
        unseen += max(0, visible(stack, source) - read)
    return [message for message in messages if matches(message, selection)], unseen


def warn_of(unseen: int, printer: Printer) -> None:
    """Say that there is more than was read."""
    if unseen:
        printer.error(
            f"not everything was read, about {counted(unseen, 'message')} were left out: --limit N reads more of each "
            "queue, and what arrived meanwhile needs another run"
        )


def matches(message: Message, selection: Selection) -> bool:
    if selection.order is not None and message.order_id != selection.order:
        return False
    return selection.match is None or selection.match.search(message.body) is not None


def compare(stack: Stack, messages: Iterable[Message]) -> dict[str, str]:
    """What each message, by id, holds beside the table: `rejected`, `missing`, `newer` or `stored`.

    `unknown` is one of another consumer, who alone can tell what it makes of its messages.
    """
    messages = list(messages)
    stored = table.versions(stack, [m.order.order_id for m in messages if m.order])
    states = {}
    for message in messages:
        order = message.order
        if message.source not in OWN:
            states[message.id] = "unknown"
        elif order is None:
            states[message.id] = "rejected"
        elif order.order_id not in stored:
            states[message.id] = "missing"
        else:
            states[message.id] = "stored" if stored[order.order_id] >= order.version else "newer"
    return states


def show_plan(messages: Sequence[Message], states: Mapping[str, str], printer: Printer) -> None:
    """The first messages of a plan, and how many more there are."""
    if messages:
        show_table(messages[:PLAN_ROWS], states, printer)
    if len(messages) > PLAN_ROWS:
        printer.line(f"... and {len(messages) - PLAN_ROWS} more", style=DIM)


def show_table(messages: Sequence[Message], states: Mapping[str, str], printer: Printer) -> None:
    styles = {"rejected": BAD, "missing": "yellow", "newer": "yellow", "stored": GOOD, "unknown": "yellow"}
    rows = [
        (
            m.source,
            m.id[:8],
            m.order_id or "-",
            ago(m.age),
            (states[m.id], styles[states[m.id]]),
            why(m),
        )
        for m in messages
    ]
    printer.table(COLUMNS, rows)


def why(message: Message) -> str:
    """Why a message is where it is, as far as it shows by itself; `failures` asks the log."""
    if message.reason:
        return message.reason
    # https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html
    told = message.attributes.get("ErrorMessage", {}).get("StringValue")
    if told or message.source == "topic":
        return "keeps the contract: SNS could not deliver it" + (f" ({told})" if told else "")
    return "keeps the contract: " + ("its write failed" if message.source in OWN else "its consumer gave it up")
