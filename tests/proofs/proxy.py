"""A proxy between the function and DynamoDB that makes calls fail at a chosen rate."""

import contextlib
import json
import random
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tests.handler.peer import listening, request
from tools.cloud.deployment import Deployment

SHARES: Mapping[str, float] = {
    "throttled": 0.25,
    "server error": 0.2,
    "connection reset": 0.15,
    "statement error": 0.2,
    "slow answer": 0.15,
    "hang past the deadline": 0.05,
}
"""The part of each kind among the faults of a proof."""
SLOW = (0.05, 0.4)
"""Seconds, at least and at most, that a slow answer takes longer."""
HANG = (2.0, 6.0)
"""Seconds that a hanging call takes; it then runs, long after the function has given it up."""
DOWN = ("refused", "hanging")
"""How calls end while DynamoDB is down."""

STATEMENT_CODES = ("ThrottlingError", "ProvisionedThroughputExceeded", "InternalServerError", "TransactionConflict")
BAD_GATEWAY = b"HTTP/1.1 502 X\r\nContent-Type: text/html\r\nContent-Length: 11\r\n\r\nBad Gateway"
"""What a load balancer says."""


class FaultProxy:
    """Passes calls on to the cloud, unchanged where it can: their signatures stay valid.

    Calls that it changes, to run only some of their statements, it sends with its own credentials.
    """

    def __init__(self, deployment: Deployment, *, seed: int) -> None:
        self.rate = 0.0
        """Part of the calls that fail, 0 to 1."""
        self.down = False
        """Whether every call fails, by turns in the ways of `DOWN`."""
        self.counts: Counter[str] = Counter()
        """Calls and faults by kind."""
        self._deployment = deployment
        self._chance = random.Random(seed)
        self._lock = threading.Lock()
        self._trust = ssl.create_default_context(cafile=str(deployment.cloud.ca_bundle))

    def serve(self, connection: socket.socket, _number: int) -> None:
        """Answer the calls of one connection of the function, or let them fail."""
        while call := request(connection):
            if not (answer := self._answer(call)):
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
                return
            connection.sendall(answer)

    def _next_fault(self) -> str | None:
        """What happens to the next call."""
        with self._lock:
            self.counts["calls"] += 1
            if self.down:
                kind = DOWN[self.counts["calls"] % len(DOWN)]
            elif self._chance.random() < self.rate:
                [kind] = self._chance.choices(list(SHARES), list(SHARES.values()))
            else:
                return None
            self.counts[kind] += 1
            return kind

    def _answer(self, call: bytes) -> bytes:
        """The answer to a call; empty if its connection is to be reset."""
        match self._next_fault():
            case "throttled":
                return _refusal(400, "ThrottlingException")
            case "server error":
                return self._chance.choice(
                    [_refusal(500, "InternalServerError"), _refusal(503, "ServiceUnavailable"), BAD_GATEWAY]
                )
            case "connection reset":
                if self._chance.random() < 0.5:  # the statements ran, and the answer is lost
                    self._forward(call)
                return b""
            case "statement error":
                return self._fail_statements(json.loads(call.partition(b"\r\n\r\n")[2])["Statements"])
            case "slow answer":
                time.sleep(self._chance.uniform(*SLOW))
            case "hang past the deadline":
                time.sleep(self._chance.uniform(*HANG))
            case "refused":
                return b""
            case "hanging":
                time.sleep(HANG[0])
                return b""
        return self._forward(call)

    def _forward(self, call: bytes) -> bytes:
        cloud = urlsplit(self._deployment.cloud.endpoint)
        with (
            socket.create_connection((str(cloud.hostname), cloud.port), timeout=30) as plain,
            self._trust.wrap_socket(plain, server_hostname=cloud.hostname) as upstream,
        ):
            upstream.sendall(call)
            return request(upstream)  # an answer has a head and a length as a request has

    def _fail_statements(self, statements: list[Any]) -> bytes:
        """Answer a third of the statements with an error, and run the others."""
        responses: list[Any] = [
            {"TableName": "Orders", "Error": {"Code": self._chance.choice(STATEMENT_CODES), "Message": "made to fail"}}
            for _ in statements
        ]
        if kept := [number for number in range(len(statements)) if number % 3]:
            answer = self._deployment.client("dynamodb").batch_execute_statement(
                Statements=[statements[number] for number in kept]
            )
            for number, response in zip(kept, answer["Responses"], strict=True):
                responses[number] = response
        return _reply(200, {"Responses": responses})


def _refusal(status: int, code: str) -> bytes:
    """Refuse a whole call."""
    return _reply(status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "made to fail"})


def _reply(status: int, answer: object) -> bytes:
    text = json.dumps(answer).encode()
    head = f"HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\nContent-Length: {len(text)}\r\n\r\n"
    return head.encode() + text


@contextlib.contextmanager
def between_function_and_table(deployment: Deployment, *, seed: int) -> Iterator[FaultProxy]:
    """Send the function's calls to DynamoDB through a proxy for as long as the block runs."""
    proxy, functions = FaultProxy(deployment, seed=seed), deployment.client("lambda")
    function = {"FunctionName": deployment.outputs["functionName"]}
    before = functions.get_function_configuration(**function)["Environment"]["Variables"]
    with listening(proxy.serve) as url:
        try:
            # https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
            through = {**before, "AWS_ENDPOINT_URL_DYNAMODB": url}
            functions.update_function_configuration(**function, Environment={"Variables": through})
            yield proxy
        finally:
            functions.update_function_configuration(**function, Environment={"Variables": before})
