"""Conditional writes of orders into the table, 25 to a round trip, until they land or time is up."""

import json
import random
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from . import client as dynamodb
from .answers import REFUSED, TRANSIENT, Result, explain, read
from .expectation import Expectation
from .orders import COLUMNS, INSTANT, Order

STATEMENTS_PER_CALL = 25
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html"""

PARALLEL_CALLS = 8
"""Calls in flight at once; also the connections that are kept."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds: the bound of the random pause before the first and before any further attempt, doubling in between."""

LONGEST_CALL = dynamodb.CONNECT_TIMEOUT + dynamodb.READ_TIMEOUT + 0.5
"""Seconds. A call that has so much time needs no thread to be left behind on."""


class Outcome(NamedTuple):
    """What became of one order."""

    kind: str
    """`stored`, `superseded` (the table holds this version or a newer one) or `failed`."""
    reason: str = ""
    """Why it failed, or lost a tie."""


STORED, SUPERSEDED = Outcome("stored"), Outcome("superseded")
UNCONFIRMED = Outcome("failed", "DynamoDB confirmed no write before the function's deadline")
TIE = Outcome(
    "superseded",
    "another event of the order with the same timestamp was kept: send a correction with a newer timestamp",
)


@dataclass(slots=True)
class _Chunk:
    """Orders that are written together, and what is known of them."""

    orders: list[Order]
    updates: set[str] = field(default_factory=set)
    """Those whose next statement is an UPDATE."""
    guesses: dict[str, bool] = field(default_factory=dict)
    """Whether they were expected to exist, until an answer tells."""
    attempts: int = 0
    rounds: int = 0
    """Calls after which an order needed the other statement."""

    def halves(self) -> "list[_Chunk]":
        half = len(self.orders) // 2
        return [_Chunk(part, self.updates, self.guesses) for part in (self.orders[:half], self.orders[half:])]


class Store:
    """The table of orders: it holds the newest version of each, in whatever order they are written."""

    def __init__(
        self,
        execute: Callable[[str], Any],
        table: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
        expectation: Expectation | None = None,
    ) -> None:
        # The name is the only text in a statement that is not ours.
        if not re.fullmatch(r"[a-zA-Z0-9_.-]{3,255}", table):
            raise ValueError(f"TABLE_NAME must be the name of a DynamoDB table, got {table!r}")
        members = ", ".join(f"'{name}': ?" for name in COLUMNS)
        changes = " ".join(f'SET "{name}" = ?' for name in COLUMNS[1:])
        self.clock = clock
        self._execute = execute
        self._sleep = sleep
        self._jitter = jitter
        self._threads = ThreadPoolExecutor(PARALLEL_CALLS)
        self._expectation = expectation or Expectation()
        self._insert = json.dumps(f'INSERT INTO "{table}" VALUE {{{members}}}')
        # NOT >= is true where < is not: of a row whose version is missing or no text. Such a row is replaced.
        self._update = json.dumps(f'UPDATE "{table}" {changes} WHERE "orderId" = ? AND NOT "version" >= ?')

    def write(self, orders: Iterable[Order], deadline: float) -> dict[str, Outcome]:
        """Write orders with distinct ids and say by id what became of each, at the latest at `deadline` of the clock.

        A call that hangs is left behind: whatever it still does is one more conditional write.
        """
        waiting = list(orders)
        outcomes: dict[str, Outcome] = {}
        chunks = deque(
            _Chunk(waiting[start : start + STATEMENTS_PER_CALL])
            for start in range(0, len(waiting), STATEMENTS_PER_CALL)
        )
        if chunks:
            self._share(chunks, outcomes, deadline)
        return {order.order_id: outcomes.get(order.order_id, UNCONFIRMED) for order in waiting}

    def _share(self, chunks: deque[_Chunk], outcomes: dict[str, Outcome], deadline: float) -> None:
        """Write on this thread and on others, and wait for those until the deadline."""
        others = min(PARALLEL_CALLS, len(chunks)) - 1
        drains = [self._threads.submit(self._drain, chunks, outcomes, deadline, deadline) for _ in range(others)]
        self._drain(chunks, outcomes, deadline - LONGEST_CALL, deadline)
        if chunks:  # in a hurry: what is left needs a thread that can be left behind
            drains.append(self._threads.submit(self._drain, chunks, outcomes, deadline, deadline))
        if wait(drains, timeout=max(0.0, deadline - self.clock())).not_done:
            # What hangs keeps its threads: it must not delay the next invocation.
            self._threads.shutdown(wait=False)
            self._threads = ThreadPoolExecutor(PARALLEL_CALLS)

    def _drain(self, chunks: deque[_Chunk], outcomes: dict[str, Outcome], until: float, deadline: float) -> None:
        """Write chunks as long as there are any; start nothing from `until` on, and leave what is not done."""
        while self.clock() < until:
            try:
                chunk = chunks.popleft()
            except IndexError:
                return
            try:
                chunks.extend(self._write_chunk(chunk, outcomes, until, deadline))
            except Exception as error:  # noqa: BLE001 - a mistake of ours fails its orders and not the invocation
                failed = Outcome("failed", f"writing failed with {type(error).__name__}")
                outcomes.update((order.order_id, failed) for order in chunk.orders)

    def _write_chunk(self, chunk: _Chunk, outcomes: dict[str, Outcome], until: float, deadline: float) -> list[_Chunk]:
        """Write until nothing is pending or time is up; return what is left, halved if the call as a whole is refused.

        `outcomes` always holds what is known so far, so giving up needs no last word.
        """
        while chunk.orders:
            if self.clock() >= until:
                return [chunk]
            results = self._call(chunk)
            if results[0].code in REFUSED and len(chunk.orders) > 1:
                return chunk.halves()
            again = [
                order
                for order, result in zip(chunk.orders, results, strict=True)
                if self._settle(chunk, order, result, outcomes)
            ]
            transient = any(result.code in TRANSIENT for result in results)
            chunk.orders = again
            chunk.rounds += bool(again) and not transient
            # Rows that keep coming and going are left alone for a while, too.
            if transient or chunk.rounds > 2:
                pause = self._jitter() * min(LONGEST_PAUSE, FIRST_PAUSE * 2**chunk.attempts)
                if self.clock() + pause >= deadline:
                    break
                self._sleep(pause)
                chunk.attempts += 1
        return []

    def _settle(self, chunk: _Chunk, order: Order, result: Result, outcomes: dict[str, Outcome]) -> bool:
        """Take in how the statement of an order ended; tell whether another is needed."""
        name, updated = order.order_id, order.order_id in chunk.updates
        existed = _existed(result, updated=updated)
        if existed is not None and (guess := chunk.guesses.pop(name, None)) is not None:
            self._expectation.learn(order.status, guess=guess, existed=existed)
        if existed is not None and existed != updated and result.code:
            chunk.updates ^= {name}  # an INSERT met a row, or an UPDATE none
            return True
        outcomes[name] = _meaning(order, result)
        return result.code in TRANSIENT

    def _call(self, chunk: _Chunk) -> list[Result]:
        """Send one statement per order, in one call, and say how each ended."""
        statements = [self._statement(chunk, order) for order in chunk.orders]
        try:
            answer = self._execute(f'{{"Statements":[{",".join(statements)}]}}')
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, these orders are reported and the others go on
            return [explain(error)] * len(statements)
        return read(answer, len(statements))

    def _statement(self, chunk: _Chunk, order: Order) -> str:
        """Spell the statement of an order in JSON; its values are spelled already."""
        name, values = order.order_id, order.values
        if not chunk.attempts and not chunk.rounds and name not in chunk.guesses:
            chunk.guesses[name] = expected = self._expectation.exists(order.status)
            if expected:
                chunk.updates.add(name)
        if name in chunk.updates:
            parameters = ",".join((*values[1:], values[0], values[-1]))
            # The row, if there is one, tells an order that is superseded from one that is not there.
            told = '"ReturnValuesOnConditionCheckFailure":"ALL_OLD"'
            return f'{{"Statement":{self._update},"Parameters":[{parameters}],{told}}}'
        return f'{{"Statement":{self._insert},"Parameters":[{",".join(values)}]}}'


def _existed(result: Result, *, updated: bool) -> bool | None:
    """Tell whether the row was there, if the answer to an UPDATE or INSERT tells it."""
    match result.code:
        case "":
            return updated
        case "DuplicateItem":
            return True
        case "ConditionalCheckFailed" if updated:
            return result.item is not None
        case _:
            return None


def _meaning(order: Order, result: Result) -> Outcome:
    """Say what the answer to a statement means for its order."""
    if not result.code:
        return STORED
    if result.code == "ConditionalCheckFailed":
        version = ((result.item or {}).get("version") or {}).get("S", "")
        return TIE if version != order.version and version[:INSTANT] == order.version[:INSTANT] else SUPERSEDED
    return Outcome("failed", result.reason)


def connect(environment: Mapping[str, str]) -> Store:
    """Make the store of the table TABLE_NAME.

    Raises:
        RuntimeError: TABLE_NAME is not set.
        ValueError: TABLE_NAME is not the name of a table.
    """
    if not (table := environment.get("TABLE_NAME")):
        raise RuntimeError("TABLE_NAME must be the name of the table of orders, got nothing: set it on the function")
    return Store(dynamodb.connect(PARALLEL_CALLS), table)
