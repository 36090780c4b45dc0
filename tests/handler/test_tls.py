"""The client over TLS: who is trusted, which versions, and calls at once."""

import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

from functions.process_order import client as module
from functions.process_order.store import STORED, Store
from tests.fakes.events import orders
from tests.handler.peer import OK, client, listening, request, right, sender


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
        send = sender(url, AWS_CA_BUNDLE=str(certificates / "certificate.pem"))
        for size in (1, 1, 1, 1_000_000, 1):
            assert send(b"x" * size, 5) == (200, b"{}")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_certificate_is_verified_and_so_is_its_name(certificates: Path, host: str) -> None:
    with listening(answering, of_server(certificates)) as url:
        bundle = {"AWS_CA_BUNDLE": str(certificates / "certificate.pem")} if host != "localhost" else {}
        with pytest.raises(ssl.SSLCertVerificationError):
            sender(url.replace("localhost", host), **bundle)(b"x", 5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of the old TLS that the server speaks
def test_tls_is_1_2_at_least(certificates: Path) -> None:
    bundle = {"AWS_CA_BUNDLE": str(certificates / "certificate.pem")}
    with listening(answering, of_server(certificates, ssl.TLSVersion.TLSv1_1)) as url, pytest.raises(ssl.SSLError):
        sender(url, **bundle)(b"x", 5)
    with listening(answering, of_server(certificates, ssl.TLSVersion.TLSv1_2)) as url:
        assert sender(url, **bundle)(b"x", 5) == (200, b"{}")


@pytest.mark.parametrize("scheme", ["http:", "https:"])
def test_a_call_and_a_handshake_have_limits_of_their_own(
    monkeypatch: pytest.MonkeyPatch, certificates: Path, scheme: str
) -> None:
    monkeypatch.setattr(module, "ANSWER_TIMEOUT" if scheme == "http:" else "CONNECT_TIMEOUT", 0.3)
    with listening(lambda connection, _: time.sleep(3)) as url:
        send = sender(url.replace("http:", scheme), AWS_CA_BUNDLE=str(certificates / "certificate.pem"))
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            send(b"x", 10)
        assert time.monotonic() - started < 1


def test_a_batch_is_written_over_tls_however_its_answers_are_cut(certificates: Path) -> None:
    def serve(connection: socket.socket, number: int) -> None:
        while request(connection):
            answer = right(25)
            for start in range(0, len(answer), 100):
                connection.sendall(answer[start : start + 100])
                time.sleep(0.001)

    with listening(serve, of_server(certificates)) as url:
        store = Store(client(url, AWS_CA_BUNDLE=str(certificates / "certificate.pem")), "Orders")
        for day in (1, 2):
            events = orders(250, timestamp=f"2025-05-0{day}T12:00:00Z")
            assert set(store.write(events, store.clock() + 10).values()) == {STORED}
