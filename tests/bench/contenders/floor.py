"""The floor under ProcessOrder: its round trips, with payloads built beforehand, and nothing else.

A round trip is the same signed request over a kept connection that the handler sends, by the handler's own client.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from functions.process_order.client import Client

STATEMENTS, PARALLEL = 25, 8
INSERT = (
    f"INSERT INTO \"{os.environ['TABLE_NAME']}\" VALUE {{'orderId': ?, 'userId': ?, 'itemName': ?, 'quantity': ?, "
    "'status': ?, 'timestamp': ?, 'extra': ?, 'version': ?}"
)
VERSION = {"S": "2025-06-01T08:00:00.000000Z#000" + "0" * 32}

send = Client(os.environ)
pool = ThreadPoolExecutor(PARALLEL)


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
    """Send the payloads, several at a time; this thread sends the last."""
    sent = [pool.submit(_send, payload) for payload in payloads[:-1]]
    _send(payloads[-1])
    for each in sent:
        each.result()


def _send(payload: bytes) -> None:
    status, _ = send(payload, 60)
    if status != 200:
        raise RuntimeError(f"the stand-in must answer 200, got {status}")
