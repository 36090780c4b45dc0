"""Orders, dead letters and looks behind the scenes, for the tests of the operator's commands."""

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tools.cloud.deployment import Deployment

QUEUE, TOPIC = "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What a command answered."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Result]
Own = tuple[Deployment, str]
"""A cloud of the tests' own, and the file of its addresses."""


def order(**changes: Any) -> dict[str, Any]:
    """An order with an id of its own."""
    return {
        "orderId": f"P-{uuid.uuid4()}",
        "userId": "U123",
        "itemName": "Laptop",
        "quantity": 1,
        "status": "new",
        "timestamp": "2025-05-03T12:00:00Z",
        **changes,
    }


def send(deployment: Deployment, export: str, *orders: dict[str, Any] | str, **attributes: str) -> None:
    """Put messages straight into a queue."""
    for body in orders:
        deployment.client("sqs").send_message(
            QueueUrl=deployment.outputs[export],
            MessageBody=body if isinstance(body, str) else json.dumps(body),
            MessageAttributes={
                name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
            },
        )


def bodies(deployment: Deployment, export: str) -> list[str]:
    """What a queue holds, hidden messages included, without receiving it."""
    path = f"/_ministack/sqs/messages?QueueUrl={deployment.outputs[export]}"
    accounts = deployment.cloud.own(path, timeout=60)["messages"]
    queues = accounts[deployment.cloud.account][deployment.cloud.region]
    return [message["Body"] for message in queues[deployment.outputs[export]]]


def hasten(sqs: Any, url: str, *, seconds: int) -> None:
    """Make a message of a queue that fails a dead letter after so many seconds."""
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    redrive = json.dumps({**json.loads(answer["Attributes"]["RedrivePolicy"]), "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": str(seconds)})


def item(deployment: Deployment, order_id: str) -> dict[str, Any] | None:
    answer = deployment.client("dynamodb").get_item(
        TableName=deployment.outputs["tableName"], Key={"orderId": {"S": order_id}}, ConsistentRead=True
    )
    found: dict[str, Any] | None = answer.get("Item")
    return found


def empty(deployment: Deployment) -> None:
    """Leave nothing in the dead-letter queues, seen or hidden."""
    for export in (QUEUE, TOPIC):
        deployment.client("sqs").purge_queue(QueueUrl=deployment.outputs[export])


def wait_for(ready: Callable[[], Any], what: str, seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := ready()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        time.sleep(0.1)
    return found


def visible(deployment: Deployment, export: str) -> int:
    answer = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.outputs[export], AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])
