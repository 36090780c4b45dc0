"""`dlq purge`: deletes dead letters for good."""

from ops.arguments import Selection, confirmed, selecting
from ops.choosing import chosen_of_all, compare, show_plan, warn_of
from ops.deadletters import drain
from ops.failure import NO, USAGE
from ops.sending import Pace
from ops.stack import Stack
from terminal import BAD, GOOD, Printer, counted


@selecting
@confirmed
def run(stack: Stack, printer: Printer, *, selection: Selection, yes: bool) -> int:
    """Delete what the plan shows, and nothing that came after it."""
    messages, unseen = chosen_of_all(stack, selection)
    warn_of(unseen, printer)
    states = compare(stack, messages)
    lost = [message for message in messages if states[message.id] in ("missing", "newer")]
    show_plan(messages, states, printer)
    printer.line(
        f"plan: delete {counted(len(messages), 'message')} for good; {len(lost)} with a valid order the table lacks"
    )
    if messages and not yes:
        printer.line("nothing was deleted: `dlq export FILE` keeps a copy, --yes deletes", style=BAD)
    deleted = 0
    if yes:
        for source in selection.sources:
            ids = [message.id for message in messages if message.source == source]
            deleted += drain(stack, source, ids, lambda ours: ours, pace=Pace(None))
        printer.line(f"deleted {counted(deleted, 'message')}", style=GOOD)
    if printer.as_json:
        printer.json({"planned": len(messages), "ordersLacking": len(lost), "deleted": deleted, "unseen": unseen})
    if messages and not yes:
        return USAGE
    return 0 if deleted == len(messages) and not unseen else NO
