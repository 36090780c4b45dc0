"""An outage ends by itself, and only itself."""

import threading
from types import SimpleNamespace
from typing import Any, cast

from botocore.exceptions import EndpointConnectionError

from tests.live.conftest import wait_until
from tools.live import outage
from tools.live.outage import Outage
from tools.live.pipeline import Pipeline


class Iam:
    """Holds the policy, or fails."""

    def __init__(self) -> None:
        self.denied = False
        self.failures = 0
        self.entered, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    def put_role_policy(self, **_: Any) -> None:
        self.entered.set()
        self.go_on.wait()
        self.denied = True

    def delete_role_policy(self, **_: Any) -> None:
        if self.failures:
            self.failures -= 1
            raise EndpointConnectionError(endpoint_url="https://127.0.0.1")
        self.denied = False

    def get_function_configuration(self, **_: Any) -> dict[str, str]:
        return {"Role": "arn:aws:iam::000000000000:role/one"}


def outages(iam: Iam) -> Outage:
    class Stack(dict[str, str]):
        def client(self, _service: str) -> Iam:
            return iam

    return Outage(cast("Pipeline", SimpleNamespace(stack=Stack(functionName="ProcessOrder"))))


def test_a_timer_that_was_replaced_while_it_waited_does_not_end_the_new_outage() -> None:
    iam = Iam()
    switch = outages(iam)
    switch.start(0.2)
    iam.entered.clear()
    iam.go_on.clear()
    starting = threading.Thread(target=switch.start, args=(60,))
    starting.start()
    iam.entered.wait()
    first = [each for each in threading.enumerate() if isinstance(each, threading.Timer)]
    threading.Event().wait(0.5)  # the first timer has run out, and waits for the lock
    iam.go_on.set()
    for thread in (starting, *first):
        thread.join(5)
    assert iam.denied
    assert switch.left > 50
    switch.end()
    assert not iam.denied
    assert switch.left == 0


def test_an_end_that_the_cloud_did_not_answer_is_tried_again(monkeypatch: Any) -> None:
    monkeypatch.setattr(outage, "AGAIN", 0.05)
    iam = Iam()
    iam.failures = 2
    outages(iam).start(0.05)
    wait_until(lambda: not iam.denied, 5, lambda: str(iam.failures))
    assert iam.failures == 0
