"""Measures what the handler does for each order besides its calls, step by step, in this process."""

import contextlib
import io
import json
import time
from collections.abc import Callable
from statistics import median

from functions.process_order.lambda_function import process
from functions.process_order.orders import parse, problems
from functions.process_order.store import STATEMENTS_PER_CALL, Store
from tests.bench.events import new_order
from tests.fakes.events import Context, sqs_event
from tests.fakes.table import Executing

BATCH, ROUNDS = 100, 200
ANSWER = 200, json.dumps({"Responses": [{"TableName": "Orders"}] * STATEMENTS_PER_CALL}).encode()


class Answering(Executing):
    """Answers every call at once: its statements ran."""

    def _run(self, request: bytes) -> tuple[int, bytes]:
        return ANSWER


def measure() -> dict[str, float]:
    """Microseconds of CPU of each step, for one of a batch of new orders: medians of rounds of turns."""
    store = Store(Answering(None), "Orders")
    with contextlib.redirect_stdout(io.StringIO()):
        rounds = [_round(store) for _ in range(ROUNDS)]
    return {step: median(each[step] for each in rounds) for step in rounds[0]}


def _round(store: Store) -> dict[str, float]:
    bodies = [new_order() for _ in range(BATCH)]
    documents, orders, event = list(map(json.loads, bodies)), list(map(parse, bodies)), sqs_event(*bodies)
    decode = _micros(lambda: [json.loads(body) for body in bodies])
    check = _micros(lambda: [problems(document) for document in documents])
    read = _micros(lambda: [parse(body, "~") for body in bodies])
    write = _micros(lambda: store.write(orders, store.clock() + 60))
    whole = _micros(lambda: process(event, Context(), store))
    return {
        "decode": decode,
        "check": check,
        "spell the item, hash it": read - decode - check,
        "statements, learning, answers": write,
        "newest, outcomes, log": whole - read - write,
        "all": whole,
    }


def _micros(step: Callable[[], object]) -> float:
    started = time.process_time()
    step()
    return (time.process_time() - started) * 1e6 / BATCH
