"""What the page is told of a pipeline on the local cloud."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.live.conftest import wait_until
from tools.cloud.deployment import Deployment
from tools.live.feed import Feed
from tools.live.outage import Outage
from tools.live.pipeline import Pipeline
from tools.ops.stack import Stack


@pytest.fixture
def stack(deployment: Deployment) -> Stack:
    return Stack(origin="a test", outputs=deployment.outputs, make_client=deployment.client)


@pytest.fixture
def with_audit(deployment: Deployment) -> Iterator[Stack]:
    """The stack with another consumer, whose function is the same one and whose log is another."""
    sqs, logs = deployment.client("sqs"), deployment.client("logs")
    names = {"url": "Audit", "deadLetterQueueUrl": "Audit-dlq"}
    audit = {key: sqs.create_queue(QueueName=name)["QueueUrl"] for key, name in names.items()}
    logs.create_log_group(logGroupName="Audit-logs")
    logs.create_log_stream(logGroupName="Audit-logs", logStreamName="one")
    outputs = {**deployment.outputs, "queues": [{"name": "AuditQueue", **audit}]}
    yield Stack(origin="a test", outputs=outputs, make_client=deployment.client)
    logs.delete_log_group(logGroupName="Audit-logs")
    for url in audit.values():
        sqs.delete_queue(QueueUrl=url)


def shown(feed: Feed, part: str) -> Any:
    return feed.snapshot[1].get(part)


def test_another_consumer_is_shown_as_soon_as_the_stack_has_it(stack: Stack, with_audit: Stack) -> None:
    pipeline = Pipeline(stack)
    with Feed(pipeline, Outage(pipeline)) as feed:
        assert shown(feed, "consumers") == []
        pipeline.use(with_audit)
        wait_until(lambda: shown(feed, "consumers"), 10, lambda: str(feed.snapshot))
        dead = with_audit.dead_letters["AuditQueue"].url
        with_audit.client("sqs").send_message(QueueUrl=dead, MessageBody="not an order")
        wait_until(
            lambda: [each["source"] for each in shown(feed, "letters")] == ["AuditQueue"],
            20,
            lambda: str(feed.snapshot),
        )
        assert shown(feed, "consumers")[0]["dead"] == 1
        [letter] = shown(feed, "letters")
        assert feed.letter(letter["messageId"])["body"] == "not an order"
