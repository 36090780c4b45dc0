"""The way to DynamoDB: signed requests over connections that are kept, and no call longer than it may take."""

import re
import select
import socket
import ssl
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from .signing import Signer

CONNECT_TIMEOUT, ANSWER_TIMEOUT = 1.0, 2.0
"""Seconds for a connection, TLS included, and for a request and its answer; the store tries again."""

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

Answer = tuple[int, bytes]
"""Status and text."""


class _Call:
    """A request on its way; `until` is when it ends at the latest, and `due` when what it waits for now must come."""

    __slots__ = ("due", "kept", "key", "received", "request", "until")

    def __init__(self, key: object, request: bytes, until: float) -> None:
        self.key, self.request, self.until, self.due = key, request, until, until
        self.kept, self.received = False, b""


class Client:
    """Sends BatchExecuteStatement requests, several at once from one thread, over connections that are kept."""

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
        self._kept: list[socket.socket] = []
        self._calls: dict[socket.socket, _Call] = {}
        self._ended: list[tuple[Any, Answer | Exception]] = []

    def start(self, key: object, body: bytes, seconds: float) -> None:
        """Send a request. In so many seconds at most, `answers` says under its key what became of it."""
        request = self._signer.head(body, time.time()) + body
        self._send(_Call(key, request, time.monotonic() + min(seconds, CONNECT_TIMEOUT + ANSWER_TIMEOUT)))

    def answers(self, seconds: float) -> list[tuple[Any, Answer | Exception]]:
        """Wait so long at most, and return the calls that ended: each one's key and answer, or why there is none."""
        if not self._ended:
            now = time.monotonic()
            until = min([now + seconds, *(call.due for call in self._calls.values())])
            select.select(self._calls, (), (), max(0.0, until - now))
            for connection, call in list(self._calls.items()):
                self._receive(connection, call)
        ended, self._ended = self._ended, []
        return ended

    def _send(self, call: _Call) -> None:
        """Send a request over a connection that is kept, or else over a new one."""
        connection = self._kept.pop() if self._kept else None
        call.kept = connection is not None
        try:
            connection = connection or self._open(call.until)
            call.due = min(call.until, time.monotonic() + ANSWER_TIMEOUT)
            unsent = memoryview(call.request)
            while unsent:
                connection.settimeout(_left(call.due))
                unsent = unsent[connection.send(unsent) :]
            connection.settimeout(0)
            self._calls[connection] = call
        except OSError as error:
            self._fail(call, error, connection)

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

    def _receive(self, connection: socket.socket, call: _Call) -> None:
        """Take in what has come of an answer; keep the connection if that is all, and nothing is left in it."""
        try:
            while not (answer := _read(call.received)):
                if not (more := connection.recv(16 * 1024)):  # a larger buffer is new memory every time
                    raise ConnectionError("the other side has closed the connection")
                call.received += more
                if len(call.received) > LARGEST_ANSWER:
                    raise ConnectionError("the answer is too long")
        except (BlockingIOError, ssl.SSLWantReadError):
            if time.monotonic() >= call.due:
                self._fail(call, TimeoutError("the call's time is up"), connection)
        except OSError as error:
            self._fail(call, error, connection)
        else:
            status, text, keep = answer
            self._ended.append((call.key, (status, text)))
            del self._calls[connection]
            if keep:
                self._kept.append(connection)
            else:
                connection.close()

    def _fail(self, call: _Call, error: OSError, connection: socket.socket | None) -> None:
        """End a call, or send it again: a kept connection is closed after an idle hour, or while Lambda is frozen."""
        if connection:
            self._calls.pop(connection, None)
            connection.close()
        if call.kept and not isinstance(error, TimeoutError):
            call.received = b""
            self._send(call)
        else:
            self._ended.append((call.key, error))


def _read(received: bytes) -> tuple[int, bytes, bool] | None:
    """Read an answer's status and text, and whether its connection can be kept; None if more must come."""
    end = received.find(b"\r\n\r\n") + 4
    if end < 4:
        return None
    head = received[:end].lower()
    status, length = _STATUS.match(head), _LENGTH.search(head)
    if not status or not length or b"\r\ntransfer-encoding:" in head:
        raise ConnectionError("the answer must be one of HTTP/1.1 that tells its length")
    size = end + int(length[1])
    if len(received) < size:
        return None
    keep = status[1] == b"1" and len(received) == size and b"\r\nconnection: close" not in head
    return int(status[2]), received[end:size], keep


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
