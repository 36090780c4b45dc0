"""Conditional writes of orders into the table, 25 to a round trip, until they land or time is up."""

import json
import random
import re
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError
from botocore.parsers import ResponseParserError

from .orders import Order

STATEMENTS_PER_CALL = 25
"""https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.multiplestatements.batching.html"""

PARALLEL_CALLS = 8
"""Calls in flight at once; also the connections that are kept."""

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 2.0
"""Seconds: the bound of the random pause before the first and before any further attempt, doubling in between."""

TRANSIENT = frozenset(
    {
        # https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchStatementError.html
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "InternalServerError",
        "TransactionConflict",
        # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
        "ThrottlingException",
        "ProvisionedThroughputExceededException",
        "TransactionConflictException",
        "ServiceUnavailable",
        "RequestTimeout",
    }
)
"""Error codes, of one statement or of a whole call, that a later attempt can clear."""

REFUSED = frozenset({"ValidationException", "SerializationException"})
"""Error codes of a whole call that one of its statements can cause."""

LONGEST_REASON = 300
"""Characters of DynamoDB's own message in a reason."""

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
_CHANGING = ("userId", "itemName", "quantity", "status", "timestamp", "extra", "version")


class Outcome(NamedTuple):
    """What became of one order."""

    kind: str
    """`stored`, `superseded` (the table holds this version or a newer one) or `failed`."""
    reason: str = ""
    """Why it failed."""


class Result(NamedTuple):
    """How one statement ended."""

    code: str
    """DynamoDB's error code, or empty."""
    reason: str


DONE = Result("", "")
STORED, SUPERSEDED = Outcome("stored"), Outcome("superseded")
UNCONFIRMED = Outcome("failed", "DynamoDB confirmed no write before the function's deadline")


class Store:
    """The table of orders: it holds the newest version of each, in whatever order they are written."""

    def __init__(
        self,
        client: Any,
        table: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        # The name is the only text in a statement that is not ours.
        if not re.fullmatch(r"[a-zA-Z0-9_.-]{3,255}", table):
            raise ValueError(f"TABLE_NAME must be the name of a DynamoDB table, got {table!r}")
        members = ", ".join(f"'{name}': ?" for name in ("orderId", *_CHANGING))
        changes = " ".join(f'SET "{name}" = ?' for name in _CHANGING)
        self.clock = clock
        self._client = client
        self._sleep = sleep
        self._jitter = jitter
        self._threads = _Threads()
        self._insert = f'INSERT INTO "{table}" VALUE {{{members}}}'
        self._update = f'UPDATE "{table}" {changes} WHERE "orderId" = ? AND "version" < ?'

    def write(self, orders: Iterable[Order], deadline: float) -> dict[str, Outcome]:
        """Write orders with distinct ids and say by id what became of each, at the latest at `deadline` of the clock.

        A call that hangs is left behind: whatever it still does is one more conditional write.
        """
        waiting = list(orders)
        outcomes: dict[str, Outcome] = {}
        chunks = deque(
            waiting[start : start + STATEMENTS_PER_CALL] for start in range(0, len(waiting), STATEMENTS_PER_CALL)
        )
        calls = min(PARALLEL_CALLS, len(chunks))
        finished: SimpleQueue[None] = SimpleQueue()

        def drain() -> None:
            try:
                self._drain(chunks, outcomes, deadline)
            finally:
                finished.put(None)

        self._threads.run(drain, times=calls)
        try:
            for _ in range(calls):
                finished.get(timeout=max(0.0, deadline - self.clock()))
        except Empty:  # what hangs keeps its threads: it must not delay the next invocation
            self._threads.leave()
            self._threads = _Threads()
        return {order.order_id: outcomes.get(order.order_id, UNCONFIRMED) for order in waiting}

    def _drain(self, chunks: deque[list[Order]], outcomes: dict[str, Outcome], deadline: float) -> None:
        while True:
            try:
                chunk = chunks.popleft()
            except IndexError:
                return
            chunks.extend(self._write_chunk(chunk, outcomes, deadline))

    def _write_chunk(self, pending: list[Order], outcomes: dict[str, Outcome], deadline: float) -> list[list[Order]]:
        """Write until nothing is pending or time is up; return smaller chunks if the call as a whole is refused.

        `outcomes` always holds what is known so far, so giving up needs no last word.
        """
        existing: set[str] = set()
        attempts = 0
        while pending and self.clock() < deadline:
            results = self._call(pending, existing)
            if results[0].code in REFUSED and len(pending) > 1:
                half = len(pending) // 2
                return [pending[:half], pending[half:]]
            again = []
            for order, result in zip(pending, results, strict=True):
                if result.code == "DuplicateItem" and order.order_id not in existing:
                    existing.add(order.order_id)
                    again.append(order)
                    continue
                outcomes[order.order_id] = _outcome(result)
                if result.code in TRANSIENT:
                    again.append(order)
            pending = again
            if any(result.code in TRANSIENT for result in results):
                pause = self._jitter() * min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempts)
                if self.clock() + pause >= deadline:
                    break
                self._sleep(pause)
                attempts += 1
        return []

    def _call(self, orders: list[Order], existing: set[str]) -> list[Result]:
        """Send one statement per order, in one call, and say how each ended."""
        statements = [self._statement(order, update=order.order_id in existing) for order in orders]
        try:
            responses = self._client.batch_execute_statement(Statements=statements)["Responses"]
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, these orders are reported and the others go on
            return [_explain(error)] * len(orders)
        if len(responses) != len(orders):
            return [Result("InternalServerError", "DynamoDB did not answer every statement")] * len(orders)
        return [_explain_statement(response["Error"]) if "Error" in response else DONE for response in responses]

    def _statement(self, order: Order, *, update: bool) -> dict[str, Any]:
        item = order.item
        changing = [item[name] for name in _CHANGING]
        if update:
            return {"Statement": self._update, "Parameters": [*changing, item["orderId"], item["version"]]}
        return {"Statement": self._insert, "Parameters": [item["orderId"], *changing]}


class _Threads:
    """Threads that stay for the next batch: a call on a new one takes half as much CPU again."""

    def __init__(self) -> None:
        self._tasks: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[Thread] = []

    def run(self, task: Callable[[], None], *, times: int) -> None:
        """Run a task on so many threads at once, and do not wait for them."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        while len(self._threads) < times:
            self._threads.append(Thread(target=self._serve, daemon=True))  # a daemon cannot keep the process alive
            self._threads[-1].start()
        for _ in range(times):
            self._tasks.put(task)

    def leave(self) -> None:
        """End each thread once it has nothing to do."""
        for _ in self._threads:
            self._tasks.put(None)

    def _serve(self) -> None:
        while task := self._tasks.get():
            task()


def _outcome(result: Result) -> Outcome:
    if not result.code:
        return STORED
    if result.code in ("ConditionalCheckFailed", "DuplicateItem"):
        return SUPERSEDED
    return Outcome("failed", result.reason)


def _explain(error: Exception) -> Result:
    """Say why a call failed."""
    if isinstance(error, ClientError):
        details = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        result = _explain_statement(details)
        return result._replace(code="InternalServerError") if status >= 500 else result
    # Only the name: the text of other errors can quote what was sent or received.
    reason = f"the call to DynamoDB failed with {type(error).__name__}"
    transient = isinstance(error, (NoConnectionError, HTTPClientError, ResponseParserError))
    return Result("InternalServerError" if transient else "CallFailed", reason)


def _explain_statement(error: Mapping[str, str]) -> Result:
    code = error.get("Code", "") or "UnknownError"
    reason = f"DynamoDB answered {code}"
    if not code.startswith(("Validation", "Serialization")):  # these can quote values
        reason = f"{reason}: {error.get('Message', '')[:LONGEST_REASON]}"
    return Result(code, reason)


def connect(environment: Mapping[str, str]) -> Store:
    """Make the store of the table TABLE_NAME, with a client that leaves retries to it.

    Raises:
        RuntimeError: TABLE_NAME is not set.
        ValueError: TABLE_NAME is not the name of a table.
    """
    if not (table := environment.get("TABLE_NAME")):
        raise RuntimeError("TABLE_NAME must be the name of the table of orders, got nothing: set it on the function")
    config = Config(
        connect_timeout=1,
        read_timeout=2,
        retries={"total_max_attempts": 1},
        parameter_validation=False,
        max_pool_connections=PARALLEL_CALLS,
        tcp_keepalive=True,
        # Building the usual one takes a fifth of a call.
        user_agent=f"order-notifications Botocore/{botocore.__version__}",
    )
    # boto3 would give the same client after importing what S3 needs, a tenth of a cold start.
    client = botocore.session.get_session().create_client("dynamodb", config=config)
    client.meta.events.register("provide-client-params.dynamodb.BatchExecuteStatement", _set_aside)
    client.meta.events.register("before-call.dynamodb.BatchExecuteStatement", _put_back)
    return Store(client, table)


def _set_aside(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Spare botocore its walk over the statements, the larger half of a call: they are in DynamoDB's JSON already."""
    context["statements"] = params
    return {"Statements": []}


def _put_back(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = _encode(context["statements"]).encode()
