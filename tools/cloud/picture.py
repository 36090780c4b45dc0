"""Draws what happened to a run's messages, stage by stage."""

import math
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
    rejected: int
    """Receives of messages that can never be stored."""
    failed: int
    """Receives of messages that could not be stored that time."""
    items: int
    """Items in the table."""
    reasons: dict[str, str]
    """Of each message in the dead-letter queue, by message id: why it is there."""
    latencies: tuple[float, ...]
    """Seconds from publish to stored, sorted; of the orders that have one version only."""
    first: float
    """Seconds from publish to stored, of the very first order."""
    seconds: float
    """From the first publish until the queue was empty."""
    busy: float
    """From the first publish until the last order was stored."""


def print_picture(counts: Counts, printer: Printer) -> None:
    """Print the pipeline with its counts, the latencies, and why each poison message failed."""
    p50, p99 = _percentile(counts.latencies, 0.50), _percentile(counts.latencies, 0.99)
    lines = [
        "",
        *_pipeline(counts),
        "",
        f"Publish to stored: {counts.first:.2f} s for the first order, cold start included; "
        f"p50 {p50:.2f} s, p99 {p99:.2f} s with all at once.",
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
    receives = counts.rejected + counts.failed
    each = f"   {receives / len(counts.reasons):.0f} of each message" if counts.reasons else ""
    rows = [
        "──▶".join(name.center(17) for name in names),
        "   ".join(text.center(17) for text in first),
        "   ".join(text.center(17) for text in second),
        under_queue + "│".center(17) + f"   {receives:,} failed receives",
        under_queue + "▼".center(17) + each,
        under_queue + "OrderQueue-dlq".center(17),
        under_queue + f"{len(counts.reasons):,} messages".center(17),
    ]
    return [row.rstrip() for row in rows]


def _percentile(values: tuple[float, ...], share: float) -> float:
    """The smallest value that at least this share of the sorted values does not exceed; NaN of nothing."""
    return values[math.ceil(share * len(values)) - 1] if values else math.nan
