"""The page answers its own origin, under its token, on this machine, and nobody else."""

import http.client
import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.live.conftest import answered, ask, press
from tools.cloud.deployment import Deployment
from tools.live.actions import Actions
from tools.live.feed import Feed
from tools.live.outage import Outage
from tools.live.pipeline import Pipeline
from tools.live.server import page_token, serving
from tools.ops.stack import Stack


@pytest.fixture(scope="module")
def page(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a page on the shared cloud."""
    pipeline = Pipeline(Stack(origin="a test", outputs=deployment.outputs, make_client=deployment.client))
    token = page_token(tmp_path_factory.mktemp("token"))
    with (
        Outage(pipeline) as outage,
        Feed(pipeline, outage) as feed,
        serving(feed, Actions(pipeline, feed, outage), port=0, token=token) as url,
    ):
        yield url


def test_the_page_is_there_under_its_token_only(page: str) -> None:
    path = urlsplit(page).path
    assert ask(page, "GET", path)[0] == 200
    assert ask(page, "GET", "/")[0] == 404
    assert ask(page, "GET", f"/{'x' * 24}/")[0] == 404
    assert ask(page, "GET", f"/{'x' * 24}/state")[0] == 404


@pytest.mark.parametrize("host", ["orders.example", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_host_is_refused(page: str, host: str) -> None:
    assert ask(page, "GET", urlsplit(page).path, host=host)[0] == 403


@pytest.mark.parametrize("origin", ["http://orders.example", "null", "https://127.0.0.1", ""])
def test_another_origin_is_refused(page: str, origin: str) -> None:
    assert press(page, "outage", {"seconds": 0}, origin=origin)[0] == 403


@pytest.mark.usefixtures("page")
def test_nothing_listens_on_anything_but_loopback() -> None:
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = [
        connection.laddr.ip.removeprefix("::ffff:")
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 2
    assert set(listening) == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        ("publish", {"body": 1}),
        ("generate", {"count": 0}),
        ("generate", {"count": True}),
        ("outage", {"seconds": 10**9}),
        ("purge", {"id": "no such letter"}),
        ("correct", {"id": 7, "body": "{}"}),
    ],
)
def test_a_request_out_of_bounds_is_answered_with_what_must_hold(page: str, action: str, request_: object) -> None:
    answer = answered(page, action, request_)
    assert not answer["good"]
    assert " must " in answer["text"]


def test_what_is_no_object_or_no_button_is_refused(page: str) -> None:
    assert press(page, "publish", [])[0] == 400
    assert press(page, "destroy", {})[0] == 404


@pytest.mark.parametrize(
    "text", ['{"body": ' + "[" * 100_000, '{"count": 1, "count": 2}', '{"body": "\\ud800"}', '{"count": NaN}', "\xff"]
)
def test_json_that_nobody_can_read_is_refused(page: str, text: str) -> None:
    url = urlsplit(page)
    assert ask(page, "POST", f"{url.path}do/publish", text, origin=f"http://{url.netloc}")[0] == 400


@pytest.mark.parametrize("body", ["[" * 100_000, "\ufeff{}", '{"a": 1, "a": 2}', '{"orderId": "\\ud800"}', "\0"])
def test_a_body_that_nobody_can_read_is_answered(page: str, body: str) -> None:
    answer = answered(page, "publish", {"body": body})
    assert not answer["good"]
    assert answer["problems"]


def test_the_state_is_sent_once_and_then_only_that_there_is_nothing_new(page: str) -> None:
    path = urlsplit(page).path
    news = json.loads(ask(page, "GET", f"{path}state")[1])
    assert news["state"]["counts"]["dead"] >= 0
    again = json.loads(ask(page, "GET", f"{path}state?but={news['version']}")[1])
    assert again["age"] < 60
    assert "state" not in again or again["version"] != news["version"]


def test_a_restart_has_the_same_address_and_an_end_with_open_pages_is_quiet(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    feed: Any = SimpleNamespace(snapshot=("1", {}), looked=time.monotonic())
    actions: Any = SimpleNamespace(buttons={"slow": None}, run=lambda *_: time.sleep(2))
    urls, port = [], 0
    for _ in range(2):
        token = page_token(tmp_path)
        with serving(feed, actions, port=port, token=token) as url:
            urls.append(url)
            where = urlsplit(url)
            port = where.port or 0
            pages = [http.client.HTTPConnection("127.0.0.1", port) for _ in range(3)]
            pages[0].request("POST", f"/{token}/do/slow", "{}", {"Origin": f"http://{where.netloc}"})
            for each in pages[1:]:
                each.request("GET", f"/{token}/state")
                assert each.getresponse().read()
            with serving(feed, actions, port=port, token=token) as other:
                assert urlsplit(other).port != port
        for each in pages:
            each.close()
    assert urls[0] == urls[1]
    assert (tmp_path / "build/page-token").stat().st_mode & 0o777 == 0o600
    assert caplog.records == []
