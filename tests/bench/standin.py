"""Stands in for DynamoDB on the loopback interface: it answers writes, as late as it is told to."""

import functools
import json
import os
import socket
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.worker import Process, asked

STATEMENT, INSERT = b'"Statement":', b'"INSERT INTO'


@contextmanager
def standing_in() -> Iterator[tuple[Process, str]]:
    """A stand-in with its URL, for as long as the block runs, on a free loopback port and in a process of its own.

    It can be told its `latency` (seconds), and by `existing` whether every order is in the table already.
    """
    with asked("tests.bench.standin") as process:
        yield process, f"http://127.0.0.1:{process.ask()}"


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
    for line in sys.stdin:
        vars(server).update(json.loads(line))
        print(server.listener.getsockname()[1], flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
