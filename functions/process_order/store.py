"""Conditional writes of orders into the table, 25 to a round trip, until they land or time is up."""

import json
import random
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from .answers import DONE, REFUSED, TRANSIENT, Result, explain, read
from .expectation import Expectation
from .orders import COLUMNS, Order

STATEMENTS_PER_CALL = 25
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html"""

BYTES_PER_CALL = 1_000_000
"""Of values, so that calls in flight need little memory and little time; a single order may have more."""

PARALLEL_CALLS = 8
"""Calls in flight at once; also the connections that are kept."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds: the bound of the random pause before the first and before any further attempt, doubling in between."""

REFUSALS = 3
"""Statements, by turns an INSERT and an UPDATE, that are refused of an order that is superseded."""


class Outcome(NamedTuple):
    """What became of one order."""

    kind: str
    """`stored`, `superseded` (the table holds this version or a newer one) or `failed`."""
    reason: str = ""
    """Why it failed."""


STORED, SUPERSEDED = Outcome("stored"), Outcome("superseded")
UNCONFIRMED = Outcome("failed", "DynamoDB confirmed no write before the function's deadline")

Execute = Callable[[bytes, float], tuple[int, bytes]]
"""Sends a request in so many seconds; returns the status and text of the answer."""


class _Write:
    """An order that is being written: whether its next statement is an UPDATE, and how many were refused."""

    __slots__ = ("order", "refusals", "update")

    def __init__(self, order: Order, update: bool) -> None:  # noqa: FBT001 - the two that it consists of
        self.order, self.update, self.refusals = order, update, 0


class Store:
    """The table of orders: it holds the newest version of each, in whatever order they are written."""

    def __init__(
        self,
        execute: Execute,
        table: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        expectation: Expectation | None = None,
    ) -> None:
        # The name is the only text in a statement that is not ours.
        if not re.fullmatch(r"[a-zA-Z0-9_.-]{3,255}", table):
            raise ValueError(f"TABLE_NAME must name the function's table, got {table!r}: set it on the function")
        members = ", ".join(f"'{name}': ?" for name in COLUMNS)
        changes = " ".join(f'SET "{name}" = ?' for name in COLUMNS[1:])
        self.clock = clock
        self._execute = execute
        self._sleep = sleep
        self._jitter = jitter
        self._threads = ThreadPoolExecutor(PARALLEL_CALLS)
        self._expectation = expectation or Expectation()
        self._insert = _opening(f'INSERT INTO "{table}" VALUE {{{members}}}')
        # NOT >= is true where < is not: of a row whose version is missing or no text. Such a row is replaced.
        self._update = _opening(f'UPDATE "{table}" {changes} WHERE "orderId" = ? AND NOT "version" >= ?')

    def write(self, orders: Iterable[Order], deadline: float) -> dict[str, Outcome]:
        """Write orders with distinct ids, and say by id what became of each, by the clock's `deadline` or before."""
        waiting = list(orders)
        outcomes: dict[str, Outcome] = {}
        chunks = deque(_chunks(waiting))
        others = [self._start(chunks, outcomes, deadline) for _ in range(min(PARALLEL_CALLS, len(chunks)) - 1)]
        self._drain(chunks, outcomes, deadline)
        started = [other for other in others if other]
        if wait(started, timeout=max(0.0, deadline - self.clock())).not_done:
            # What hangs keeps its threads, and is one more conditional write: it must not delay the next invocation.
            self._threads.shutdown(wait=False)
            self._threads = ThreadPoolExecutor(PARALLEL_CALLS)
        return {order.order_id: outcomes.get(order.order_id, UNCONFIRMED) for order in waiting}

    def _start(self, chunks: deque[list[Order]], outcomes: dict[str, Outcome], deadline: float) -> Future[None] | None:
        """Write on another thread, if there is one to be had; if not, this one writes all."""
        try:
            return self._threads.submit(self._drain, chunks, outcomes, deadline)
        except RuntimeError:
            return None

    def _drain(self, chunks: deque[list[Order]], outcomes: dict[str, Outcome], deadline: float) -> None:
        """Write chunks as long as there are any, and time."""
        while self.clock() < deadline:
            try:
                chunk = chunks.popleft()
            except IndexError:
                return
            try:
                updates = self._expectation.exist(order.status for order in chunk)
                self._write(list(map(_Write, chunk, updates)), outcomes, deadline)
            except Exception as error:  # noqa: BLE001 - a mistake of ours fails its orders and not the invocation
                failed = Outcome("failed", f"writing failed with {type(error).__name__}")
                outcomes.update((order.order_id, failed) for order in chunk)

    def _write(self, writes: list[_Write], outcomes: dict[str, Outcome], deadline: float) -> None:
        """Write until nothing is pending or time is up, in halves if the call as a whole is refused.

        `outcomes` always holds what is known so far, so giving up needs no last word.
        """
        attempts = 0
        while writes and (seconds := deadline - self.clock()) > 0:
            results = self._call(writes, seconds)
            if results[0].code in REFUSED and len(writes) > 1:
                half = len(writes) // 2
                self._write(writes[:half], outcomes, deadline)
                self._write(writes[half:], outcomes, deadline)
                return
            self._learn(writes, results)
            if results.count(DONE) == len(results):
                outcomes.update((each.order.order_id, STORED) for each in writes)
                return
            again = []
            for each, result in zip(writes, results, strict=True):
                if outcome := _settle(each, result):
                    outcomes[each.order.order_id] = outcome
                if outcome is None or result.code in TRANSIENT:
                    again.append(each)
            writes = again
            if any(result.code in TRANSIENT for result in results):
                pause = self._jitter() * min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempts)
                if self.clock() + pause >= deadline:
                    break
                self._sleep(pause)
                attempts += 1

    def _learn(self, writes: list[_Write], results: Sequence[Result]) -> None:
        """Take in whether orders had a row, each by the first answer that tells: of an INSERT, or of an UPDATE made."""
        self._expectation.learn(
            (each.order.status, each.update or bool(result.code), each.update)
            for each, result in zip(writes, results, strict=True)
            if result.code in ("", "DuplicateItem") and each.refusals + each.update < 2
        )

    def _call(self, writes: list[_Write], seconds: float) -> Sequence[Result]:
        """Send one statement per order, in one call, and say how each ended."""
        request = b'{"Statements":[%b]}' % b",".join(map(self._statement, writes))
        try:
            status, text = self._execute(request, seconds)
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, these orders are reported and the others go on
            return [explain(error)] * len(writes)
        return read(status, text, len(writes))

    def _statement(self, write: _Write) -> bytes:
        """Spell the statement of an order in JSON; its values are spelled already."""
        order = write.order
        if write.update:
            return b"%b%b,%b,%b]}" % (self._update, order.rest, order.key, order.newest)
        return b"%b%b,%b]}" % (self._insert, order.key, order.rest)


def _opening(statement: str) -> bytes:
    return f'{{"Statement":{json.dumps(statement)},"Parameters":['.encode()


def _chunks(orders: Iterable[Order]) -> Iterator[list[Order]]:
    """Part orders into what goes into a call."""
    chunk: list[Order] = []
    room = BYTES_PER_CALL
    for order in orders:
        room -= len(order.rest)
        if chunk and (room < 0 or len(chunk) == STATEMENTS_PER_CALL):
            yield chunk
            chunk, room = [], BYTES_PER_CALL - len(order.rest)
        chunk.append(order)
    if chunk:
        yield chunk


def _settle(write: _Write, result: Result) -> Outcome | None:
    """Say what the answer to a statement means for its order; None if it needs the other statement.

    An INSERT is refused if there is a row, and an UPDATE if the row is newer or not there. To ask for the row could
    bring 400 KB along, so the other statement tells. After the third refusal in turn the order is superseded: somebody
    who makes the row or deletes it between two of the statements cannot be the cause of all three.
    """
    if not result.code:
        return STORED
    if result.code != ("ConditionalCheckFailed" if write.update else "DuplicateItem"):
        return Outcome("failed", result.reason)
    write.refusals += 1
    write.update = not write.update
    return SUPERSEDED if write.refusals == REFUSALS else None
