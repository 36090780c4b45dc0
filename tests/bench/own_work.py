"""Measures what the handler does for each order besides its calls, step by step, in this process."""

import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator, Sequence
from statistics import median
from typing import Any

from functions.process_order.client import Answer, Client
from functions.process_order.lambda_function import process
from functions.process_order.orders import parse, problems
from functions.process_order.store import STATEMENTS_PER_CALL, Store
from tests.bench.events import LambdaContext, new_order, sqs_event

BATCH, ROUNDS = 100, 60
ANSWER = 200, json.dumps({"Responses": [{"TableName": "Orders"}] * STATEMENTS_PER_CALL}).encode()


class Answering(Client):
    """Answers every call at once: its statements ran."""

    def __init__(self) -> None:
        self._keys: list[Any] = []

    def start(self, key: Any, body: bytes, seconds: float) -> None:
        """Take a call."""
        self._keys.append(key)

    def answers(self, seconds: float) -> list[tuple[Any, Answer | Exception]]:
        """Answer what was taken."""
        keys, self._keys = self._keys, []
        return [(key, ANSWER) for key in keys]


def measure() -> dict[str, float]:
    """Microseconds of CPU of each step, for one of a batch of new orders."""
    store = Store(Answering(), "Orders")
    bodies = [[new_order() for _ in range(BATCH)] for _ in range(ROUNDS)]
    documents = [[json.loads(body) for body in batch] for batch in bodies]
    decode = _micros(lambda batch: [json.loads(body) for body in batch], bodies)
    check = _micros(lambda batch: [problems(document) for document in batch], documents)
    read = _micros(lambda batch: [parse(body, "~") for body in batch], bodies)
    write = _micros(lambda batch: store.write(batch, store.clock() + 60), [list(map(parse, batch)) for batch in bodies])
    with contextlib.redirect_stdout(io.StringIO()):
        whole = _micros(lambda event: process(event, LambdaContext(), store), [sqs_event(batch) for batch in bodies])
    return {
        "decode": decode,
        "check": check,
        "spell the item, hash it": read - decode - check,
        "statements, learning, answers": write,
        "newest, outcomes, log": whole - read - write,
        "all": whole,
    }


def _micros(step: Callable[[Any], object], batches: Sequence[Any]) -> float:
    return median(_timed(step, batches)) * 1e6 / BATCH


def _timed(step: Callable[[Any], object], batches: Sequence[Any]) -> Iterator[float]:
    for batch in batches:
        started = time.process_time()
        step(batch)
        yield time.process_time() - started
