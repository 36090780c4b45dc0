"""Reads the function's log lines from CloudWatch Logs and spells them for a person."""

import heapq
import re
import time
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tools.ops.decoding import decode
from tools.ops.failure import Failure
from tools.ops.stack import Stack

FULL_PAGE = 10_000
"""Events. https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html"""
LATE = 10_000
"""Milliseconds that a line may arrive after one with a later timestamp and still be read."""
QUIET = 60.0
"""Seconds that a line may arrive after it was written and still be read, where no other line does."""
LEVELS = ("DEBUG", "INFO", "WARN", "ERROR")
OUTCOMES = ("stored", "superseded", "rejected", "failed")
LOUD = (
    '{ ($.records >= 0) || ($.level = "WARN") || ($.level = "ERROR") || ($.level = "FATAL")'
    ' || ($.type = "platform.report" && $.record.status != "success") }'
)
"""A filter pattern for the summaries of invocations and whatever went wrong.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html"""
FOREIGN = re.compile(r"site-packages|dist-packages|/var/(lang|runtime)/|/lib/python3|<frozen ")
"""In the names of files that are not the function's own code."""
_SAFE = re.compile(r"[\w.:/ -]+", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the function's log."""

    millis: int
    """When it was written, in milliseconds since 1970."""
    level: str
    text: str
    """What it says, for a person."""
    fields: dict[str, Any]
    """What it says, as the handler or Lambda wrote it; `message` alone for a line that is not JSON."""
    platform: bool
    """Whether Lambda wrote it about an invocation that went well."""
    function: str = ""
    """Whose log it is in, if the stack has several functions."""


def since(seconds: float) -> int:
    """The instant so many seconds ago, in milliseconds since 1970."""
    return int((time.time() - seconds) * 1000)


def mentioning(name: str, value: str) -> str:
    """A filter pattern that lets CloudWatch leave out most lines in which a field has another value.

    Empty, for all lines, if the value cannot be spelled in a pattern: whoever asks must look at the lines as well.
    """
    return f'{{ $.{name} = "{value}" }}' if _SAFE.fullmatch(value) else ""


def read(stack: Stack, *, start: int, pattern: str = "", functions: Collection[str] = ()) -> Iterator[tuple[str, Line]]:
    """Each line of some functions, or all, since an instant with an id of its own, oldest first."""
    groups = stack.log_groups
    if unknown := [name for name in functions if name not in groups]:
        raise Failure(f"--function must be one of {', '.join(groups)}, got {unknown[0]}")
    logs = [_read(stack, name, start, pattern) for name in functions or groups]
    return heapq.merge(*logs, key=lambda entry: entry[1].millis)


def _read(stack: Stack, function: str, start: int, pattern: str) -> Iterator[tuple[str, Line]]:
    own, several = function == stack.functions[0], len(stack.functions) > 1
    more = {"filterPattern": pattern} if pattern else {}
    pages = stack.client("logs").get_paginator("filter_log_events")
    seen: set[str] = set()
    while True:
        last, size = start, 0
        try:
            for page in pages.paginate(logGroupName=stack.log_groups[function], startTime=start, **more):
                size = len(page["events"])
                for event in page["events"]:
                    at, message = event["timestamp"], event["message"]
                    # MiniStack gives no eventId.
                    event_id = event.get("eventId") or f"{function} {event['logStreamName']} {at} {message}"
                    last = max(last, at)
                    if event_id not in seen:
                        seen.add(event_id)
                        yield event_id, understand(at, message, function=function if several else "")
        except ClientError as error:
            if own or error.response["Error"]["Code"] != "ResourceNotFoundException":
                raise
            return  # a function whose log group comes with its first line
        if size < FULL_PAGE:
            return
        if last == start:
            raise Failure(
                f"the log must hold fewer than {FULL_PAGE:,} lines of one millisecond, and holds more at {last}"
            )
        start = last  # MiniStack ends a full page without saying that there is more


class Follower:
    """Hands out each line of the log once, oldest first."""

    def __init__(self, stack: Stack, *, start: int, functions: Collection[str] = ()) -> None:
        self._stack, self._start, self._functions = stack, start, functions
        self._seen: dict[str, int] = {}

    def new_lines(self) -> Iterator[Line]:
        """The lines that have arrived since the last call."""
        for event_id, line in read(self._stack, start=self._start, functions=self._functions):
            if event_id not in self._seen:
                self._seen[event_id] = line.millis
                yield line
        newest = max(self._seen.values(), default=0)
        self._start = max(self._start, newest - LATE, since(QUIET))  # a burst that is over is not read again and again
        self._seen = {event_id: millis for event_id, millis in self._seen.items() if millis >= self._start}


def follow(stack: Stack, *, start: int, interval: float, functions: Collection[str] = ()) -> Iterator[Line]:
    """The lines since an instant, and from then on each new one.

    Looks every `interval` seconds, and less often where there is so much that a look takes long.
    """
    follower = Follower(stack, start=start, functions=functions)
    stack.client("logs")  # making it takes long, but only once
    while True:
        began = time.monotonic()
        yield from list(follower.new_lines())
        time.sleep(max(interval, min(2.0, 3 * (time.monotonic() - began))))


def understand(millis: int, message: str, *, function: str = "") -> Line:
    """Read one log event: a line of the handler, an error or a report of Lambda's, or plain text."""
    try:
        fields = decode(message)
    except ValueError:
        fields = None
    if not isinstance(fields, dict):
        text = message.strip()
        platform = text.startswith(("START ", "END ", "REPORT ", "INIT_START "))
        found = re.match(r"\[(\w+)\]", text)
        level = "ERROR" if " Task timed out " in text else found[1].replace("WARNING", "WARN") if found else "INFO"
        return Line(
            millis=millis, level=level, text=text, fields={"message": text}, platform=platform, function=function
        )
    if str(fields.get("type", "")).startswith("platform."):
        return _platform(millis, fields, function)
    level = str(fields.get("level", "INFO"))
    return Line(millis=millis, level=level, text=_text(fields), fields=fields, platform=False, function=function)


def _platform(millis: int, fields: dict[str, Any], function: str) -> Line:
    """Read a line that Lambda wrote.

    https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html
    """
    record = fields.get("record") if isinstance(fields.get("record"), dict) else {}
    status, metrics = (record or {}).get("status", "success"), (record or {}).get("metrics", {})
    text = f"{fields['type']}: {status}"
    if isinstance(metrics, dict) and "durationMs" in metrics:
        text += f" after {metrics['durationMs']} ms"
    well = status == "success"
    level = "INFO" if well else "ERROR"
    return Line(millis=millis, level=level, text=text, fields=fields, platform=well, function=function)


def _text(fields: dict[str, Any]) -> str:
    if "records" in fields:
        counts = ", ".join(f"{fields[name]} {name}" for name in OUTCOMES if fields.get(name))
        return f"{fields['records']} records: {counts or 'nothing'} in {fields.get('milliseconds', '?')} ms"
    if "errorMessage" in fields:
        places = [f"{file.rpartition('/')[2]}:{number}" for file, number in _places(fields)]
        place = f" ({places[-1]})" if places else ""
        return f"{fields.get('errorType', 'Error')}: {fields['errorMessage']}{place}"
    parts = [str(fields.get("message", ""))]
    parts += [f"{word} {fields[name]}" for word, name in (("order", "orderId"), ("", "reason")) if name in fields]
    return " · ".join(part.strip() for part in parts)


def trace_of(line: Line) -> list[str]:
    """The stack trace of a crash, innermost call last, as Lambda wrote it."""
    trace = line.fields.get("stackTrace")
    return "".join(map(str, trace)).rstrip().split("\n") if isinstance(trace, list) else []


def _places(fields: dict[str, Any]) -> list[tuple[str, str]]:
    """File and line of each call in a stack trace; of our own code only, if any of it is."""
    trace = fields.get("stackTrace")
    places = re.findall(r'File "([^"]+)", line (\d+)', "".join(map(str, trace)) if isinstance(trace, list) else "")
    ours = [place for place in places if not FOREIGN.search(place[0])]
    return ours or places


def crashed(line: Line) -> bool:
    """Whether a line says that the function could not be loaded, or raised."""
    return "errorMessage" in line.fields and line.fields.get("errorType") != "Sandbox.Timedout"


def spell(line: Line) -> str:
    """One line for a person: time in UTC, level, and what it says; after it those of a text of several lines."""
    clock = time.strftime("%H:%M:%S", time.gmtime(line.millis / 1000))
    who = f"{line.function}: " if line.function else ""
    return f"{clock}.{line.millis % 1000:03d} {line.level:5} {who}{line.text}"


def totals(lines: Iterable[Line]) -> dict[str, int]:
    """What the summary lines of the invocations add up to: `batches`, and messages by outcome."""
    sums = dict.fromkeys(("batches", *OUTCOMES), 0)
    for line in lines:
        if isinstance(line.fields.get("records"), int):
            sums["batches"] += 1
            for name in OUTCOMES:
                count = line.fields.get(name)
                sums[name] += count if isinstance(count, int) else 0
    return sums
