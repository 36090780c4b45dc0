"""The client on real sockets: calls at once, kept connections, time limits, and answers that are none."""

import json
import socket
import threading
import time

import pytest

from functions.process_order.store import STORED, Outcome, Store
from tests.fakes.events import orders
from tests.handler.peer import OK, client, listening, request, right, sender, whole


def test_calls_fly_at_once_over_connections_that_are_kept() -> None:
    seen: list[int] = []
    together = threading.Barrier(3)

    def serve(connection: socket.socket, number: int) -> None:
        while text := request(connection):
            seen.append(number)
            together.wait(timeout=10)
            connection.sendall(OK.replace(b"{}", text[-2:]))

    with listening(serve) as url:
        sending = client(url)
        for _ in range(2):
            for number in range(3):
                sending.start(number, b"%02d" % number, 5)
            ended: list[tuple[int, object]] = []
            while len(ended) < 3:
                ended += sending.answers(10)
            assert sorted(ended) == [(number, (200, b"%02d" % number)) for number in range(3)]
    assert sorted(seen) == [0, 0, 1, 1, 2, 2]


def test_a_store_has_eight_calls_in_flight_and_one_that_hangs_holds_up_no_other() -> None:
    flying, most, asked = [], [], []

    def serve(connection: socket.socket, number: int) -> None:
        while sent := request(connection):
            flying.append(number)
            most.append(len(flying))
            statements = json.loads(sent.partition(b"\r\n\r\n")[2])["Statements"]
            asked.append(len(statements))
            time.sleep(3 if number == 1 else 0.02)
            flying.remove(number)
            connection.sendall(right(len(statements)))

    with listening(serve) as url:
        store = Store(client(url), "Orders")
        written = store.write(orders(1000), store.clock() + 1)
    late = Outcome("failed", "the call to DynamoDB failed with TimeoutError")
    assert list(written.values()).count(STORED) == 975
    assert list(written.values()).count(late) == 25
    assert max(most) == 8
    assert len(asked) == 40


def test_a_pause_ends_although_another_call_hangs() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        request(connection)
        if number == 1:
            time.sleep(3)
        connection.sendall(right(25, Error={"Code": "ThrottlingError"}))
        request(connection)
        connection.sendall(right(25))

    with listening(serve) as url:
        store = Store(client(url), "Orders")
        written = store.write(orders(50), store.clock() + 1)
    assert list(written.values()).count(STORED) == 25


@pytest.mark.parametrize("reset", [False, True])
def test_a_connection_that_the_other_side_has_closed_is_replaced_at_once(reset: bool) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        request(connection)
        connection.sendall(OK)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")

    with listening(serve) as url:
        send = sender(url)
        for _ in range(5):
            assert send(b"x" * 100_000, 5) == (200, b"{}")
            time.sleep(0.05)


def test_half_an_answer_of_a_kept_connection_is_no_part_of_the_next() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        request(connection)
        connection.sendall(OK)
        if request(connection):
            connection.sendall(OK[:-1] if number == 0 else OK)

    with listening(serve) as url:
        send = sender(url)
        assert send(b"x", 5) == send(b"x", 5) == (200, b"{}")


def test_a_new_connection_that_is_closed_without_an_answer_is_a_failed_call() -> None:
    tried: list[int] = []

    def serve(connection: socket.socket, number: int) -> None:
        tried.append(number)
        request(connection)

    with listening(serve) as url, pytest.raises(ConnectionError):
        sender(url)(b"x", 5)
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
        send = sender(url)
        for _ in range(3):
            assert send(b"x", 5) == (200, b"{}")
    assert asked == [0, 1, 1]


def test_an_answer_that_comes_too_late_is_not_taken_for_the_next() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        while request(connection):
            time.sleep(0 if number else 0.3)
            connection.sendall(OK if number else OK.replace(b"{}", b"[]"))

    with listening(serve) as url:
        send = sender(url)
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
        send = sender(url)
        for seconds in (0.3, 0.6):
            started = time.monotonic()
            with pytest.raises(TimeoutError):
                send(b"x" * (12_000_000 if way == "not reading" else 1), seconds)
            assert seconds - 0.05 < time.monotonic() - started < seconds + 1


def test_peers_that_drip_hold_up_neither_a_batch_nor_the_next() -> None:
    def serve(connection: socket.socket, number: int) -> None:
        request(connection)
        drip(connection, b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 1000)

    with listening(serve) as url:
        store = Store(client(url), "Orders")
        for _ in range(3):
            started = time.monotonic()
            written = store.write(orders(100), store.clock() + 0.3)
            assert {outcome.kind for outcome in written.values()} == {"failed"}
            assert time.monotonic() - started < 0.5


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
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
        b"HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\n\r\n<html>",
        whole(b"[" * 100_000),
        whole(b'{"Responses": [null]}'),
        whole(b'{"Responses": null}'),
        whole(b'{"Responses": [{"Error": null}]}'),
        whole(b'{"Responses": []}'),
        whole(b'{"Responses": [{}, {}]}'),
    ],
)
def test_what_is_no_answer_is_asked_for_again(answer: bytes) -> None:
    asked: list[int] = []

    def serve(connection: socket.socket, number: int) -> None:
        while sent := request(connection):
            asked.append(number)
            statements = json.loads(sent.partition(b"\r\n\r\n")[2])["Statements"]
            connection.sendall(right(len(statements)) if number else answer)
            if not number:
                return

    with listening(serve) as url:
        store = Store(client(url), "Orders", jitter=lambda: 0.0)
        assert set(store.write(orders(1), store.clock() + 10).values()) == {STORED}
    assert asked == [0, 1]
