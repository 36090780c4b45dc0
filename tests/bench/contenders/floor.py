"""The floor under ProcessOrder: its round trips, with payloads built beforehand, and nothing else.

A round trip is the same signed request over a kept connection that the handler sends, by the handler's own client.
"""

import json
import os
from typing import Any

from functions.process_order.client import Client

STATEMENTS = 25
INSERT = (
    f"INSERT INTO \"{os.environ['TABLE_NAME']}\" VALUE {{'orderId': ?, 'userId': ?, 'itemName': ?, 'quantity': ?, "
    "'status': ?, 'timestamp': ?, 'extra': ?, 'version': ?}"
)
VERSION = {"S": "2025-06-01T08:00:00.000000Z#000" + "0" * 32}

client = Client(os.environ)


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
    """Send the payloads, all at once."""
    for payload in payloads:
        client.start(None, payload, 60)
    missing = len(payloads)
    while missing:
        for _, answer in client.answers(60):
            if isinstance(answer, Exception) or answer[0] != 200:
                raise RuntimeError(f"the stand-in must answer 200, got {answer}")
            missing -= 1
