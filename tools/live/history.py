"""What the log of each function has told so far: totals, what became of each order, and why messages failed."""

import time
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from tools.ops import logs
from tools.ops.logs import Line

REMEMBERED = 500
"""Orders whose history is kept."""
REASONS = 5000
"""Messages whose latest reason of a failure is kept."""
LINES = 2000


@dataclass(kw_only=True)
class Told:
    """An order of which the log told."""

    events: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=20))
    versions: list[str] = field(default_factory=list)
    """Those that were seen in the table, the newest last."""
    item: dict[str, Any] | None = None
    """As the table held it when it was last looked up."""
    problem: str = ""
    """Why it could not be looked up."""
    stale: bool = True
    """Whether it must be looked up again."""


class History:
    """Learns from one line of a log after the other."""

    def __init__(self) -> None:
        self._lines: deque[tuple[int, Line]] = deque(maxlen=LINES)
        self._count = 0
        self._reasons: OrderedDict[str, str] = OrderedDict()
        self.totals = dict.fromkeys(("batches", *logs.OUTCOMES), 0)
        self.orders: OrderedDict[str, Told] = OrderedDict()
        """By id, the one that was told of last at the end."""

    def take(self, line: Line, *, stores: bool) -> None:
        """Learn from a line of a log; only that of the function which stores the orders counts and tells them."""
        if line.platform:
            return
        self._count += 1
        self._lines.append((self._count, line))
        fields = line.fields
        if "messageId" in fields and "reason" in fields:
            self._reasons[str(fields["messageId"])] = str(fields["reason"])
            while len(self._reasons) > REASONS:
                self._reasons.popitem(last=False)
        if not stores:
            return
        for name, count in logs.totals([line]).items():
            self.totals[name] += count
        if "orderId" in fields and str(fields.get("message", "")).startswith("message "):
            self._tell(str(fields["orderId"]), line)

    def _tell(self, order_id: str, line: Line) -> None:
        told = self.orders.setdefault(order_id, Told())
        self.orders.move_to_end(order_id)
        what = str(line.fields["message"]).removeprefix("message ")
        told.events.append({"at": line.millis, "what": what, "reason": str(line.fields.get("reason", ""))})
        told.stale = True
        while len(self.orders) > REMEMBERED:
            self.orders.popitem(last=False)

    def reason(self, message_id: str) -> str:
        """What a function said last of a message, which keeps its id as a dead letter; empty if nothing."""
        return self._reasons.get(message_id, "")

    def newest(self, count: int) -> list[tuple[int, Line]]:
        """The newest lines, each with its number."""
        return list(self._lines)[-count:]

    def lines(self, pause: float) -> Iterator[Line]:
        """Each line from the first that is kept on, as they come; looks again after so many seconds."""
        shown = 0
        while True:
            for number, line in list(self._lines):
                if number > shown:
                    shown = number
                    yield line
            time.sleep(pause)
