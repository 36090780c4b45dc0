"""Orders, dead letters and looks behind the scenes, for the tests of the operator's commands."""

import functools
import json
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tools.cloud.deployment import Deployment
from tools.cloud.holdings import messages_in
from tools.ops.sending import batches
from tools.ops.stack import local_clients

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


@functools.cache
def shared_clients(*address: str | None) -> Callable[[str], Any]:
    """Clients of a cloud, made once for all commands: that takes longer than most commands do."""
    return functools.cache(local_clients(*address))  # type: ignore[arg-type]


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
    bodies = [each if isinstance(each, str) else json.dumps(each) for each in orders]
    typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    for run in batches([len(body.encode()) for body in bodies]):
        answer = deployment.client("sqs").send_message_batch(
            QueueUrl=deployment.outputs[export],
            Entries=[{"Id": str(n), "MessageBody": bodies[n], "MessageAttributes": typed} for n in run],
        )
        assert not answer.get("Failed")


def bodies(deployment: Deployment, export: str) -> list[str]:
    """What a queue holds, hidden messages included, without receiving it."""
    return [message["Body"] for message in messages_in(deployment, export)]


def hand_over(deployment: Deployment, order: dict[str, Any]) -> None:
    """Give the function a message that is in no queue: one that it rejects leaves no dead letter to other tests."""
    event = {"Records": [{"messageId": str(uuid.uuid4()), "body": json.dumps(order)}]}
    deployment.client("lambda").invoke(FunctionName=deployment.outputs["functionName"], Payload=json.dumps(event))


def hasten(sqs: Any, url: str, *, seconds: int) -> None:
    """Make a message of a queue that fails a dead letter after so many seconds."""
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])
    redrive = json.dumps({**json.loads(answer["Attributes"]["RedrivePolicy"]), "maxReceiveCount": 1})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": str(seconds)})


@contextmanager
def hurried(deployment: Deployment) -> Iterator[None]:
    """While it lasts, a message that fails is tried again after a second, and soon a dead letter."""
    sqs, url = deployment.client("sqs"), deployment.outputs["queueUrl"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


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
