"""The table in memory answers as AWS's DynamoDB Local does, and the contract's limits are those of DynamoDB.

Skipped where Java or DynamoDB Local is missing. To fetch it once, outside the checkout:
mvn -f tests/handler/dynamodb-local.xml dependency:copy-dependencies -DoutputDirectory=$HOME/.cache/dynamodb-local
"""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import boto3
import pytest

from functions.process_order.orders import MAX_ITEM_SIZE, Rejected, parse
from functions.process_order.store import STORED, Store
from tests.fakes.events import body
from tests.fakes.table import Executing, Table

FOLDER = Path(os.environ.get("DYNAMODB_LOCAL") or Path.home() / ".cache" / "dynamodb-local")
JAR = "DynamoDBLocal-2.6.1.jar"
SHA256 = "a28d8b4919999b7dee6ffa9fd4e9a08744460657a9bd3e3499e3aad00e1f2cc4"  # pragma: allowlist secret
STARTS = 60.0
"""Seconds that Java may take to listen."""


def missing() -> str:
    """Say what is missing; empty if nothing is."""
    if not shutil.which("java"):
        return "DynamoDB Local needs Java"
    jar = FOLDER / JAR
    if not jar.is_file():
        return f"DYNAMODB_LOCAL or ~/.cache/dynamodb-local must hold {JAR}"
    found = hashlib.sha256(jar.read_bytes()).hexdigest()
    return "" if found == SHA256 else f"{JAR} must have the SHA-256 {SHA256}, got {found}"


pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    main = "com.amazonaws.services.dynamodbv2.local.main.ServerRunner"
    options = ["-inMemory", "-disableTelemetry", "-port", str(port)]
    command = ["java", "-XX:TieredStopAtLevel=1", "-cp", f"{FOLDER}/*", main, *options]
    folder = tmp_path_factory.mktemp("dynamodb")
    with (folder / "log").open("w") as log, subprocess.Popen(command, cwd=folder, stdout=log, stderr=log) as process:
        try:
            _wait(port, process)
            found = boto3.client(
                "dynamodb",
                endpoint_url=f"http://127.0.0.1:{port}",
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
            found.create_table(
                TableName="Orders",
                KeySchema=[{"AttributeName": "orderId", "KeyType": "HASH"}],
                AttributeDefinitions=[{"AttributeName": "orderId", "AttributeType": "S"}],
                BillingMode="PAY_PER_REQUEST",
            )
            yield found
            found.close()
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + STARTS
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"DynamoDB Local must listen within {STARTS:g} s, and did not")


class Compared:
    """Runs every call on both tables; their answers must be the same but for the wording."""

    def __init__(self, client: Any, table: Table) -> None:
        self._both = (client, table)
        self.codes: set[tuple[str, str]] = set()

    def batch_execute_statement(self, *, Statements: Any) -> Any:  # noqa: N803
        real, model = (
            [_told(each) for each in one.batch_execute_statement(Statements=Statements)["Responses"]]
            for one in self._both
        )
        assert real == model
        for statement, code in zip(Statements, real, strict=True):
            self.codes.add((statement["Statement"][:6], code))
        return {"Responses": [{"Error": {"Code": code, "Message": ""}} if code else {} for code in real]}


def _told(response: Any) -> str:
    assert "Item" not in response.get("Error", {})  # no answer may grow with a row
    return str(response.get("Error", {}).get("Code", ""))


def _row(random: Random, order_id: str) -> dict[str, Any] | None:
    """Make a row as an import, a repair by hand or the handler leaves it; or none."""
    versions: list[Any] = [None, {}, {"N": "5"}, {"NULL": True}, {"M": {}}, {"S": "2020"}, {"S": "2099"}]
    version = random.choice(versions)
    if version is None:
        return None
    return {"orderId": {"S": order_id}, "note": {"S": "kept"}, **({"version": version} if version else {})}


def test_the_table_in_memory_answers_as_dynamodb_local_does(client: Any) -> None:
    random, table = Random(0), Table()
    ids = [f"O{index}" for index in range(4)]
    compared = Compared(client, table)
    store = Store(Executing(compared), "Orders")
    for _ in range(20):
        for order_id in random.sample(ids, 2):
            _place(client, table, order_id, _row(random, order_id))
        batch = [
            parse(
                body(
                    orderId=order_id,
                    timestamp=f"2025-05-0{random.randint(1, 2)}T12:00:00Z",
                    status=random.choice(("new", "paid")),
                )
            )
            for order_id in ids
        ]
        written = store.write(batch, store.clock() + 30)
        assert {outcome.kind for outcome in written.values()} <= {"stored", "superseded"}
    for order_id in ids:
        found = client.get_item(TableName="Orders", Key={"orderId": {"S": order_id}}).get("Item")
        assert found == table.items.get(order_id)
    assert compared.codes == {
        ("INSERT", ""),
        ("INSERT", "DuplicateItem"),
        ("UPDATE", ""),
        ("UPDATE", "ConditionalCheckFailed"),
    }


def _place(client: Any, table: Table, order_id: str, row: dict[str, Any] | None) -> None:
    """Put a row into both tables, or take it from both."""
    if row is None:
        client.delete_item(TableName="Orders", Key={"orderId": {"S": order_id}})
        table.items.pop(order_id, None)
    else:
        client.put_item(TableName="Orders", Item=row)
        table.items[order_id] = dict(row)


def _nested(levels: int, inner: Any) -> Any:
    for _ in range(levels):
        inner = [inner]
    return inner


EDGES: list[dict[str, Any]] = [
    {"x" * 65_535: 1},
    *({"note": _nested(levels, inner)} for levels, inner in ((30, 1), (29, []), (29, {}))),
    {"note": [value for value in (7, -1200, 1 - 10**37, None) for _ in range(1500)]},
]


def _fitted(further: dict[str, Any]) -> dict[str, Any]:
    """Grow `pad` until the contract says that the item is full."""
    low, high = 0, MAX_ITEM_SIZE
    while low < high:
        middle = (low + high + 1) // 2
        try:
            parse(body(orderId="edge", **{**further, "pad": "x" * middle}))
            low = middle
        except Rejected:
            high = middle - 1
    return {**further, "pad": "x" * low}


@pytest.mark.parametrize("further", EDGES, ids=range(len(EDGES)))
def test_what_the_contract_takes_dynamodb_takes_by_insert_and_by_update(client: Any, further: dict[str, Any]) -> None:
    order = parse(body(orderId="edge", **_fitted(further)))
    for row in (None, {"orderId": {"S": "edge"}}):
        _place(client, Table(), "edge", row)
        store = Store(Executing(client), "Orders")
        assert store.write([order], store.clock() + 30) == {"edge": STORED}
