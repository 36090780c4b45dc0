"""Draws what happened to a run's messages, stage by stage."""

from dataclasses import dataclass

from tools.terminal import Printer


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What happened at each stage of one run."""

    published: int
    """Messages that the topic accepted."""
    received: int
    """Messages the function was given; one that fails is given again."""
    stored: int
    superseded: int
    """Duplicates and older versions: handled, and not written."""
    failed: int
    """Receives of messages that were not stored."""
    items: int
    """Items in the table."""
    reasons: dict[str, str]
    """Of each message in the dead-letter queue, by message id: why it is there."""
    busy: float
    """Seconds until the last order was stored."""
    seconds: float
    """Until the queue was empty."""


def print_picture(counts: Counts, printer: Printer) -> None:
    """Print the pipeline with its counts, how long it took, and why each poison message failed."""
    lines = [
        "",
        *_pipeline(counts),
        "",
        f"{counts.published / counts.busy:,.0f} messages per second, end to end; "
        f"poison left the queue after {counts.seconds:.0f} s.",
        "",
        "Dead letters, and why they can never be stored:",
        *(f"  {message_id[:8]}  {reason}" for message_id, reason in counts.reasons.items()),
        "",
    ]
    for line in lines:
        printer.line(line)


def _pipeline(counts: Counts) -> list[str]:
    stages = (
        ("OrderTopic", f"{counts.published:,} published", ""),
        ("OrderQueue", f"{counts.received:,} receives", ""),
        ("ProcessOrder", f"{counts.stored:,} stored", f"{counts.superseded:,} superseded"),
        ("Orders", f"{counts.items:,} orders", ""),
    )
    names, first, second = zip(*stages, strict=True)
    under_queue = " " * 20  # where the second column begins
    each = f"   {counts.failed / len(counts.reasons):.0f} of each message" if counts.reasons else ""
    rows = [
        "──▶".join(name.center(17) for name in names),
        "   ".join(text.center(17) for text in first),
        "   ".join(text.center(17) for text in second),
        under_queue + "│".center(17) + f"   {counts.failed:,} failed receives",
        under_queue + "▼".center(17) + each,
        under_queue + "OrderQueue-dlq".center(17),
        under_queue + f"{len(counts.reasons):,} messages".center(17),
    ]
    return [row.rstrip() for row in rows]
