"""What the page is told of a pipeline on the local cloud."""

from typing import Any

from tests.live.conftest import wait_until
from tools.cloud.deployment import Deployment
from tools.live.feed import Feed
from tools.live.outage import Outage
from tools.ops.stack import Stack


def test_a_dead_letter_of_another_consumer_is_shown_as_soon_as_it_is_there(deployment: Deployment) -> None:
    sqs = deployment.client("sqs")
    names = {"url": "Audit", "deadLetterQueueUrl": "Audit-dlq"}
    audit = {key: sqs.create_queue(QueueName=name)["QueueUrl"] for key, name in names.items()}
    outputs = {**deployment.outputs, "queues": [{"name": "AuditQueue", **audit}]}
    stack = Stack(origin="a test", outputs=outputs, make_client=deployment.client)

    def shown() -> list[Any]:
        return [letter["body"] for letter in feed.newer(0, 0)[1]["letters"] if letter["source"] == "AuditQueue"]

    try:
        with Feed(stack, Outage(stack)) as feed:
            assert shown() == []
            sqs.send_message(QueueUrl=audit["deadLetterQueueUrl"], MessageBody="not an order")
            wait_until(lambda: shown() == ["not an order"], 10, lambda: f"the letter, in {shown()}")
    finally:
        for url in audit.values():
            sqs.delete_queue(QueueUrl=url)
