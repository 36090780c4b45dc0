"""The way to DynamoDB: signed requests over connections that are kept, and no call longer than it may take."""

import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from .signing import Signer

CONNECT_TIMEOUT, ANSWER_TIMEOUT = 1.0, 2.0
"""Seconds for a connection, TLS included, and for a request and its answer; the store tries again."""

SMALL = 64 * 1024
"""Bytes of a request that is sent in one piece with its head; a larger one is not copied for that."""

LARGEST_ANSWER = 128 * 1024
"""Bytes of an answer with its head. DynamoDB's to 25 statements has some 5,000."""

_STATUS = re.compile(rb"http/1\.([01]) ([2-5][0-9]{2})[ \r]")
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,9})[ \t]*\r\n")

_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "eu-isoe-": "cloud.adc-e.uk",
    "eusc-": "amazonaws.eu",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "us-isof-": "csp.hci.ic.gov",
}
"""How the names of hosts end in the partitions whose regions begin so; elsewhere in amazonaws.com."""


class Client:
    """Sends BatchExecuteStatement requests; every thread that calls keeps a connection of its own."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Raises RuntimeError or ValueError if the environment does not say where to send, or as whom."""
        url = endpoint(environment)
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"the endpoint of DynamoDB must be a URL of http or https, got {url!r}")
        usual = 443 if parts.scheme == "https" else 80
        self._host, self._port = parts.hostname, parts.port or usual
        named = f"[{self._host}]" if ":" in self._host else self._host
        self._signer = Signer(environment, named if self._port == usual else f"{named}:{self._port}", parts.path or "/")
        bundle = environment.get("AWS_CA_BUNDLE") or None
        # Every certificate is verified, and TLS is 1.2 at least: the default of Python since 3.10.
        self._trust = ssl.create_default_context(cafile=bundle) if parts.scheme == "https" else None
        self._kept = threading.local()

    def __call__(self, body: bytes, seconds: float) -> tuple[int, bytes]:
        """Send a request and return the status and text of its answer, or raise OSError in time."""
        until = time.monotonic() + min(seconds, CONNECT_TIMEOUT + ANSWER_TIMEOUT)
        head = self._signer.head(body, time.time())
        request = (head + body,) if len(body) < SMALL else (head, body)
        if kept := self._kept.__dict__.pop("connection", None):
            try:
                return self._exchange(kept, request, until)
            except TimeoutError:
                raise
            except OSError:  # the other side has closed it, after an idle hour or while the function was frozen
                pass
        return self._exchange(self._open(until), request, until)

    def _open(self, until: float) -> socket.socket:
        """Connect to the first address that takes a connection."""
        until = min(until, time.monotonic() + CONNECT_TIMEOUT)
        failed: OSError = ConnectionError("the host has no address")
        for family, kind, protocol, _, address in socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM):
            connection = socket.socket(family, kind, protocol)
            try:
                connection.settimeout(_left(until))
                connection.connect(address)
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                connection.settimeout(_left(until))
                return self._trust.wrap_socket(connection, server_hostname=self._host) if self._trust else connection
            except OSError as error:
                connection.close()
                failed = error
        raise failed

    def _exchange(self, connection: socket.socket, request: tuple[bytes, ...], until: float) -> tuple[int, bytes]:
        """Send a request and read its answer; keep the connection if nothing is left in it."""
        until = min(until, time.monotonic() + ANSWER_TIMEOUT)
        keep = False
        try:
            for part in request:
                unsent = memoryview(part)
                while unsent:
                    _limit(connection, until)
                    unsent = unsent[connection.send(unsent) :]
            status, answer, keep = _receive(connection, until)
            return status, answer
        finally:
            if keep:
                self._kept.connection = connection
            else:
                connection.close()


def _receive(connection: socket.socket, until: float) -> tuple[int, bytes, bool]:
    """Read the status and text of an answer, however slowly it comes, and whether the connection can be kept."""
    received = b""
    while (end := received.find(b"\r\n\r\n") + 4) < 4:
        received += _more(connection, until, len(received))
    head = received[:end].lower()
    status, length = _STATUS.match(head), _LENGTH.search(head)
    if not status or not length or b"\r\ntransfer-encoding:" in head:
        raise ConnectionError("the answer must be one of HTTP/1.1 that tells its length")
    size = end + int(length[1])
    while len(received) < size:
        received += _more(connection, until, size)
    keep = status[1] == b"1" and len(received) == size and b"\r\nconnection: close" not in head
    return int(status[2]), received[end:size], keep


def _more(connection: socket.socket, until: float, size: int) -> bytes:
    """Receive what has come of an answer of at least `size` bytes."""
    if size > LARGEST_ANSWER:
        raise ConnectionError("the answer is too long")
    _limit(connection, until)
    if not (more := connection.recv(16 * 1024)):  # a larger buffer is new memory every time
        raise ConnectionError("the other side has closed the connection")
    return more


def _limit(connection: socket.socket, until: float) -> None:
    """Let the next step take what is left. To say so is a system call, which a hundredth of a second is not worth."""
    left = _left(until)
    if abs(left - (connection.gettimeout() or 0)) > 0.01:
        connection.settimeout(left)


def _left(until: float) -> float:
    """Tell the seconds that are left, at least a moment of them."""
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("the call's time is up")
    return seconds


def endpoint(environment: Mapping[str, str]) -> str:
    """Find DynamoDB's URL as the SDK does.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
    """
    if environment.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() != "true":
        for name in ("AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"):
            if url := environment.get(name):
                return url
    region = environment.get("AWS_REGION", "")
    suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")
    return f"https://dynamodb.{region}.{suffix}"
