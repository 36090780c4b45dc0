"""What the page is told of a pipeline on the local cloud."""

from dataclasses import replace
from typing import Any

import pytest

from tests.live.conftest import wait_until
from tests.ops.cloud import hand_over
from tools.cloud.deployment import Deployment
from tools.live.feed import Feed
from tools.live.outage import POLICY, Outage
from tools.live.pipeline import Pipeline
from tools.ops.stack import Stack


@pytest.fixture
def stack(deployment: Deployment) -> Stack:
    return Stack(origin="a test", outputs=deployment.outputs, make_client=deployment.client)


def shown(feed: Feed, part: str) -> Any:
    return feed.snapshot[1].get(part)


def test_what_cannot_be_looked_up_says_so_in_its_place_and_the_rest_goes_on(
    deployment: Deployment, stack: Stack
) -> None:
    class Broken:
        """DynamoDB, if it answered nonsense."""

        def __getattr__(self, name: str) -> Any:
            raise KeyError(name)

    def client(service: str) -> Any:
        return Broken() if service == "dynamodb" else stack.client(service)

    pipeline = Pipeline(replace(stack, make_client=client, _clients={}))
    with Feed(pipeline, Outage(pipeline)) as feed:
        hand_over(deployment, {"orderId": "B1"})
        wait_until(lambda: "orders" in shown(feed, "problems"), 30, lambda: str(feed.snapshot))
        assert shown(feed, "problems") == {"orders": "This could not be read: KeyError: 'get_item'"}
        rejected = shown(feed, "counts")["rejected"]
        hand_over(deployment, {"orderId": "B2"})
        wait_until(lambda: shown(feed, "counts")["rejected"] > rejected, 30, lambda: str(feed.snapshot))
        assert "B2" in str(shown(feed, "log"))


def test_an_outage_ends_by_itself(stack: Stack) -> None:
    pipeline, role = Pipeline(stack), "ProcessOrder-role"
    with Outage(pipeline) as outage, Feed(pipeline, outage):
        outage.start(0.5)
        assert POLICY in stack.client("iam").list_role_policies(RoleName=role)["PolicyNames"]
        wait_until(
            lambda: POLICY not in stack.client("iam").list_role_policies(RoleName=role)["PolicyNames"], 10, lambda: role
        )
