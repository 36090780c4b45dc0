"""`dlq purge`: deletes dead letters for good."""

from collections.abc import Sequence

import click

from tools.ops.arguments import Selection, confirmed, selecting
from tools.ops.choosing import compare, find, show_plan, warn_of
from tools.ops.deadletters import Letter, drain
from tools.ops.export import read_export
from tools.ops.failure import NO, USAGE, accounting
from tools.ops.files import read_text
from tools.ops.sending import Pace
from tools.ops.stack import Stack
from tools.terminal import BAD, DIM, GOOD, Advance, Printer, counted


@selecting
@click.option("--exported", "export", metavar="FILE", help="only messages that this export holds")
@confirmed
def run(stack: Stack, printer: Printer, *, selection: Selection, export: str | None = None, yes: bool) -> int:
    """Delete what the plan shows, and nothing that came after it."""
    exported = None if export is None else {message.letter.id for message in read_export(read_text(export))}
    found = find(stack, selection, printer)
    plan = [letter for letter in found.letters if exported is None or letter.id in exported]
    absent = len(exported) - len(plan) if exported else 0
    complete = found.whole or (exported is not None and not absent)
    if not complete:
        warn_of(found, printer)
    states = compare(stack, plan)
    lost = sum(states[letter.id] in ("missing", "newer") for letter in plan)
    show_plan(plan, states, printer)
    printer.line(f"plan: delete {counted(len(plan), 'message')} for good; {lost} with a valid order the table lacks")
    if absent:
        printer.line(f"{counted(absent, 'message')} of {export} are not among these", style=DIM)
    if plan and not yes:
        printer.line("nothing was deleted: --yes deletes, and --exported FILE only what an export holds", style=BAD)
    deleted = 0
    if yes:
        with (
            printer.progress("deleting", len(plan)) as bar,
            accounting(printer, lambda: f"deleted {bar.steps} of {counted(len(plan), 'message')} before it ended"),
        ):
            deleted = purge(stack, plan, advance=bar)
        printer.line(f"deleted {counted(deleted, 'message')}", style=GOOD if deleted == len(plan) else BAD)
    if printer.as_json:
        unseen, held = (0, 0) if complete else (found.unseen, found.held)
        figures = {"planned": len(plan), "ordersLacking": lost, "deleted": deleted, "unseen": unseen, "held": held}
        printer.json(figures)
    if plan and not yes:
        return USAGE
    return 0 if deleted == len(plan) and complete else NO


def purge(stack: Stack, letters: Sequence[Letter], *, advance: Advance = lambda _steps: None) -> int:
    """Delete dead letters; return how many are gone."""
    deleted = 0
    for source in dict.fromkeys(letter.source for letter in letters):
        ids = [letter.id for letter in letters if letter.source == source]
        deleted += drain(stack, source, ids, lambda ours: ours, pace=Pace(None), advance=advance)
    return deleted
