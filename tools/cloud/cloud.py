"""Starts and stops the local cloud: MiniStack in a process of its own, with IAM, resource policies and TLS enforced."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from tools.cloud.certificate import write_certificate
from tools.interrupts import cleaning_up
from tools.ops.stack import local_clients
from tools.root import ROOT

ACCOUNT = "000000000000"
"""MiniStack's default account."""
START_LIMIT = 30.0
"""Seconds the cloud may take to answer; it takes about 1 s on a laptop."""


class CloudError(RuntimeError):
    """The local cloud could not do what was asked; the text says what, why, and what to do."""


@contextlib.contextmanager
def explained() -> Iterator[None]:
    """What boto3 raises inside the block becomes a CloudError."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise CloudError(f"the local cloud refused a request: {error}") from error


@dataclass(frozen=True, kw_only=True)
class Cloud:
    """A running local cloud: where it is, and how to speak to it. The credentials are the account root's."""

    endpoint: str
    region: str
    folder: Path
    """Everything the cloud writes; removed when it stops."""
    ca_bundle: Path
    """The certificate that clients must trust."""
    access_key_id: str
    secret_access_key: str
    account: str = ACCOUNT
    _clients: dict[str, Any] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def own(self, path: str, timeout: float) -> Any:
        """What the emulator answers at a path of its own, from JSON."""
        trust = ssl.create_default_context(cafile=str(self.ca_bundle))
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )
        headers = {"X-Orders-Key": self.secret_access_key}
        request = urllib.request.Request(f"{self.endpoint}{path}", headers=headers)  # noqa: S310 - https, on loopback
        with opener.open(request, timeout=timeout) as answer:
            return json.load(answer)

    def client(self, service: str) -> Any:
        """A boto3 client of one service, made once and safe to share between threads."""
        with self._lock:  # boto3 clients may be shared between threads, but not made by several at once
            if service not in self._clients:
                self._clients[service] = self._make(service)
            return self._clients[service]

    @property
    def credentials(self) -> dict[str, str]:
        """The variables that make a process the account's root, trust our certificate and read no one's settings."""
        return {
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
            "AWS_CA_BUNDLE": str(self.ca_bundle),
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    @cached_property
    def _make(self) -> Callable[[str], Any]:
        keys = self.access_key_id, self.secret_access_key
        return local_clients(self.endpoint, self.region, str(self.ca_bundle), *keys)


@contextlib.contextmanager
def running_cloud(
    *,
    region: str,
    port: int | None = None,
    command: tuple[str, ...] = (sys.executable, "-m", "tools.cloud.emulator"),
    variables: Mapping[str, str] | None = None,
) -> Iterator[Cloud]:
    """A local cloud for as long as the block runs.

    Listens on 127.0.0.1 only, on `port` (1 to 65535) or a free one. `command` starts the emulator, with `variables`.
    Raises CloudError if it cannot start.
    """
    folder = Path(tempfile.mkdtemp(prefix="orders-local-"))
    process = None
    try:
        port = free_port(port)
        certificate, key = write_certificate(folder)
        cloud = Cloud(
            endpoint=f"https://127.0.0.1:{port}",
            region=region,
            folder=folder,
            ca_bundle=certificate,
            access_key_id=f"LOCAL{secrets.token_hex(8).upper()}",
            secret_access_key=secrets.token_hex(20),
        )
        with (folder / "cloud.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, str(port), str(folder), str(certificate), str(key)],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=ROOT,
                env={**_environment(cloud, port, key), **(variables or {})},
                start_new_session=True,  # an interrupt typed at the terminal is ours to handle, in order
            )
        _wait_until_healthy(cloud, process)
        yield cloud
    finally:
        cleaning_up()
        if process is not None and process.stdin is not None:
            process.stdin.close()  # what the emulator ends on
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def free_port(wanted: int | None) -> int:
    """A loopback port, or a free one. Raises CloudError if the wanted one is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted or 0))
        except (OSError, OverflowError) as error:
            raise CloudError(f"port must be free and from 1 to 65535, got {wanted} ({error}): choose another") from None
        return int(probe.getsockname()[1])


def _environment(cloud: Cloud, port: int, key: Path) -> dict[str, str]:
    """The emulator's whole environment. Nothing of the user's AWS settings or proxies passes into it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONDONTWRITEBYTECODE") if name in os.environ}
    return kept | {
        "HOME": str(cloud.folder),
        "TMPDIR": str(cloud.folder),
        "PYTHONUNBUFFERED": "1",
        "AUTH": "true",
        "USE_SSL": "1",
        "MINISTACK_SSL_CERT": str(cloud.ca_bundle),
        "MINISTACK_SSL_KEY": str(key),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": cloud.region,
        "MINISTACK_ACCOUNT_ID": cloud.account,
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        **cloud.credentials,  # which function workers inherit
    }


def _wait_until_healthy(cloud: Cloud, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            cloud.own("/_ministack/health", timeout=2)
            return
        time.sleep(0.02)
    ended = process.poll()
    why = f"did not answer within {START_LIMIT:.0f} s" if ended is None else f"ended with status {ended}"
    tail = "\n".join((cloud.folder / "cloud.log").read_text(errors="replace").splitlines()[-15:])
    raise CloudError(f"the local cloud must answer on {cloud.endpoint}, but {why}; the end of its log:\n{tail}")
