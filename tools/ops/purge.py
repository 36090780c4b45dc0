"""`dlq purge`: deletes dead letters for good."""

import click

from tools.ops.arguments import Selection, confirmed, selecting
from tools.ops.choosing import compare, find, show_plan, warn_of
from tools.ops.deadletters import Letter, drain
from tools.ops.export import read_export
from tools.ops.failure import NO, USAGE
from tools.ops.files import read_text
from tools.ops.sending import Pace
from tools.ops.stack import Stack
from tools.terminal import BAD, DIM, GOOD, Printer, counted


@selecting
@click.option("--exported", "export", metavar="FILE", help="only messages that this export holds")
@confirmed
def run(stack: Stack, printer: Printer, *, selection: Selection, export: str | None = None, yes: bool) -> int:
    """Delete what the plan shows, and nothing that came after it."""
    held = None if export is None else {message.id for message in read_export(read_text(export))}
    found = find(stack, selection, printer)
    plan = [letter for letter in found.letters if held is None or letter.id in held]
    gone = len(held) - len(plan) if held else 0
    unseen = found.unseen if held is None or gone else 0
    warn_of(unseen, printer)
    states = compare(stack, plan)
    lost = sum(states[letter.id] in ("missing", "newer") for letter in plan)
    show_plan(plan, states, printer)
    printer.line(f"plan: delete {counted(len(plan), 'message')} for good; {lost} with a valid order the table lacks")
    if gone:
        printer.line(f"{counted(gone, 'message')} of {export} are not among these", style=DIM)
    if plan and not yes:
        printer.line("nothing was deleted: --yes deletes, and --exported FILE only what an export holds", style=BAD)
    deleted = _delete(stack, plan, printer) if yes else 0
    if printer.as_json:
        printer.json({"planned": len(plan), "ordersLacking": lost, "deleted": deleted, "unseen": unseen})
    if plan and not yes:
        return USAGE
    return 0 if deleted == len(plan) and not unseen else NO


def _delete(stack: Stack, plan: list[Letter], printer: Printer) -> int:
    deleted = 0
    with printer.progress("deleting", len(plan)) as bar:
        for source in dict.fromkeys(letter.source for letter in plan):
            ids = [letter.id for letter in plan if letter.source == source]
            deleted += drain(stack, source, ids, lambda ours: ours, pace=Pace(None), advance=bar)
    printer.line(f"deleted {counted(deleted, 'message')}", style=GOOD)
    return deleted
