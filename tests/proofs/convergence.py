"""The real table depends on the set of events alone, and the table in memory that tests use is like it."""

import json
import random
from collections.abc import Mapping, Sequence
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from functions.process_order.orders import parse
from functions.process_order.store import Store
from tests.fakes.events import body, sqs_event
from tests.fakes.events import run as invoke
from tests.fakes.table import Table, executing
from tests.proofs.report import Result
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment

INSTANTS = (
    "2025-05-03T12:00:00Z",
    "2025-05-03T14:00:00+02:00",
    "2025-05-03T07:00:00.000-05:00",
    "2025-05-03T12:00:00.000001Z",
    "2025-05-03T12:00:00.000000001Z",
    "2025-05-03T13:00:00+02:00",
    "2024-12-31T23:59:59Z",
    "2024-02-29T23:59:59.999999999Z",
)
"""Some are equal instants in different zones, some differ below the microsecond."""
FAILING = 0.25
"""Part of the calls that fail, as a whole, in part, or only in their answer."""
CODES = ("ThrottlingError", "InternalServerError", "AccessDenied", "ValidationError", "TransactionConflict")
BATCHES = 120
"""Batches after which a case that still has failures has not converged."""


class Twins:
    """The cloud's table and one in memory: every statement runs on both, and both must answer alike."""

    def __init__(self, client: Any) -> None:
        self.memory = Table()
        self.differences: list[str] = []
        self._client = client

    def batch_execute_statement(self, *, Statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Answer as the cloud does."""
        answer: dict[str, Any] = self._client.batch_execute_statement(Statements=list(Statements))
        codes = [
            [response.get("Error", {}).get("Code", "") for response in each["Responses"]]
            for each in (answer, self.memory.batch_execute_statement(Statements=Statements))
        ]
        if codes[0] != codes[1]:
            self.differences.append(f"{codes[0]} on the cloud, {codes[1]} in memory")
        return answer


class Flaky:
    """A DynamoDB client some of whose calls fail, before or after their statements ran."""

    def __init__(self, client: Any, chance: random.Random) -> None:
        self.failures = 0
        self._client, self._chance, self._lock = client, chance, Lock()

    def batch_execute_statement(self, *, Statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Answer as DynamoDB does, or fail."""
        with self._lock:
            way = self._chance.choice(("refused", "lost", "partly")) if self._chance.random() < FAILING else ""
            failing = {n: self._chance.choice(CODES) for n in range(len(Statements)) if self._chance.random() < 0.5}
            self.failures += bool(way)
        if way == "refused":
            raise ClientError({"Error": {"Code": "ThrottlingException", "Message": "no"}}, "BatchExecuteStatement")
        if way != "partly":
            answer: dict[str, Any] = self._client.batch_execute_statement(Statements=Statements)
            if way == "lost":
                raise ReadTimeoutError(endpoint_url="https://dynamodb")
            return answer
        kept = [statement for n, statement in enumerate(Statements) if n not in failing]
        ran = iter(self._client.batch_execute_statement(Statements=kept)["Responses"] if kept else ())
        error = {n: {"Error": {"Code": code, "Message": "no"}} for n, code in failing.items()}
        return {"Responses": [error[n] if n in error else next(ran) for n in range(len(Statements))]}


def run(*, cases: int = 800, seed: int = 1) -> Result:
    """Prove it on a cloud of its own."""
    with deployed() as deployment:
        return prove(deployment, cases=cases, seed=seed)


def prove(deployment: Deployment, *, cases: int, seed: int) -> Result:
    """Deliver so many random multisets of events, and compare what the two tables answer and hold."""
    client, table = deployment.client("dynamodb"), deployment.outputs["tableName"]
    figures = {"deliveries": 0, "failed calls": 0, "statements": 0}
    problems = []
    for case in range(cases):
        chance, twins = random.Random(f"{seed}/{case}"), Twins(client)
        ids = [f"C{seed}-{case}-{name}" for name in "abc"[: chance.randint(1, 3)]]
        events = [_event(chance, ids) for _ in range(chance.randint(1, 12))]
        left = _deliver(events, chance, twins, table, figures)
        held = _held(client, table, ids)
        folded = {order.order_id: order.item for order in sorted(map(parse, events), key=lambda each: each.version)}
        found = [f"still failing after {BATCHES} batches"] if left else twins.differences
        found += ["the table is not the fold of its events"] if held != folded else []
        found += ["the table in memory holds other items"] if held != twins.memory.items else []
        problems += [f"case {seed}/{case}: {problem}" for problem in found]
    return Result(
        promise="the table ends equal to the fold of the set of events, whatever their order, number, batches, "
        "repetitions and failures",
        test="Random multisets of events, with several versions per order, ties, equal instants in different zones "
        "and duplicates, are delivered through the handler in random order and random batches, while a quarter of the "
        "calls fail before, during or after their statements; what is answered as failed is delivered again, shuffled. "
        "Each statement runs on the cloud's table and on the one in memory with which the handler's tests say the same "
        "of thousands of generated cases: both must answer alike, and hold the same items in the end.",
        figures={"cases on the local cloud": cases, **figures, "differences": len(problems)},
        problems=tuple(problems[:5]),
    )


def _deliver(events: list[str], chance: random.Random, twins: Twins, table: str, figures: dict[str, int]) -> list[str]:
    """Deliver the events, some of them twice, until nothing fails; return what still does after too many batches."""
    waiting = events + chance.choices(events, k=chance.randint(0, 6))
    flaky = Flaky(twins, chance)
    store = Store(executing(flaky), table, sleep=lambda _: None)
    for _ in range(BATCHES):
        chance.shuffle(waiting)
        size = chance.randint(1, len(waiting))
        batch, waiting = waiting[:size], waiting[size:]
        answered = invoke(sqs_event(*batch), store, level="FATAL").failed
        waiting += [batch[int(message[1:])] for message in answered]
        figures["deliveries"] += size
        if not waiting:
            break
    figures["failed calls"] += flaky.failures
    figures["statements"] += sum(map(len, twins.memory.calls))
    return waiting


def _event(chance: random.Random, ids: Sequence[str]) -> str:
    event = json.loads(
        body(
            orderId=chance.choice(ids),
            quantity=chance.choice((1, 1.0, 2)),
            status=chance.choice(("new", "paid")),
            timestamp=chance.choice(INSTANTS),
            note=chance.choice((None, 1, {"a": [1.50]})),
        )
    )
    return json.dumps({name: event[name] for name in chance.sample(list(event), k=len(event))})


def _held(client: Any, table: str, ids: Sequence[str]) -> dict[str, Any]:
    keys = {table: {"Keys": [{"orderId": {"S": order}} for order in ids], "ConsistentRead": True}}
    found = client.batch_get_item(RequestItems=keys)["Responses"][table]
    return {item["orderId"]["S"]: item for item in found}
