"""Looks at the pipeline again and again, with what `ops` looks with, and keeps what the page shows."""

import contextlib
import math
import secrets
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import replace
from types import TracebackType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.live.account import Account
from tools.live.history import History, Told
from tools.live.outage import Outage
from tools.live.pipeline import Pipeline
from tools.ops import logs, status, table
from tools.ops.choosing import compare
from tools.ops.deadletters import Message, read_all
from tools.ops.export import describe
from tools.ops.stack import OWN, Stack
from tools.terminal import clean

PERIOD = 0.5
"""Seconds between two looks."""
ORDERS, LETTERS, LINES, NOTICES = 20, 200, 100, 20
"""How many the page shows: the newest of each, and of dead letters so many of each queue."""
LETTERS_AGAIN = 15.0
"""Seconds after which the dead letters are read again, even if their number is the same."""


class Feed:
    """What the page shows, kept up to date on a thread of its own."""

    def __init__(self, pipeline: Pipeline, outage: Outage) -> None:
        self._pipeline, self._outage = pipeline, outage
        self._started = logs.since(0)
        self._followers: dict[str, logs.Follower] = {}
        self.account, self.history = Account(), History()
        self._shown: dict[str, Any] = {"run": secrets.token_hex(4)}
        self._problems: dict[str, str] = {}
        self._bodies: dict[str, dict[str, Any]] = {}
        self._held: dict[str, int] = {}
        self._letters_of: tuple[Any, ...] = ()
        self._letters_at = 0.0
        self._notices: deque[dict[str, Any]] = deque(maxlen=NOTICES)
        self.letters_lock = threading.Lock()
        """Held by whoever reads or moves dead letters: a received message is hidden from everybody else."""
        self.snapshot: tuple[str, dict[str, Any]] = ("", {})
        """What the page shows, and its version."""
        self.looked = time.monotonic()
        """When the last look ended."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Feed":
        self._look()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join(timeout=10)

    def notice(self, text: str, *, good: bool) -> None:
        """Say something on the page, such as what was deployed again."""
        self._notices.appendleft({"at": int(time.time() * 1000), "text": clean(text), "good": good})

    def letter(self, message_id: str) -> dict[str, Any]:
        """A dead letter as it was last read, with its body and attributes; KeyError if it is not among them."""
        return self._bodies[message_id]

    def forget_letters(self) -> None:
        """Read the dead letters again at the next look."""
        self._letters_of = ()

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD):
            self._look()

    def _look(self) -> None:
        """Look at each part alone: what fails keeps what it showed, and says so in its place."""
        stack = self._pipeline.stack
        with self._part("form"):
            if self._pipeline.refresh_contract():
                self.forget_letters()
            self._shown["fields"] = self._pipeline.fields()
        with self._part("log"):
            for function in stack.functions:
                self._read_log(stack, function)
        self._shown["log"] = [
            [number, line.level, _lines(logs.spell(line)), _lines("\n".join(logs.trace_of(line)))]
            for number, line in self.history.newest(LINES)
        ]
        with self._part("pipeline"):
            self._read_queues(stack)
        with self._part("letters"):
            self._read_letters(stack)
        with self._part("orders"):
            newest = list(reversed(self.history.orders.items()))[:ORDERS]
            self._shown["orders"] = [self._order(stack, order_id, told) for order_id, told in newest]
        with self._part("outage"):
            self._outage.end(only_if_due=True)
        self._shown |= {"outage": math.ceil(self._outage.left), "notices": list(self._notices)}
        if (now := {**self._shown, "problems": dict(self._problems)}) != self.snapshot[1]:
            self.snapshot = (secrets.token_hex(8), now)
        self.looked = time.monotonic()

    @contextlib.contextmanager
    def _part(self, name: str) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            self._problems[name] = f"The local cloud did not answer: {clean(error)}"
        except Exception as error:  # noqa: BLE001 - one bad datum must not stop the look
            self._problems[name] = f"This could not be read: {type(error).__name__}: {clean(error)}"
        else:
            self._problems.pop(name, None)

    def _read_log(self, stack: Stack, function: str) -> None:
        log = stack.log_groups[function]
        if log not in self._followers:
            self._followers[log] = logs.Follower(stack, start=self._started, functions=(function,))
        for line in self._followers[log].new_lines():
            named = replace(line, function=function if len(stack.functions) > 1 else "")
            self.history.take(named, stores=function == stack["functionName"])

    def _read_queues(self, stack: Stack) -> None:
        """Where the messages are; after the log: one that is handled in between is then missing, not there twice."""
        depths = {url: status.depth(stack, url) for url in reversed(stack.queues)}
        self._held = {name: _total(depths[each.url]) for name, each in stack.dead_letters.items()}
        totals = self.history.totals
        places = {
            "stored": totals["stored"],
            "superseded": totals["superseded"],
            **_waiting(depths[stack["queueUrl"]]),
            "dead": self._held["queue"],
            "undelivered": self._held["topic"],
        }
        self._shown["counts"] = {**totals, **places, **self.account.look(places)}
        self._shown["consumers"] = [
            {
                "name": name,
                **_waiting(depths[each.queue_url]),
                "dead": self._held[name],
                "function": self._pipeline.readers[name],
            }
            for name, each in stack.dead_letters.items()
            if name not in OWN
        ]

    def _read_letters(self, stack: Stack) -> None:
        """Read the dead letters of all consumers again if one of their queues holds more or fewer than last time."""
        now = tuple(self._held.items())
        count = sum(self._held.values())
        due = count and time.monotonic() - self._letters_at > LETTERS_AGAIN
        if (now == self._letters_of and not due) or not self.letters_lock.acquire(blocking=False):
            return
        try:
            messages = read_all(stack, tuple(stack.dead_letters), limit=LETTERS) if count else []
        finally:
            self.letters_lock.release()
        states = compare(stack, [message.letter for message in messages])
        self._bodies = {message.letter.id: describe(message) for message in messages}
        self._shown["letters"] = [self._letter(message, states[message.letter.id]) for message in messages]
        self._shown["letterCount"] = max(count, len(messages))
        self._letters_of, self._letters_at = now, time.monotonic()

    def _letter(self, message: Message, state: str) -> dict[str, Any]:
        """A dead letter without its body, which can be long: the page asks for it."""
        shown = {name: self._bodies[message.letter.id][name] for name in ("messageId", "source", "orderId", "receives")}
        why = self.history.reason(message.letter.id) or message.letter.why
        return {**shown, "state": state, "why": why, "sent": int(message.letter.sent * 1000)}

    def _order(self, stack: Stack, order_id: str, told: Told) -> dict[str, Any]:
        """An order with what the table holds of it, read again after each message of it."""
        if told.stale:
            try:
                told.item, told.problem = table.item(stack, order_id), ""
            except ClientError as error:  # the others can be looked up all the same
                told.item, told.problem = None, f"could not be looked up in the table: {clean(error)}"
            version = (told.item or {}).get("version")
            if version and version not in told.versions:
                told.versions = [*told.versions, version][-20:]
            told.stale = False
        return {
            "orderId": order_id,
            "item": told.item,
            "problem": told.problem,
            "versions": told.versions,
            "history": list(told.events),
        }


def _total(depth: dict[str, Any]) -> int:
    return int(depth["visible"] + depth["inFlight"])


def _waiting(depth: dict[str, Any]) -> dict[str, int]:
    return {"waiting": depth["visible"] + depth["delayed"], "inFlight": depth["inFlight"]}


def _lines(text: str) -> str:
    """A text for the page; of what could be obeyed in it, only its line breaks are kept."""
    return "\n".join(map(clean, text.split("\n")))
