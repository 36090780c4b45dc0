"""`./orders local` on a copy of the project, so that a test may edit the program, break it and empty its queues."""

import contextlib
import http.client
import json
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from selenium import webdriver

from tests.ops.cloud import order
from tests.tree import copied, start
from tools.ops.publish import publish
from tools.ops.sending import Pace
from tools.ops.stack import Stack, connect
from tools.ops.table import wait_until_stored

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--in-process-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"),
    *("--disable-extensions", "--process-per-site", "--disable-features=SpareRendererForSitePerProcess"),
    *("--window-size=1280,1100", "--app=data:,"),
)
"""A window of an app has no tab strip and no toolbar, which are pages of their own and cost more than ours."""


@dataclass(frozen=True, kw_only=True)
class Live:
    """A running page and what it was started from."""

    tree: Path
    url: str
    outputs: Path
    printed: Path

    def text(self) -> str:
        return self.printed.read_text()

    def stack(self) -> Stack:
        return connect(stack=None, outputs=str(self.outputs))

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.tree / file).read_text()
        assert old in text
        (self.tree / file).write_text(text.replace(old, new, 1))

    def store(self, order_id: str) -> None:
        """Publish an order and wait until the table holds it."""
        stack = self.stack()
        assert not publish(stack, [json.dumps(order(orderId=order_id))], pace=Pace(None))
        assert not wait_until_stored(stack, {order_id: "2"}, seconds=60)

    def wait_for(self, text: str, *, times: int = 1, limit: float = 60) -> float:
        """Seconds until a text was printed so often."""
        started = time.monotonic()
        wait_until(lambda: self.text().count(text) >= times, limit, lambda: f"{text!r} in {self.text()}")
        return time.monotonic() - started


def wait_until(holds: Callable[[], object], limit: float, what: Callable[[], str]) -> None:
    deadline = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < deadline, what()
        time.sleep(0.25)


def ask(page: str, method: str, path: str, body: str | None = None, **headers: str) -> tuple[int, str]:
    """Ask the server of a page at an address."""
    url = urlsplit(page)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=60)
    named = {name.title(): value for name, value in headers.items()}
    connection.request(method, path, body=body, headers=named)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def press(page: str, action: str, request: object, **headers: str) -> tuple[int, str]:
    url = urlsplit(page)
    headers = {"origin": f"http://{url.netloc}", **headers}
    return ask(page, "POST", f"{url.path}do/{action}", json.dumps(request), **headers)


def answered(page: str, action: str, request: object) -> dict[str, Any]:
    status, text = press(page, action, request)
    assert status == 200, text
    return dict(json.loads(text))


def state(page: str) -> dict[str, Any]:
    """What a page shows."""
    return dict(json.loads(ask(page, "GET", f"{urlsplit(page).path}state")[1])["state"])


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    tree = copied(tmp_path_factory.mktemp("tree"))
    temporary, printed, outputs = tree / "temporary", tree / "printed.txt", tree / "outputs.json"
    configured = tree / "Pulumi.local.yaml"  # the function has time, also on a busy machine
    configured.write_text(configured.read_text().replace("functionTimeout: 1", "functionTimeout: 20"))
    options = ["--page-port", "0", "--outputs", str(outputs), "--replay", "--seed", "docs/examples/orders.jsonl"]
    with printed.open("w") as out:
        process = start(tree, temporary, "local", *options, out=out)
        try:
            last = "The function's log"
            wait_until(lambda: last in printed.read_text() or process.poll() is not None, 90, printed.read_text)
            found = re.search(r"http://127\.0\.0\.1:\d+/\S+/", printed.read_text())
            assert found, printed.read_text()
            yield Live(tree=tree, url=found[0], outputs=outputs, printed=printed)
        finally:
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()
            process.wait()
    assert not list(temporary.iterdir())
    assert "Traceback" not in printed.read_text()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    chromium, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("a real browser must be on the PATH: install chromium and chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as running:
        yield running
