"""An outage ends by itself, and only itself."""

import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tests.live.conftest import wait_until
from tools.live import outage
from tools.live.outage import Outage


class Cloud(dict[str, str]):
    """A stack whose role is denied or not, and whose cloud may be slow to deny and fail to allow."""

    denied, failures, pause = False, 0, 0.0

    def client(self, _service: str) -> "Cloud":
        return self

    def get_function_configuration(self, **_: Any) -> dict[str, str]:
        return {"Role": "arn:aws:iam::000000000000:role/one"}

    def put_role_policy(self, **_: Any) -> None:
        time.sleep(self.pause)
        self.denied = True

    def delete_role_policy(self, **_: Any) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise EndpointConnectionError(endpoint_url="https://127.0.0.1")
        self.denied = False


def switch(cloud: Cloud) -> Outage:
    pipeline: Any = SimpleNamespace(stack=cloud)
    return Outage(pipeline)


def test_a_timer_that_was_replaced_while_it_waited_does_not_end_the_new_outage() -> None:
    cloud = Cloud(functionName="ProcessOrder")
    outages = switch(cloud)
    outages.start(0.2)
    first = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    cloud.pause = 0.6  # the first timer runs out meanwhile, and waits for the lock
    outages.start(60)
    for timer in first:
        timer.join(5)
    assert (cloud.denied, outages.left > 50) == (True, True)
    outages.end()
    assert (cloud.denied, outages.left) == (False, 0)


def test_an_end_that_the_cloud_did_not_answer_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outage, "AGAIN", 0.05)
    cloud = Cloud(functionName="ProcessOrder")
    cloud.failures = 2
    switch(cloud).start(0.05)
    wait_until(lambda: not cloud.denied, 5, lambda: str(cloud.failures))
