"""A peer on a real socket that answers as a test tells it to, and clients that call it."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator

from functions.process_order.client import Client

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
KEYS = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
_clients: list[Client] = []


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket, int], None], trust: ssl.SSLContext | None = None) -> Iterator[str]:
    """Give each connection, numbered from 0, to `serve` on a thread of its own; it is closed when that returns.

    What clients still hold is closed at the end: one lives as long as its process, and closes nothing that it keeps.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def one(connection: socket.socket, number: int) -> None:
            with contextlib.suppress(OSError), connection:
                accepted = trust.wrap_socket(connection, server_side=True) if trust else connection
                with accepted:
                    serve(accepted, number)

        def accept() -> None:
            for number in range(10_000):
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=one, args=(connection, number), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        yield f"{'https' if trust else 'http'}://localhost:{listener.getsockname()[1]}"
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        while _clients:
            used = _clients.pop()
            for held in (*used._kept, *used._calls):
                held.close()


def request(connection: socket.socket) -> bytes:
    """Read one request; empty if there is none."""
    got = b""
    while b"\r\n\r\n" not in got:
        if not (more := connection.recv(65536)):
            return b""
        got += more
    head, _, rest = got.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
    while len(rest) < length:
        rest += connection.recv(65536)
    return head + b"\r\n\r\n" + rest


def right(statements: int, **error: object) -> bytes:
    """Answer that so many statements ran, or failed."""
    text = json.dumps({"Responses": [{"TableName": "Orders", **error}] * statements}).encode()
    return whole(text)


def whole(text: bytes) -> bytes:
    """Answer with a text, and with its length."""
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)


def client(url: str, **environment: str) -> Client:
    _clients.append(Client({**KEYS, "AWS_ENDPOINT_URL": url, **environment}))
    return _clients[-1]


def sender(url: str, **environment: str) -> Callable[[bytes, float], tuple[int, bytes]]:
    """Make a client that one call is made with at a time."""
    sending = client(url, **environment)

    def send(text: bytes, seconds: float) -> tuple[int, bytes]:
        sending.start("key", text, seconds)
        while not (ended := sending.answers(10)):
            pass
        [(key, answer)] = ended
        assert key == "key"
        if isinstance(answer, Exception):
            raise answer
        return answer

    return send
