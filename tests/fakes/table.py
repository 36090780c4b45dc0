"""DynamoDB as the handler sees it: a table in memory that runs its two statements and fails when told to."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from botocore.exceptions import ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as NoConnectionError

from functions.process_order.client import Client
from functions.process_order.store import Store

Statement = Mapping[str, Any]
Item = dict[str, dict[str, Any]]

_INSERT = re.compile(r"INSERT INTO \"(?P<table>[^\"]+)\" VALUE \{(?P<members>'\w+': \?(?:, '\w+': \?)*)\}")
_UPDATE = re.compile(
    r"UPDATE \"(?P<table>[^\"]+)\" (?P<changes>SET \"\w+\" = \?(?: SET \"\w+\" = \?)*)"
    r" WHERE \"orderId\" = \? AND NOT \"version\" >= \?"
)


def nothing(call: int, statements: Sequence[Statement]) -> Mapping[int, str]:
    """Let a call pass: the default of `before` and `after`."""
    return {}


class Table:
    """One table with the partition key orderId.

    `before` sees the number of a call, from 0, and its statements: it may raise, or name statements by index that fail
    with an error code and are not run. `after` sees the same once they have run: it may raise, and the answer is lost.
    """

    def __init__(
        self,
        *,
        before: Callable[[int, Sequence[Statement]], Mapping[int, str]] = nothing,
        after: Callable[[int, Sequence[Statement]], object] = nothing,
    ) -> None:
        self.items: dict[str, Item] = {}
        self.calls: list[list[Statement]] = []
        self._before = before
        self._after = after
        self._lock = Lock()

    def batch_execute_statement(self, *, Statements: Sequence[Statement]) -> dict[str, Any]:  # noqa: N803
        """Answer as DynamoDB does: one response per statement, in their order."""
        with self._lock:
            call = len(self.calls)
            self.calls.append(list(Statements))
        if not 1 <= len(Statements) <= 25:
            raise client_error("ValidationException", message="a batch has 1 to 25 statements")
        codes = self._before(call, Statements)
        with self._lock:
            responses = [
                _response(codes[index]) if index in codes else self._run(statement)
                for index, statement in enumerate(Statements)
            ]
        self._after(call, Statements)
        return {"Responses": responses}

    def _run(self, statement: Statement) -> dict[str, Any]:
        text, parameters = statement["Statement"], list(statement["Parameters"])
        if match := _INSERT.fullmatch(text):
            names = re.findall(r"'(\w+)'", match["members"])
            item = dict(zip(names, parameters, strict=True))
            key = item["orderId"]["S"]
            if key in self.items:
                return _response("DuplicateItem")
            self.items[key] = item
            return _response("")
        if match := _UPDATE.fullmatch(text):
            names = re.findall(r'"(\w+)"', match["changes"])
            *values, order_id, version = parameters
            row = self.items.get(order_id["S"])
            known = (row or {}).get("version", {}).get("S")  # a text is not compared with a number, or with nothing
            if row is None or (known is not None and known >= version["S"]):
                return _response("ConditionalCheckFailed")
            row.update(zip(names, values, strict=True))
            return _response("")
        return _response("ValidationError")


def _response(code: str) -> dict[str, Any]:
    return {"TableName": "Orders", **({"Error": {"Code": code, "Message": f"it is {code}"}} if code else {})}


def client_error(code: str, *, status: int = 400, message: str = "no") -> ClientError:
    """Make the error of a call that DynamoDB refuses as a whole."""
    response: Any = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "BatchExecuteStatement")


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []
        self._lock = Lock()

    def __call__(self) -> float:
        """Tell the seconds that have passed."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        with self._lock:
            self.pauses.append(seconds)
            self.now += seconds


class Executing(Client):
    """A store's way to a client of the SDK, or to what is like one: a call ends when it starts."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._ended: list[tuple[Any, tuple[int, bytes] | Exception]] = []

    def start(self, key: Any, body: bytes, seconds: float) -> None:
        """Have the statements run."""
        try:
            self._ended.append((key, self._run(body)))
        except Exception as error:  # noqa: BLE001 - as the client does
            self._ended.append((key, error))

    def answers(self, seconds: float) -> list[tuple[Any, tuple[int, bytes] | Exception]]:
        """Return what has ended since."""
        ended, self._ended = self._ended, []
        return ended

    def _run(self, request: bytes) -> tuple[int, bytes]:
        try:
            answer = self._client.batch_execute_statement(**json.loads(request))
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            told = error.response["Error"]
            answer = {"__type": f"com.amazonaws.dynamodb.v20120810#{told['Code']}", "message": told["Message"]}
            return status, json.dumps(answer).encode()
        except (HTTPClientError, NoConnectionError) as error:
            raise TimeoutError from error
        return 200, json.dumps(answer, default=str).encode()


def store_of(table: Any, clock: Clock | None = None) -> Store:
    """Make a store on a table in memory; pauses are as long as they may be, and cost no time."""
    clock = clock or Clock()
    return Store(Executing(table), "Orders", clock=clock, sleep=clock.sleep, jitter=lambda: 1.0)
