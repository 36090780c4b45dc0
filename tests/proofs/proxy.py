"""A proxy between the function and DynamoDB that makes calls fail at a chosen rate."""

import contextlib
import http.client
import json
import random
import socket
import ssl
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

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


class FaultProxy:
    """Passes calls on to the cloud, unchanged where it can: their signatures stay valid.

    Calls that it changes, to run only some of their statements, it sends with its own credentials.
    """

    def __init__(self, deployment: Deployment, *, seed: int) -> None:
        self.url = ""
        """Where it listens."""
        self.rate = 0.0
        """Part of the calls that fail, 0 to 1."""
        self.down = False
        """Whether every call fails, by turns in the ways of `DOWN`."""
        self.counts: Counter[str] = Counter()
        """Calls and faults by kind."""
        self._deployment = deployment
        self._chance = random.Random(seed)
        self._lock = threading.Lock()

    def next_fault(self) -> str | None:
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

    def between(self, low: float, high: float) -> float:
        with self._lock:
            return self._chance.uniform(low, high)

    def choose(self, *values: Any) -> Any:
        with self._lock:
            return self._chance.choice(values)

    def connection(self) -> http.client.HTTPSConnection:
        """A connection to the cloud itself."""
        address = urlsplit(self._deployment.cloud.endpoint)
        trust = ssl.create_default_context(cafile=str(self._deployment.cloud.ca_bundle))
        return http.client.HTTPSConnection(str(address.hostname), address.port, timeout=30, context=trust)

    def run_statements(self, statements: list[Any]) -> list[Any]:
        """Run statements that the function sent."""
        answer = self._deployment.client("dynamodb").batch_execute_statement(Statements=statements)
        return list(answer["Responses"])


class _Handler(BaseHTTPRequestHandler):
    """One connection of the function."""

    protocol_version = "HTTP/1.1"
    proxy: FaultProxy
    _upstream: http.client.HTTPSConnection | None = None

    def do_POST(self) -> None:
        """Answer one call, or let it fail."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        fault = self.proxy.next_fault()
        with contextlib.suppress(OSError):  # the function hung up meanwhile
            self._answer(body, fault)

    def _answer(self, body: bytes, fault: str | None) -> None:
        match fault:
            case "throttled":
                self._refuse(400, "ThrottlingException")
            case "server error":
                code, status = self.proxy.choose(("InternalServerError", 500), ("ServiceUnavailable", 503), ("", 502))
                self._refuse(status, code)
            case "connection reset":
                if self.proxy.choose("before", "after") == "after":  # the statements ran, and the answer is lost
                    self._forward(body)
                self._reset()
            case "statement error":
                self._fail_statements(json.loads(body)["Statements"])
            case "slow answer":
                time.sleep(self.proxy.between(*SLOW))
                self._reply(*self._forward(body))
            case "hang past the deadline":
                time.sleep(self.proxy.between(*HANG))
                self._reply(*self._forward(body))
            case "refused":
                self._reset()
            case "hanging":
                time.sleep(HANG[0])
                self._reset()
            case _:
                self._reply(*self._forward(body))

    def _fail_statements(self, statements: list[Any]) -> None:
        """Answer a third of the statements with an error, whether they ran or not."""
        failing = {number: self.proxy.choose(*STATEMENT_CODES) for number in range(0, len(statements), 3)}
        run = self.proxy.choose("before", "after") == "after"
        kept = [statement for number, statement in enumerate(statements) if run or number not in failing]
        answers = iter(self.proxy.run_statements(kept) if kept else [])
        responses = []
        for number in range(len(statements)):
            answer = next(answers) if run or number not in failing else None
            error = {"Code": failing.get(number), "Message": "made to fail"}
            responses.append({"TableName": "Orders", "Error": error} if number in failing else answer)
        self._reply(200, "application/x-amz-json-1.0", json.dumps({"Responses": responses}).encode())

    def _forward(self, body: bytes) -> tuple[int, str, bytes]:
        self._upstream = self._upstream or self.proxy.connection()
        self._upstream.putrequest("POST", self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():  # Host among them: it is signed
            self._upstream.putheader(name, value)
        self._upstream.endheaders(body)
        answer = self._upstream.getresponse()
        return answer.status, answer.getheader("Content-Type", ""), answer.read()

    def _refuse(self, status: int, code: str) -> None:
        """Refuse the whole call; without a code with what a load balancer would say."""
        if not code:
            self._reply(status, "text/html", b"<html>Bad Gateway</html>")
            return
        error = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "made to fail"}
        self._reply(status, "application/x-amz-json-1.0", json.dumps(error).encode())

    def _reply(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002 - the name in http.server
        """Say nothing."""

    def finish(self) -> None:
        """End the connection to the cloud with the function's."""
        if self._upstream is not None:
            self._upstream.close()
        with contextlib.suppress(OSError):
            super().finish()


class _Server(ThreadingHTTPServer):
    """A thread for each connection; all end with the program."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a function that hung up: it was made to, or killed."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


@contextlib.contextmanager
def between_function_and_table(deployment: Deployment, *, seed: int) -> Iterator[FaultProxy]:
    """Send the function's calls to DynamoDB through a proxy for as long as the block runs."""
    proxy = FaultProxy(deployment, seed=seed)
    handler = type("Handler", (_Handler,), {"proxy": proxy})
    server = _Server(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    before = _environment(deployment)
    try:
        # https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
        _set_environment(deployment, {**before, "AWS_ENDPOINT_URL_DYNAMODB": proxy.url})
        yield proxy
    finally:
        _set_environment(deployment, before)
        server.shutdown()
        thread.join()
        server.server_close()


def _environment(deployment: Deployment) -> dict[str, str]:
    name = deployment.outputs["functionName"]
    answer = deployment.client("lambda").get_function_configuration(FunctionName=name)
    variables: dict[str, str] = answer["Environment"]["Variables"]
    return variables


def _set_environment(deployment: Deployment, variables: dict[str, str]) -> None:
    deployment.client("lambda").update_function_configuration(
        FunctionName=deployment.outputs["functionName"], Environment={"Variables": variables}
    )
