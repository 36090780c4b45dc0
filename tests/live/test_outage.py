"""An outage ends when it is due, and not before."""

from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError

from tools.live.outage import Outage


class Cloud(dict[str, str]):
    """A stack whose role is denied or not, and whose cloud may fail to deny and to allow."""

    denied, failures, down = False, 0, False

    def client(self, _service: str) -> "Cloud":
        return self

    def get_function_configuration(self, **_: Any) -> dict[str, str]:
        return {"Role": "arn:aws:iam::000000000000:role/one"}

    def put_role_policy(self, **_: Any) -> None:
        if self.down:
            raise EndpointConnectionError(endpoint_url="https://127.0.0.1")
        self.denied = True

    def delete_role_policy(self, **_: Any) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise EndpointConnectionError(endpoint_url="https://127.0.0.1")
        self.denied = False


def test_an_outage_ends_when_it_is_due_however_often_that_has_to_be_tried() -> None:
    cloud = Cloud(functionName="ProcessOrder")
    cloud.failures = 1
    pipeline: Any = SimpleNamespace(stack=cloud)
    outage = Outage(pipeline)
    outage.start(0)
    outage.start(60)  # before the first one was ended
    outage.end(only_if_due=True)
    assert (cloud.denied, outage.left > 50) == (True, True)
    outage.start(0)
    with pytest.raises(EndpointConnectionError):
        outage.end(only_if_due=True)
    assert cloud.denied
    outage.end(only_if_due=True)
    assert (cloud.denied, outage.left) == (False, 0)


def test_an_outage_that_did_not_begin_needs_no_end() -> None:
    cloud = Cloud(functionName="ProcessOrder")
    cloud.failures, cloud.down = 1, True
    pipeline: Any = SimpleNamespace(stack=cloud)
    outage = Outage(pipeline)
    with pytest.raises(EndpointConnectionError):
        outage.start(60)
    outage.end(only_if_due=True)
    outage.end()
    assert cloud.failures == 1
