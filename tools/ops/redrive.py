"""`dlq redrive`: sends dead letters back to the queue, loses none, and proves that their orders arrive in the table."""

import functools
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field

import click

from tools.ops import status, table
from tools.ops.arguments import Selection, confirmed, rated, selecting, spanning
from tools.ops.choosing import Found, compare, find, show_plan, warn_of
from tools.ops.deadletters import Letter, Message, drain, send_messages
from tools.ops.failure import NO, USAGE, accounting
from tools.ops.sending import Pace
from tools.ops.stack import OWN, Stack
from tools.terminal import BAD, DIM, GOOD, Printer, counted


@dataclass(kw_only=True)
class Outcome:
    """What became of a redrive."""

    planned: int = 0
    moved: int = 0
    failed: list[str] = field(default_factory=list)
    """Messages that the queue did not take, and why; they are still dead letters."""
    orders: int = 0
    """Orders that must be in the table in the end."""
    lacking: set[str] = field(default_factory=set)
    """Those of them that are not."""

    @property
    def proved(self) -> bool:
        """Whether all was moved, and what must be in the table is there."""
        return not (self.lacking or self.failed) and self.moved == self.planned


@selecting
@click.option("--all", "everything", is_flag=True, help="those that the function would reject again, too")
@rated
@confirmed
@spanning("--wait", "60s", "time for the proof")
def run(
    stack: Stack,
    printer: Printer,
    *,
    selection: Selection,
    everything: bool,
    rate: int | None,
    yes: bool,
    wait: float,
) -> int:
    found = find(stack, selection, printer)
    warn_of(found, printer)
    plan = [letter for letter in found.letters if letter.version or letter.source not in OWN or everything]
    left = len(found.letters) - len(plan)
    _show_plan(stack, plan, left, printer)
    if not plan or not yes:
        if printer.as_json:
            printer.json({"planned": len(plan), "left": left, "moved": 0, "held": found.held})
        if plan:
            printer.line("nothing was sent: --yes sends them", style=BAD)
            return USAGE
        return NO if found.held else 0
    outcome = redrive(stack, plan, rate=rate, wait=wait, printer=printer)
    _report(outcome, found, plan, left, wait, printer)
    return 0 if outcome.proved and not found.held else NO


def redrive(
    stack: Stack, plan: Sequence[Letter], *, printer: Printer, rate: int | None = None, wait: float = 60
) -> Outcome:
    """Send dead letters back to their queues, and prove that their orders arrive.

    The proof takes `wait` seconds at most. If it ends early the printer says how many were sent.
    """
    outcome = Outcome(planned=len(plan))
    with (
        accounting(printer, lambda: f"sent {outcome.moved} of {counted(len(plan), 'message')} back before it ended"),
        printer.progress("redriving", len(plan)) as advance,
    ):
        for source in dict.fromkeys(letter.source for letter in plan):
            ids = [letter.id for letter in plan if letter.source == source]
            send_back = functools.partial(_send_back, stack, source, outcome)
            drain(stack, source, ids, send_back, pace=Pace(rate), advance=advance)
    expected = [letter for letter in plan if letter.version and letter.source in OWN]
    outcome.orders = len({letter.order_id for letter in expected})
    outcome.lacking = prove(stack, expected, seconds=wait, printer=printer)
    return outcome


def _send_back(stack: Stack, source: str, outcome: Outcome, messages: Sequence[Message]) -> list[Message]:
    """Send messages to the queue that they belong to; return those that it took."""
    own = [message.without_sns() for message in messages]
    refused = send_messages(stack, stack.dead_letters[source].queue_url, own)
    outcome.failed += [f"{messages[refusal.position].letter.id}: {refusal.reason}" for refusal in refused]
    positions = {refusal.position for refusal in refused}
    sent = [message for position, message in enumerate(messages) if position not in positions]
    outcome.moved += len(sent)
    return sent


def prove(stack: Stack, letters: Iterable[Letter], *, seconds: float, printer: Printer) -> set[str]:
    """Wait for the orders of the letters to be in the table, at their versions or newer; return those that are not."""
    newest = table.newest((str(letter.order_id), letter.version) for letter in letters)
    with printer.progress("proving", len(newest)) as bar:

        def stored(count: int) -> None:
            bar(count)
            bar.says("proving" if count else f"proving: {_waiting(stack)}")

        return table.wait_until_stored(stack, newest, seconds=seconds, stored=stored)


def _waiting(stack: Stack) -> str:
    """What an order waits for that was sent and is not stored yet."""
    found = status.depth(stack, stack["queueUrl"])
    return f"{found['visible']} wait, {found['inFlight']} in flight; all tries take {found['patience']} s at most"


def _show_plan(stack: Stack, plan: list[Letter], left: int, printer: Printer) -> None:
    if not printer.as_json:
        show_plan(plan, compare(stack, plan), printer)
    urls = dict.fromkeys(stack.dead_letters[message.source].queue_url for message in plan) or [stack["queueUrl"]]
    names = " and ".join(url.rpartition("/")[2] for url in urls)
    printer.line(f"plan: send {counted(len(plan), 'message')} back to {names}")
    if left:
        printer.line(f"left where they are: {left} that the function would reject again (--all sends them)", style=DIM)


def _report(outcome: Outcome, found: Found, plan: list[Letter], left: int, wait: float, printer: Printer) -> None:
    others = sum(message.source not in OWN for message in plan)
    if printer.as_json:
        figures = {**asdict(outcome), "left": left, "lacking": sorted(outcome.lacking), "held": found.held}
        printer.json(figures)
    all_sent = outcome.moved == len(plan)
    printer.line(f"sent {outcome.moved} of {len(plan)} messages back", style=GOOD if all_sent else BAD)
    for failure in outcome.failed:
        printer.line(f"  not taken: {failure}", style=BAD)
    if outcome.lacking:
        some = ", ".join(sorted(outcome.lacking)[:10])
        printer.line(
            f"not proved: {len(outcome.lacking)} of {outcome.orders} orders are not in the table after {wait:g} s: "
            f"{some}",
            style=BAD,
        )
    elif not outcome.orders and not others:
        printer.line("nothing to prove: no message of these can become an order as it is", style=DIM)
    elif outcome.orders:
        printer.line(
            f"proved: all {outcome.orders} orders are in the table, at this version or a newer one", style=GOOD
        )
    if others:
        printer.line(f"not proved: what became of {counted(others, 'message')} only other consumers know", style=DIM)
