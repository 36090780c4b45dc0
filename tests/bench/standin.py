"""Stands in for DynamoDB on the loopback interface: it answers writes, as late as it is told to."""

import functools
import json
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from tests.handler.peer import listening, request

STATEMENT, INSERT = b'"Statement":', b'"INSERT INTO'


@contextmanager
def standing_in() -> Iterator[tuple["Standin", str]]:
    """A stand-in with its URL, for as long as the block runs."""
    standin = Standin()
    with listening(standin.serve) as url:
        yield standin, url.replace("localhost", "127.0.0.1")  # whose address nobody has to look up


class Standin:
    """A table on threads of this process, which waits while a contender runs in its own."""

    def __init__(self) -> None:
        self.latency, self.existing = 0.0, False
        """Seconds that an answer takes, and whether every order is in the table already."""

    def serve(self, connection: socket.socket, _number: int) -> None:
        """Answer the calls of one connection: a pause in one does not hold up another."""
        while call := request(connection):
            answer = self._answer(call)
            if self.latency:
                time.sleep(self.latency)
            connection.sendall(answer)

    def _answer(self, call: bytes) -> bytes:
        # An INSERT is refused if the orders exist, an UPDATE if they do not.
        kinds = (part.lstrip().startswith(INSERT) for part in call.split(STATEMENT)[1:])
        codes = {
            True: "DuplicateItem" if self.existing else "",
            False: "" if self.existing else "ConditionalCheckFailed",
        }
        return _answer(tuple(codes[insert] for insert in kinds))


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
