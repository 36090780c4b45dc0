"""Reads the function's log lines from CloudWatch Logs as they arrive."""

import json
import time
from collections.abc import Iterator
from typing import Any

from local.cloud import Cloud, CloudError

FULL_PAGE = 10_000
"""Events. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
Line = dict[str, Any]
"""One JSON line of the handler."""


class LogReader:
    """Hands out each line of a log group once, oldest first."""

    def __init__(self, cloud: Cloud, group: str) -> None:
        self._cloud, self._group = cloud, group
        self._since = int(time.time() * 1000)
        self._seen: set[tuple[str, str]] = set()

    def new_lines(self) -> Iterator[Line]:
        """The handler's lines since the last call, without Lambda's own (START, END, REPORT)."""
        start: int | None = self._since
        while start is not None:
            events = self._events(start)
            last = max((event["timestamp"] for event in events), default=start)
            if len(events) >= FULL_PAGE and last == start:
                raise CloudError(f"the log must hold fewer than {FULL_PAGE:,} lines of one millisecond, and holds more")
            # MiniStack ends a full page without saying that there is more.
            start = last if len(events) >= FULL_PAGE else None
            for event in events:
                key = event["logStreamName"], event["message"]  # MiniStack gives no eventId
                if key not in self._seen:
                    self._seen.add(key)
                    self._since = max(self._since, event["timestamp"] - 5000)  # lines may arrive a little late
                    if event["message"].startswith("{"):
                        yield json.loads(event["message"])

    def _events(self, start: int) -> list[dict[str, Any]]:
        pages = self._cloud.client("logs").get_paginator("filter_log_events")
        return [event for page in pages.paginate(logGroupName=self._group, startTime=start) for event in page["events"]]


def readable(line: Line) -> str:
    """One line for a person: time, level, what happened, to which message and order, and why."""
    if "records" in line:
        counts = ", ".join(f"{line[key]} {key}" for key in ("stored", "superseded", "rejected", "failed") if line[key])
        text = f"{line['records']} records: {counts or 'nothing'} in {line['milliseconds']} ms"
    else:
        details = [f"order {line['orderId']}"] if "orderId" in line else []
        text = " · ".join([line["message"], *details, *([line["reason"]] if "reason" in line else [])])
    text = f"{line['timestamp'][11:23]} {line['level']:5} {text}"
    # An orderId may hold anything, and this goes to a terminal: what it would obey is spelled out.
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
