"""Stands in for DynamoDB on the loopback interface: it answers writes, as late as it is told to."""

import functools
import json
import os
import socket
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tools.root import ROOT

STATEMENT, INSERT = b'"Statement":', b'"INSERT INTO'


@dataclass(frozen=True, kw_only=True)
class StandIn:
    """The stand-in's process, seen by whoever started it."""

    endpoint: str
    process: subprocess.Popen[str]

    def tell(self, **settings: Any) -> None:
        """Change `latency` (seconds), or `existing`: whether every order is in the table already."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(settings) + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()


@contextmanager
def standing_in() -> Iterator[StandIn]:
    """A stand-in for as long as the block runs, on a free loopback port and in a process of its own."""
    command = [sys.executable, "-m", "tests.bench.standin"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield StandIn(endpoint=f"http://127.0.0.1:{int(process.stdout.readline())}", process=process)
        finally:
            process.stdin.close()  # what it ends on


class _Server:
    """One thread for each connection: a pause in one does not hold up another."""

    def __init__(self) -> None:
        self.latency, self.existing = 0.0, False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)

    def accept(self) -> None:
        while True:
            connection, _ = self.listener.accept()
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        while request := _receive(connection):
            answer = self.answer(request)
            if self.latency:
                time.sleep(self.latency)
            connection.sendall(answer)
        connection.close()

    def answer(self, request: bytes) -> bytes:
        # An INSERT is refused if the orders exist, an UPDATE if they do not.
        kinds = (part.lstrip().startswith(INSERT) for part in request.split(STATEMENT)[1:])
        codes = {
            True: "DuplicateItem" if self.existing else "",
            False: "" if self.existing else "ConditionalCheckFailed",
        }
        return _answer(tuple(codes[insert] for insert in kinds))


def _receive(connection: socket.socket) -> bytes:
    """Read one request with its head; empty once the client has hung up."""
    request = b""
    while (end := request.find(b"\r\n\r\n")) < 0:
        if not (part := connection.recv(65536)):
            return b""
        request += part
    head = request[:end].lower()
    length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
    parts, missing = [request], end + 4 + length - len(request)
    while missing > 0 and (part := connection.recv(262144)):
        parts.append(part)
        missing -= len(part)
    return b"".join(parts)


@functools.lru_cache(maxsize=256)
def _answer(codes: tuple[str, ...]) -> bytes:
    """Make the whole answer to statements that end with these codes, or to a single put if there are none."""
    responses = [
        {"TableName": "Orders", **({"Error": {"Code": code, "Message": "as it was told to say"}} if code else {})}
        for code in codes
    ]
    body = json.dumps({"Responses": responses} if responses else {}, separators=(",", ":")).encode()
    head = (
        "HTTP/1.1 200 OK\r\nServer: Server\r\nConnection: keep-alive\r\nContent-Type: application/x-amz-json-1.0\r\n"
        f"Content-Length: {len(body)}\r\nx-amzn-RequestId: {'A' * 52}\r\nx-amz-crc32: {zlib.crc32(body)}\r\n\r\n"
    )
    return head.encode() + body


def main() -> None:
    """Serve, and obey one line of standard input after the other until it ends."""
    server = _Server()
    threading.Thread(target=server.accept, daemon=True).start()
    print(server.listener.getsockname()[1], flush=True)
    for line in sys.stdin:
        vars(server).update(json.loads(line))
        print(flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
