"""The client on real sockets: kept connections, time limits, TLS, and answers that are none."""

import contextlib
import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from functions.process_order import client as module
from functions.process_order.client import Client
from functions.process_order.orders import parse
from functions.process_order.store import STORED, Store
from tests.fakes.events import body

# A client lives as long as its process: nothing closes what it keeps. And the server below speaks an old TLS.
pytestmark = pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning", "ignore::DeprecationWarning"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
KEYS = {"AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}


@contextlib.contextmanager
def listening(serve: Callable[[socket.socket, int], None], trust: ssl.SSLContext | None = None) -> Iterator[str]:
    """Give each connection, numbered from 0, to `serve` on a thread of its own; it is closed when that returns."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def one(connection: socket.socket, number: int) -> None:
            with contextlib.suppress(OSError), connection:
                serve(trust.wrap_socket(connection, server_side=True) if trust else connection, number)

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


def client(url: str, **environment: str) -> Client:
    return Client({**KEYS, "AWS_ENDPOINT_URL": url, **environment})


def test_a_thread_keeps_its_connection() -> None:
    seen: list[int] = []

    def serve(connection: socket.socket, number: int) -> None:
        while request(connection):
            seen.append(number)
            connection.sendall(OK)

    with listening(serve) as url:
        send = client(url)
        for _ in range(3):
            assert send(b"x", 5) == (200, b"{}")
        thread = threading.Thread(target=send, args=(b"x", 5))
        thread.start()
        thread.join()
        assert send(b"x", 5) == (200, b"{}")
    assert seen == [0, 0, 0, 1, 0]


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_the_other_side_has_closed_is_replaced_at_once(reset: bool) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        request(connection)
        connection.sendall(OK)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    with listening(serve) as url:
        send = client(url)
        for _ in range(5):
            assert send(b"x" * 100_000, 5) == (200, b"{}")
            time.sleep(0.05)


def test_a_new_connection_that_is_closed_without_an_answer_is_a_failed_call() -> None:
    tried: list[int] = []

    def serve(connection: socket.socket, number: int) -> None:
        tried.append(number)
        request(connection)

    with listening(serve) as url, pytest.raises(ConnectionError):
        client(url)(b"x", 5)
    assert tried == [0]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        b"HTTP/1.0 200 OK\r\ncontent-length:2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
    ],
)
def test_a_connection_with_something_left_in_it_is_not_used_again(answer: bytes) -> None:
    asked: list[int] = []

    def serve(connection: socket.socket, number: int) -> None:
        while request(connection):
            asked.append(number)
            connection.sendall(OK if number else answer)

    with listening(serve) as url:
        send = client(url)
        for _ in range(3):
            assert send(b"x", 5) == (200, b"{}")
    assert asked == [0, 1, 1]


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        while request(connection):
            time.sleep(0 if number else 0.3)
            connection.sendall(OK if number else OK.replace(b"{}", b"[]"))

    with listening(serve) as url:
        send = client(url)
        with pytest.raises(TimeoutError):
            send(b"x", 0.1)
        time.sleep(0.3)
        assert send(b"x", 5) == (200, b"{}")


def drip(connection: socket.socket, text: bytes) -> None:
    for position in range(len(text)):
        connection.sendall(text[position : position + 1])
        time.sleep(0.05)


@pytest.mark.parametrize("way", ["silent", "dripping head", "dripping body", "not reading"])
def test_a_call_ends_in_its_time_whatever_the_other_side_does(way: str) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        if way != "not reading":
            request(connection)
        match way:
            case "dripping head":
                drip(connection, b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000)
            case "dripping body":
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
                drip(connection, b" " * 99)
        time.sleep(3)

    with listening(serve) as url:
        send = client(url)
        for seconds in (0.3, 0.6):
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                send(b"x" * (12_000_000 if way == "not reading" else 1), seconds)
            assert seconds - 0.05 < time.monotonic() - started < seconds + 1


def test_a_peer_that_drips_keeps_no_thread_for_later() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        request(connection)
        drip(connection, b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000)

    with listening(serve) as url:
        store = Store(client(url), "Orders")
        orders = [parse(body(orderId=f"O{index}")) for index in range(100)]
        for _ in range(10):
            written = store.write(orders, store.clock() + 0.3)
            assert {outcome.kind for outcome in written.values()} == {"failed"}
        ours = [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]
        assert len(ours) <= 8


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 20_000,
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 200018\r\n\r\n" + b" " * 200_000 + b'{"Responses":[{}]}',
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"HTTP/2 200\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
        b"HTTP/1.1 301 Moved\r\nLocation: http://localhost:9/\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n<html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"[" * 100_000,
    ],
)
def test_what_is_no_answer_is_asked_for_again(answer: bytes) -> None:
    asked: list[int] = []

    def serve(connection: socket.socket, number: int) -> None:
        while sent := request(connection):
            asked.append(number)
            statements = json.loads(sent.partition(b"\r\n\r\n")[2])["Statements"]
            text = json.dumps({"Responses": [{"TableName": "Orders"}] * len(statements)}).encode()
            right = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(text), text)
            connection.sendall(right if number else answer)
            if not number:
                return

    with listening(serve) as url:
        store = Store(client(url), "Orders", jitter=lambda: 0.0)
        assert set(store.write([parse(body())], store.clock() + 10).values()) == {STORED}
    assert asked == [0, 1]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a certificate of localhost that signs itself."""
    folder = tmp_path_factory.mktemp("certificates")
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    keys = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(["openssl", "req", "-x509", *keys, *subject, *files, "-days", "2"], check=True, capture_output=True)
    return folder


def of_server(certificates: Path, highest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "certificate.pem", certificates / "key.pem")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.maximum_version = highest
    return context


def answering(connection: socket.socket, number: int) -> None:
    while request(connection):
        connection.sendall(OK)


def test_the_bundle_that_is_configured_is_trusted_over_kept_and_replaced_connections(certificates: Path) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        for _ in range(2):
            request(connection)
            connection.sendall(OK)

    with listening(serve, of_server(certificates)) as url:
        send = client(url, AWS_CA_BUNDLE=str(certificates / "certificate.pem"))
        for size in (1, 1, 1, 1_000_000, 1):
            assert send(b"x" * size, 5) == (200, b"{}")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_is_verified_and_so_is_its_name(certificates: Path, host: str) -> None:
    with listening(answering, of_server(certificates)) as url:
        bundle = {"AWS_CA_BUNDLE": str(certificates / "certificate.pem")} if host != "localhost" else {}
        with pytest.raises(ssl.SSLCertVerificationError):
            client(url.replace("localhost", host), **bundle)(b"x", 5)


def test_tls_is_1_2_at_least(certificates: Path) -> None:
    bundle = {"AWS_CA_BUNDLE": str(certificates / "certificate.pem")}
    with listening(answering, of_server(certificates, ssl.TLSVersion.TLSv1_1)) as url, pytest.raises(ssl.SSLError):
        client(url, **bundle)(b"x", 5)
    with listening(answering, of_server(certificates, ssl.TLSVersion.TLSv1_2)) as url:
        assert client(url, **bundle)(b"x", 5) == (200, b"{}")


@pytest.mark.parametrize("scheme", ["http:", "https:"])
def test_a_call_and_a_handshake_have_limits_of_their_own(
    monkeypatch: pytest.MonkeyPatch, certificates: Path, scheme: str
) -> None:
    monkeypatch.setattr(module, "ANSWER_TIMEOUT" if scheme == "http:" else "CONNECT_TIMEOUT", 0.3)
    with listening(lambda connection, _: time.sleep(3)) as url:
        send = client(url.replace("http:", scheme), AWS_CA_BUNDLE=str(certificates / "certificate.pem"))
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            send(b"x", 10)
        assert time.monotonic() - started < 1
