"""The table depends on the set of events alone, in memory and on the local cloud; and the two are alike."""

import json
import random
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from fakes.events import run as invoke
from fakes.events import sqs_event
from fakes.table import Table, executing
from functions.process_order.orders import parse
from functions.process_order.store import Store
from local.deploy import Deployment, deployed
from reliability.load import PATIENCE
from reliability.report import Result

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
            answer: dict[str, Any] = self._client.batch_execute_statement(Statements=list(Statements))
            if way == "lost":
                raise ReadTimeoutError(endpoint_url="https://dynamodb")
            return answer
        kept = [statement for n, statement in enumerate(Statements) if n not in failing]
        ran = iter(self._client.batch_execute_statement(Statements=kept)["Responses"] if kept else ())
        error = {n: {"Error": {"Code": code, "Message": "no"}} for n, code in failing.items()}
        return {"Responses": [error[n] if n in error else next(ran) for n in range(len(Statements))]}


def run(*, in_memory: int = 5_000, on_cloud: int = 400, alike: int = 400, seed: int = 1) -> Result:
    """Prove it on a cloud of its own."""
    with deployed() as deployment:
        return prove(deployment, in_memory=in_memory, on_cloud=on_cloud, alike=alike, seed=seed)


def prove(deployment: Deployment, *, in_memory: int, on_cloud: int, alike: int, seed: int) -> Result:
    """Deliver so many random multisets of events to each kind of table, and compare the two kinds so many times."""
    client, table = deployment.client("dynamodb"), deployment.outputs["tableName"]
    problems: list[str] = []
    figures = {"failed calls in memory": 0, "failed calls on the cloud": 0, "deliveries": 0}
    for case in range(in_memory):
        memory = Table()
        problem = _case(case, seed, memory, figures, "failed calls in memory", _memory_reader(memory))
        problems += [problem] if problem else []
    for case in range(on_cloud):
        read = _reader(client, table)
        problem = _case(case, seed + 1, _Named(client, table), figures, "failed calls on the cloud", read)
        problems += [problem] if problem else []
    different = [text for case in range(alike) if (text := _compare(case, seed, client, table))]
    return Result(
        promise="the table ends equal to the fold of the set of events, whatever their order, number, batches, "
        "repetitions and failures",
        test="Random multisets of events, with several versions per order, ties, equal instants in different zones "
        "and duplicates, are delivered through the handler in random order and random batches, while a quarter of the "
        "calls fail before, during or after their statements; what is answered as failed is delivered again, shuffled. "
        "The in-memory table is compared with the cloud's, statement by statement and item by item.",
        figures={
            "cases in memory": in_memory,
            "cases on the local cloud": on_cloud,
            **figures,
            "comparisons of the two tables": alike,
            "differences": len(different),
            "tables that did not converge": len(problems),
        },
        problems=(*problems[:5], *different[:5]),
    )


class _Named:
    """The cloud's client as the in-memory table is: its statements may name their own table."""

    def __init__(self, client: Any, table: str) -> None:
        self._client, self._table = client, table

    def batch_execute_statement(self, *, Statements: Sequence[Mapping[str, Any]]) -> Any:  # noqa: N803
        """Run the statements on the real table, whatever name they carry."""
        renamed = [
            {**each, "Statement": each["Statement"].replace('"Orders"', f'"{self._table}"')} for each in Statements
        ]
        return self._client.batch_execute_statement(Statements=renamed)


def _case(
    case: int,
    seed: int,
    client: Any,
    figures: dict[str, int],
    failed: str,
    read: Callable[[Sequence[str]], Mapping[str, Any]],
) -> str:
    """Deliver one multiset until nothing fails; return how its table differs from the fold, or nothing."""
    chance = random.Random(f"{seed}/{case}")  # noqa: S311 - not for secrets
    ids = [f"C{seed}-{case}-{name}" for name in "abc"[: chance.randint(1, 3)]]
    events = [_event(chance, ids) for _ in range(chance.randint(1, 12))]
    waiting = events + chance.choices(events, k=chance.randint(0, 6))
    flaky = Flaky(client, chance)
    store = Store(executing(flaky), "Orders", sleep=lambda _: None)
    for _ in range(int(PATIENCE)):
        chance.shuffle(waiting)
        size = chance.randint(1, len(waiting))
        batch, waiting = waiting[:size], waiting[size:]
        answered = invoke(sqs_event(*batch), store, level="FATAL").failed
        waiting += [batch[int(message[1:])] for message in answered]
        figures["deliveries"] += size
        if not waiting:
            break
    figures[failed] += flaky.failures
    if waiting:
        return f"case {seed}/{case}: still failing after {PATIENCE:.0f} batches"
    return _verdict(f"case {seed}/{case}", events, read(ids))


def _verdict(case: str, events: Sequence[str], table: Mapping[str, Any]) -> str:
    """Hold a table against the events: each item is the one event that wins, and its instant is the latest."""
    folded: dict[str, Any] = {}
    for order in sorted((parse(body) for body in set(events)), key=lambda order: order.version):
        folded[order.order_id] = order.item
    if table != folded:
        return f"{case}: the table is not the fold of {sorted(set(events))}"
    for order_id, item in table.items():
        rivals = [json.loads(body) for body in events if json.loads(body)["orderId"] == order_id]
        if _instant(item["timestamp"]["S"]) < max(_instant(rival["timestamp"]) for rival in rivals):
            return f"{case}: {order_id} is not the latest of its events"
    return ""


def _instant(timestamp: str) -> tuple[datetime, str]:
    """A point in time to the nanosecond, which datetime does not know."""
    fraction = timestamp.partition(".")[2].rstrip("Z").split("+")[0].split("-")[0]
    return datetime.fromisoformat(timestamp).replace(microsecond=0), fraction.ljust(9, "0")


def _event(chance: random.Random, ids: Sequence[str]) -> str:
    event = {
        "orderId": chance.choice(ids),
        "userId": "U1",
        "itemName": "Laptop",
        "quantity": chance.choice((1, 1.0, 2)),
        "status": chance.choice(("new", "paid")),
        "timestamp": chance.choice(INSTANTS),
        "note": chance.choice((None, 1, {"a": [1.50]})),
    }
    names = list(event)
    chance.shuffle(names)
    return json.dumps({name: event[name] for name in names})


def _memory_reader(table: Table) -> Callable[[Sequence[str]], Mapping[str, Any]]:
    return lambda _: table.items


def _reader(client: Any, table: str) -> Callable[[Sequence[str]], dict[str, Any]]:
    def read(ids: Sequence[str]) -> dict[str, Any]:
        keys = {table: {"Keys": [{"orderId": {"S": order}} for order in ids], "ConsistentRead": True}}
        found = client.batch_get_item(RequestItems=keys)["Responses"][table]
        return {item["orderId"]["S"]: item for item in found}

    return read


class _Recorder:
    """Remembers the statements that the store would send."""

    def __init__(self) -> None:
        self.statements: list[Mapping[str, Any]] = []

    def batch_execute_statement(self, *, Statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Answer that every order exists: so both kinds of statement are seen."""
        self.statements += Statements
        code = "DuplicateItem" if "INSERT" in Statements[0]["Statement"] else "ConditionalCheckFailed"
        return {"Responses": [{"Error": {"Code": code, "Message": "", "Item": {"orderId": {}}}}] * len(Statements)}


def _compare(case: int, seed: int, client: Any, table: str) -> str:
    """Run one random sequence of the store's statements on both tables; return how they differ, or nothing."""
    chance = random.Random(f"alike {seed}/{case}")  # noqa: S311 - not for secrets
    ids = [f"A{seed}-{case}-{name}" for name in "abc"]
    recorder = _Recorder()
    for _ in range(chance.randint(1, 5)):
        Store(executing(recorder), "Orders").write([parse(_event(chance, ids))], deadline=time.monotonic() + PATIENCE)
    chance.shuffle(recorder.statements)
    memory, cloud = Table(), _Named(client, table)
    while recorder.statements:
        # A batch must not name an item twice.
        batch = {_key(statement): statement for statement in recorder.statements[: chance.randint(1, 4)]}
        recorder.statements = [each for each in recorder.statements if each not in batch.values()]
        answers = [
            [
                each.get("Error", {}).get("Code", "")
                for each in one.batch_execute_statement(Statements=list(batch.values()))["Responses"]
            ]
            for one in (memory, cloud)
        ]
        if answers[0] != answers[1]:
            return f"comparison {seed}/{case}: {answers[0]} in memory, {answers[1]} on the cloud"
    if memory.items != _reader(client, table)(ids):
        return f"comparison {seed}/{case}: the tables hold different items"
    return ""


def _key(statement: Mapping[str, Any]) -> str:
    parameters = statement["Parameters"]
    return str(parameters[0 if "INSERT" in statement["Statement"] else -2]["S"])
