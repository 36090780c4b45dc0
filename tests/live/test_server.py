"""The page answers its own origin, under its token, on this machine, and nobody else."""

import http.client
import json
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import psutil
import pytest

from tests.live.conftest import Live, answered, ask, press
from tools.live.beginning import earlier
from tools.live.server import page_token, serving


def test_the_page_is_there_under_its_token_only(live: Live) -> None:
    path = urlsplit(live.url).path
    assert ask(live, "GET", path)[0] == 200
    assert ask(live, "GET", "/")[0] == 404
    assert ask(live, "GET", f"/{'x' * 24}/")[0] == 404
    assert ask(live, "GET", f"/{'x' * 24}/state")[0] == 404


def test_what_the_cloud_begins_with_is_an_option_of_the_command(live: Live) -> None:
    assert "published at the start: 12 of 12 messages" in live.text()
    assert len(earlier(live.tree / "build/published-local.jsonl")) == 11  # one of them twice


@pytest.mark.parametrize("host", ["orders.example", "127.0.0.1", "127.0.0.1:1", ""])
def test_another_host_is_refused(live: Live, host: str) -> None:
    assert ask(live, "GET", urlsplit(live.url).path, host=host)[0] == 403


@pytest.mark.parametrize("origin", ["http://orders.example", "null", "https://127.0.0.1", ""])
def test_another_origin_is_refused(live: Live, origin: str) -> None:
    assert press(live, "outage", {"seconds": 0}, origin=origin)[0] == 403


def test_nothing_listens_on_anything_but_loopback(live: Live) -> None:
    family = [psutil.Process(live.process.pid)]
    family += family[0].children(recursive=True)
    listening = [
        connection.laddr.ip.removeprefix("::ffff:")
        for process in family
        for connection in process.net_connections(kind="inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert len(listening) >= 2
    assert set(listening) == {"127.0.0.1"}


def test_an_order_that_breaks_the_schema_is_refused_with_the_field(live: Live) -> None:
    answer = answered(live, "publish", {"body": json.dumps({"orderId": "", "quantity": "two"})})
    assert not answer["good"]
    assert set(answer["problems"]) >= {"orderId", "quantity"}


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
def test_a_request_out_of_bounds_is_answered_with_what_must_hold(live: Live, action: str, request_: object) -> None:
    answer = answered(live, action, request_)
    assert not answer["good"]
    assert " must " in answer["text"]


def test_what_is_no_object_or_no_button_is_refused(live: Live) -> None:
    assert press(live, "publish", [])[0] == 400
    assert press(live, "destroy", {})[0] == 404


@pytest.mark.parametrize(
    "text", ['{"body": ' + "[" * 100_000, '{"count": 1, "count": 2}', '{"body": "\\ud800"}', '{"count": NaN}', "\xff"]
)
def test_json_that_nobody_can_read_is_refused(live: Live, text: str) -> None:
    url = urlsplit(live.url)
    assert ask(live, "POST", f"{url.path}do/publish", text, origin=f"http://{url.netloc}")[0] == 400


@pytest.mark.parametrize("body", ["[" * 100_000, "\ufeff{}", '{"a": 1, "a": 2}', '{"orderId": "\\ud800"}', "\0"])
def test_a_body_that_nobody_can_read_is_answered(live: Live, body: str) -> None:
    answer = answered(live, "publish", {"body": body})
    assert not answer["good"]
    assert answer["problems"]


def test_the_state_is_sent_once_and_then_only_that_there_is_nothing_new(live: Live) -> None:
    path = urlsplit(live.url).path
    news = json.loads(ask(live, "GET", f"{path}state")[1])
    assert news["state"]["counts"]["dead"] >= 0
    again = json.loads(ask(live, "GET", f"{path}state?but={news['version']}")[1])
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
