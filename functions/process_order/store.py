"""Conditional writes of orders into the table, 25 to a round trip, until they land or time is up."""

import contextlib
import json
import random
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from .answers import DONE, REFUSED, TRANSIENT, Result, explain, read
from .client import Answer, Client
from .expectation import Expectation
from .orders import COLUMNS, Order

STATEMENTS_PER_CALL = 25
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html"""

BYTES_PER_CALL = 1_000_000
"""Of values, so that calls in flight need little memory and little time; a single order may have more."""

PARALLEL_CALLS = 8
"""Calls in flight at once; also the connections that are kept at most."""

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


class _Write:
    """An order that is being written: whether its next statement is an UPDATE, and how many were refused."""

    __slots__ = ("order", "refusals", "update")

    def __init__(self, order: Order) -> None:
        self.order, self.update, self.refusals = order, False, 0


class _Chunk(NamedTuple):
    """Writes that go into one call once it is `due` by the clock; `first` if nothing of them was sent yet."""

    writes: list[_Write]
    due: float = 0.0
    attempts: int = 0
    first: bool = False


class Store:
    """The table of orders: it holds the newest version of each, in whatever order they are written."""

    def __init__(
        self,
        client: Client,
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
        self.clock, self._sleep, self._jitter = clock, sleep, jitter
        self._client = client
        self._expectation = expectation or Expectation()
        self._insert = _opening(f'INSERT INTO "{table}" VALUE {{{members}}}')
        # NOT >= is true where < is not: of a row whose version is missing or no text. Such a row is replaced.
        self._update = _opening(f'UPDATE "{table}" {changes} WHERE "orderId" = ? AND NOT "version" >= ?')

    def write(self, orders: Iterable[Order], deadline: float) -> dict[str, Outcome]:
        """Write orders with distinct ids, and say by id what became of each, by the clock's `deadline` or before."""
        waiting = list(orders)
        outcomes: dict[str, Outcome] = {}
        chunks = [_Chunk(list(map(_Write, some)), first=True) for some in _chunks(waiting)]
        flying = 0
        while True:
            now = self.clock()
            due = [chunk for chunk in chunks if chunk.due <= now < deadline]
            for chunk in due[: PARALLEL_CALLS - flying]:
                chunks.remove(chunk)
                with _failing(chunk, outcomes):
                    self._client.start(chunk, self._request(chunk), deadline - self.clock())
                    flying += 1
            later = min((chunk.due for chunk in chunks), default=deadline)
            if flying:
                until = deadline if flying == PARALLEL_CALLS else min(later, deadline)
                for chunk, answer in self._client.answers(until - now):
                    flying -= 1
                    with _failing(chunk, outcomes):
                        chunks += self._settle(chunk, answer, outcomes)
            elif max(now, later) < deadline:
                self._sleep(max(0.0, later - now))
            else:
                return {order.order_id: outcomes.get(order.order_id, UNCONFIRMED) for order in waiting}

    def _settle(self, chunk: _Chunk, answer: Answer | Exception, outcomes: dict[str, Outcome]) -> Iterable[_Chunk]:
        """Note what became of writes; return those that need another call, in halves if it was refused as a whole."""
        writes = chunk.writes
        results = [explain(answer)] * len(writes) if isinstance(answer, Exception) else read(*answer, len(writes))
        if results[0].code in REFUSED and len(writes) > 1:
            half = len(writes) // 2
            return map(_Chunk, (writes[:half], writes[half:]))
        self._learn(writes, results)
        if results.count(DONE) == len(results):
            outcomes.update((each.order.order_id, STORED) for each in writes)
            return ()
        again = []
        for each, result in zip(writes, results, strict=True):
            if outcome := _outcome(each, result):
                outcomes[each.order.order_id] = outcome
            if outcome is None or result.code in TRANSIENT:
                again.append(each)
        passing = any(result.code in TRANSIENT for result in results)
        pause = passing and self._jitter() * min(LONGEST_PAUSE, FIRST_PAUSE * 2**chunk.attempts)
        return [_Chunk(again, self.clock() + pause, chunk.attempts + passing)] if again else ()

    def _learn(self, writes: list[_Write], results: Sequence[Result]) -> None:
        """Take in whether orders had a row, each by the first answer that tells: of an INSERT, or of an UPDATE made."""
        self._expectation.learn(
            (each.order.status, each.update or bool(result.code), each.update)
            for each, result in zip(writes, results, strict=True)
            if result.code in ("", "DuplicateItem") and each.refusals + each.update < 2
        )

    def _request(self, chunk: _Chunk) -> bytes:
        """Spell one statement per order."""
        if chunk.first:
            updates = self._expectation.exist([each.order.status for each in chunk.writes])
            for each, update in zip(chunk.writes, updates, strict=True):
                each.update = update
        return b'{"Statements":[%b]}' % b",".join(map(self._statement, chunk.writes))

    def _statement(self, write: _Write) -> bytes:
        """Spell the statement of an order in JSON; its values are spelled already."""
        order = write.order
        if write.update:
            return b"%b%b,%b,%b]}" % (self._update, order.rest, order.key, order.newest)
        return b"%b%b,%b]}" % (self._insert, order.key, order.rest)


@contextlib.contextmanager
def _failing(chunk: _Chunk, outcomes: dict[str, Outcome]) -> Iterator[None]:
    """Let a mistake of ours fail its orders and not the invocation."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is
        failed = Outcome("failed", f"writing failed with {type(error).__name__}")
        outcomes.update((each.order.order_id, failed) for each in chunk.writes)


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


def _outcome(write: _Write, result: Result) -> Outcome | None:
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
