"""The floor under ProcessOrder: its round trips, with payloads built beforehand, and nothing else.

A round trip is a signed call through the SDK, with the client settings that cost least.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config

STATEMENTS, PARALLEL = 25, 8
INSERT = (
    f"INSERT INTO \"{os.environ['TABLE_NAME']}\" VALUE {{'orderId': ?, 'userId': ?, 'itemName': ?, 'quantity': ?, "
    "'status': ?, 'timestamp': ?, 'extra': ?, 'version': ?}"
)
VERSION = {"S": "2025-06-01T08:00:00.000000Z#000" + "0" * 32}

client = boto3.client(
    "dynamodb",
    config=Config(
        parameter_validation=False,
        retries={"total_max_attempts": 1},
        max_pool_connections=PARALLEL,
        user_agent="floor Botocore/1",
    ),
)
pool = ThreadPoolExecutor(PARALLEL)


def _keep_body(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any]:
    context["body"] = params["Statements"]
    return {"Statements": []}


def _put_body(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    params["body"] = context["body"]


client.meta.events.register("provide-client-params.dynamodb.BatchExecuteStatement", _keep_body)
client.meta.events.register("before-call.dynamodb.BatchExecuteStatement", _put_body)


def prepare(event: dict[str, Any]) -> list[bytes]:
    """Build the payloads of a batch, 25 statements in each."""
    orders = [json.loads(record["body"]) for record in event["Records"]]
    statements: list[dict[str, Any]] = [
        {
            "Statement": INSERT,
            "Parameters": [
                *({"N": str(value)} if isinstance(value, int) else {"S": value} for value in order.values()),
                {"M": {}},
                VERSION,
            ],
        }
        for order in orders
    ]
    chunks = [statements[start : start + STATEMENTS] for start in range(0, len(statements), STATEMENTS)]
    return [json.dumps({"Statements": chunk}, separators=(",", ":")).encode() for chunk in chunks]


def lambda_handler(payloads: list[bytes], _context: Any) -> None:
    """Send the payloads, several at a time."""
    if len(payloads) == 1:
        _send(payloads[0])
    else:
        list(pool.map(_send, payloads))


def _send(payload: bytes) -> None:
    client.batch_execute_statement(Statements=payload)
