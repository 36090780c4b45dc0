"""Looks at the pipeline again and again, with what `ops` looks with, and keeps what the page shows."""

import threading
import time
from collections import OrderedDict, deque
from types import TracebackType
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.live.outage import Outage
from tools.ops import logs, status, table
from tools.ops.choosing import compare
from tools.ops.deadletters import Message, read_all
from tools.ops.export import describe
from tools.ops.logs import Line
from tools.ops.stack import OWN, Stack

PERIOD = 0.5
"""Seconds between two looks."""
ORDERS, LETTERS, LINES, NOTICES = 20, 50, 100, 20
"""How many of each the page shows, the newest."""
REMEMBERED = 500
"""Orders whose history is kept."""
LETTERS_AGAIN = 15.0
"""Seconds after which the dead letters are read again, even if their number is the same."""


class Feed:
    """What the page shows, kept up to date on a thread of its own."""

    def __init__(self, stack: Stack, outage: Outage) -> None:
        self._stack, self._outage = stack, outage
        self._follower = logs.Follower(stack, start=logs.since(0))
        self._lines: deque[tuple[int, Line]] = deque(maxlen=2000)
        self._line_count = 0
        self._totals = dict.fromkeys(("batches", *logs.OUTCOMES), 0)
        self._orders: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._reasons: OrderedDict[str, str] = OrderedDict()
        self._letters: list[dict[str, Any]] = []
        self._letters_of: tuple[Any, ...] = ()
        self._letters_at = 0.0
        self._notices: deque[dict[str, Any]] = deque(maxlen=NOTICES)
        self._published = self._purged = 0
        self.letters_lock = threading.Lock()
        """Held by whoever reads or moves dead letters: a received message is hidden from everybody else."""
        self._changed = threading.Condition()
        self._snapshot: dict[str, Any] = {}
        self._number = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "Feed":
        self._look()
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._stopped.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(timeout=10)

    def newer(self, number: int, timeout: float) -> tuple[int, dict[str, Any]]:
        """The newest snapshot and its number: waits for one after `number`, but no longer than `timeout` seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > number or self._stopped.is_set(), timeout)
            return self._number, self._snapshot

    def lines_after(self, number: int) -> list[tuple[int, Line]]:
        return [entry for entry in list(self._lines) if entry[0] > number]

    def count_published(self, messages: int) -> None:
        self._published += messages

    def count_purged(self, messages: int) -> None:
        self._purged += messages

    def notice(self, text: str, *, good: bool) -> None:
        """Say something on the page, such as what was deployed again."""
        self._notices.appendleft({"at": time.time(), "text": text, "good": good})

    def letter(self, message_id: str) -> dict[str, Any]:
        """A dead letter as it was last shown; KeyError if it is not among them."""
        return {letter["messageId"]: letter for letter in self._letters}[message_id]

    def forget_letters(self) -> None:
        """Read the dead letters again at the next look."""
        self._letters_of = ()

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD):
            try:
                self._look()
            except (BotoCoreError, ClientError) as error:
                if not self._stopped.is_set():
                    self._publish({**self._snapshot, "problem": f"the local cloud did not answer: {error}"})

    def _look(self) -> None:
        for line in self._follower.new_lines():
            self._take(line)
        queues = [status.queue(self._stack, self._stack[url]) for url in status.QUEUES]
        others = [each.url for name, each in self._stack.dead_letters.items() if name not in OWN]
        self._read_letters([*queues[1:], *(status.queue(self._stack, url) for url in others)])
        self._publish(
            {
                "counts": self._counts(queues),
                "queues": [queue["name"] for queue in queues],
                "orders": [self._order(order_id) for order_id in list(reversed(self._orders))[:ORDERS]],
                "letters": self._letters,
                "log": [[number, line.level, logs.spell(line)] for number, line in list(self._lines)[-LINES:]],
                "outage": self._outage.left,
                "notices": list(self._notices),
                "problem": "",
            }
        )

    def _publish(self, snapshot: dict[str, Any]) -> None:
        with self._changed:
            if snapshot != self._snapshot:
                self._snapshot = snapshot
                self._number += 1
                self._changed.notify_all()

    def _take(self, line: Line) -> None:
        """Learn from one line of the log: totals, an order's history, the reason of a failure."""
        if line.platform:
            return
        self._line_count += 1
        self._lines.append((self._line_count, line))
        for name, count in logs.totals([line]).items():
            self._totals[name] += count
        fields = line.fields
        if "messageId" in fields and "reason" in fields:
            self._reasons[str(fields["messageId"])] = str(fields["reason"])
            while len(self._reasons) > 10 * REMEMBERED:
                self._reasons.popitem(last=False)
        if "orderId" in fields and str(fields.get("message", "")).startswith("message "):
            order_id = str(fields["orderId"])
            order = self._orders.setdefault(order_id, {"history": deque(maxlen=20), "versions": [], "fresh": False})
            self._orders.move_to_end(order_id)
            what = str(fields["message"]).removeprefix("message ")
            order["history"].append({"at": line.millis, "what": what, "reason": str(fields.get("reason", ""))})
            order["fresh"] = False
            while len(self._orders) > REMEMBERED:
                self._orders.popitem(last=False)

    def _order(self, order_id: str) -> dict[str, Any]:
        """An order with what the table holds of it, read again after each message of it."""
        order = self._orders[order_id]
        if not order["fresh"]:
            order["item"] = item = table.item(self._stack, order_id)
            order["fresh"] = True
            version = (item or {}).get("version")
            if version and version not in order["versions"]:
                order["versions"] = [*order["versions"], version][-20:]
        return {
            "orderId": order_id,
            "item": order["item"],
            "versions": list(order["versions"]),
            "history": list(order["history"]),
        }

    def _read_letters(self, queues: list[dict[str, Any]]) -> None:
        """Read the dead letters of all consumers again if one of their queues holds more or fewer than last time."""
        now = tuple(queue["visible"] + queue["inFlight"] for queue in queues)
        due = any(now) and time.monotonic() - self._letters_at > LETTERS_AGAIN
        if (now == self._letters_of and not due) or not self.letters_lock.acquire(blocking=False):
            return
        try:
            messages = read_all(self._stack, tuple(self._stack.dead_letters), limit=LETTERS) if any(now) else []
            states = compare(self._stack, [message.letter for message in messages])
            self._letters = [{**describe(m), "state": states[m.id], "why": self._why(m)} for m in messages]
            self._letters_of, self._letters_at = now, time.monotonic()
        finally:
            self.letters_lock.release()

    def _why(self, message: Message) -> str:
        """What the function said of a message, which keeps its id as a dead letter; else what shows by itself."""
        return self._reasons.get(message.id) or message.why

    def _counts(self, queues: list[dict[str, Any]]) -> dict[str, int]:
        """Where the messages are. AWS counts what was published; here it follows from where the messages are now."""
        waiting, in_flight = queues[0]["visible"] + queues[0]["delayed"], queues[0]["inFlight"]
        dead, undelivered = (queue["visible"] + queue["inFlight"] for queue in queues[1:3])
        done = self._totals["stored"] + self._totals["superseded"] + dead + undelivered + self._purged
        self._published = max(self._published, done)
        return {
            "published": self._published,
            "waiting": waiting,
            "inFlight": in_flight,
            "dead": dead,
            "undelivered": undelivered,
            **self._totals,
        }
