"""The floor under ProcessOrder: its round trips, with payloads built beforehand, and nothing else.

A round trip is the same signed request over a kept connection that the handler sends, by the handler's own client.
"""

import os
from typing import Any

from functions.process_order.client import Client
from functions.process_order.orders import parse
from functions.process_order.store import Store
from tests.fakes.table import Executing, Table

client = Client(os.environ)


def prepare(event: dict[str, Any]) -> list[bytes]:
    """Build the payloads of a batch of new orders, as the handler's store does."""
    payloads: list[bytes] = []

    class Keeping(Executing):
        def _run(self, request: bytes) -> tuple[int, bytes]:
            payloads.append(request)
            return super()._run(request)

    store = Store(Keeping(Table()), os.environ["TABLE_NAME"])
    store.write((parse(record["body"]) for record in event["Records"]), store.clock() + 60)
    return payloads


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
