"""Real orders through the real pipeline on the local cloud, which enforces IAM, resource policies and TLS."""

import json
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from botocore.exceptions import ClientError

from tests.fakes.events import EXAMPLE
from tests.ops.cloud import item, order, wait_for
from tools.cloud.deployment import Deployment
from tools.cloud.holdings import messages_in
from tools.ops.stack import local_stack


def publish(deployment: Deployment, *bodies: str) -> None:
    entries = [{"Id": str(number), "Message": body} for number, body in enumerate(bodies)]
    answer = deployment.client("sns").publish_batch(
        TopicArn=deployment.outputs["topicArn"], PublishBatchRequestEntries=entries
    )
    assert not answer.get("Failed")


def stored(deployment: Deployment, order_id: str, status: str = "new") -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found = item(deployment, order_id)
        return found if found and found["status"] == {"S": status} else None

    return dict(wait_for(look, f"storing {order_id} as {status}"))


def queue_messages(deployment: Deployment, export: str) -> dict[str, dict[str, Any]]:
    """What a queue holds now, by body, without receiving it."""
    return {message["Body"]: message for message in messages_in(deployment, export)}


def log_lines(deployment: Deployment) -> list[dict[str, Any]]:
    pages = deployment.client("logs").get_paginator("filter_log_events")
    return [
        json.loads(event["message"])
        for page in pages.paginate(logGroupName=deployment.outputs["logGroupName"])
        for event in page["events"]
        if event["message"].startswith("{")
    ]


def test_the_example_order_is_stored_attribute_by_attribute(deployment: Deployment) -> None:
    publish(deployment, json.dumps(EXAMPLE))
    item = dict(stored(deployment, "O1234"))
    version = item.pop("version")["S"]
    assert version.startswith("2025-05-03T12:00:00.000000Z#")
    assert item == {
        "orderId": {"S": "O1234"},
        "userId": {"S": "U123"},
        "itemName": {"S": "Laptop"},
        "quantity": {"N": "1"},
        "status": {"S": "new"},
        "timestamp": {"S": "2025-05-03T12:00:00Z"},
        "extra": {"M": {}},
    }


def test_out_of_order_and_repeated_deliveries_leave_the_newest_version(deployment: Deployment) -> None:
    first = order()
    paid = {**first, "status": "paid", "timestamp": "2025-05-03T14:30:00+02:00"}  # 12:30 UTC
    shipped = {**first, "status": "shipped", "timestamp": "2025-05-03T12:45:00Z", "carrier": {"parcels": ["P1"]}}
    publish(deployment, json.dumps(shipped))
    newest = stored(deployment, first["orderId"], "shipped")
    last = order()
    publish(deployment, *(json.dumps(event) for event in (paid, first, shipped, paid, last)))
    stored(deployment, last["orderId"])
    wait_for(
        lambda: not set(map(json.dumps, (paid, first, shipped))) & set(queue_messages(deployment, "queueUrl")),
        "handling the late events",
    )
    assert item(deployment, first["orderId"]) == newest
    assert newest["extra"] == {"M": {"carrier": {"M": {"parcels": {"L": [{"S": "P1"}]}}}}}


def test_poison_is_a_dead_letter_after_exactly_three_receives_and_its_neighbours_are_stored(
    deployment: Deployment,
) -> None:
    neighbours = [order() for _ in range(8)]
    poison = json.dumps(order(quantity=0))
    bodies = [json.dumps(neighbour) for neighbour in neighbours]
    url = deployment.outputs["queueUrl"]
    deployment.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    publish(deployment, *bodies[:4], poison, *bodies[4:])
    for neighbour in neighbours:
        stored(deployment, neighbour["orderId"])
    letter = wait_for(
        lambda: queue_messages(deployment, "deadLetterQueueUrl").get(poison), "moving to the dead-letter queue"
    )
    deployment.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "6"})
    receives = [line for line in log_lines(deployment) if line.get("messageId") == letter["MessageId"]]
    assert len(receives) == 3
    assert {line["reason"] for line in receives} == {
        "quantity must be an integer from 1 to 9007199254740991, got another number"
    }
    assert poison not in queue_messages(deployment, "queueUrl")
    assert item(deployment, json.loads(poison)["orderId"]) is None


def test_the_emulators_own_paths_answer_nobody_but_us(deployment: Deployment) -> None:
    trust = ssl.create_default_context(cafile=str(deployment.cloud.ca_bundle))
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust))
    for path in ("/_ministack/sqs/messages", "/_ministack/health", "/_localstack/health", "/health"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            opener.open(deployment.cloud.endpoint + path)
    assert deployment.cloud.own("/_ministack/sqs/messages", timeout=20)["messages"]


def test_what_the_queue_refuses_goes_to_the_topics_dead_letter_queue(deployment: Deployment) -> None:
    sqs, url = deployment.client("sqs"), deployment.outputs["queueUrl"]
    policy = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])["Attributes"]["Policy"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": ""})
    deployment.client("sns").publish(TopicArn=deployment.outputs["topicArn"], Message='{"refused": "by policy"}')
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    dead = deployment.outputs["subscriptionDeadLetterQueueUrl"]
    [message] = sqs.receive_message(QueueUrl=dead, MessageAttributeNames=["All"])["Messages"]
    assert message["Body"] == '{"refused": "by policy"}'
    assert message["MessageAttributes"]["ErrorCode"]["StringValue"] == "AccessDenied"
    sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])


def test_plain_http_is_not_answered(deployment: Deployment) -> None:
    address = urlsplit(deployment.cloud.endpoint)
    with socket.create_connection((address.hostname, address.port), timeout=5) as connection:
        connection.sendall(b"GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        try:
            answer = connection.recv(100)
        except ConnectionResetError:
            answer = b""
    assert not answer.startswith(b"HTTP/1.1 200")


def without_tls(deployment: Deployment, service: str) -> Any:
    """A client whose requests say that they came over plain HTTP before a proxy added TLS."""
    client = replace(deployment.cloud, _clients={}).client(service)
    client.meta.events.register(
        f"before-send.{service}", lambda request, **_: request.headers.update({"X-Forwarded-Proto": "http"})
    )
    return client


def test_the_policies_refuse_even_the_account_root_without_tls(deployment: Deployment) -> None:
    with pytest.raises(ClientError, match=r"AuthorizationError|AccessDenied"):
        without_tls(deployment, "sns").publish(TopicArn=deployment.outputs["topicArn"], Message=json.dumps(order()))
    for export in ("queueUrl", "deadLetterQueueUrl", "subscriptionDeadLetterQueueUrl"):
        with pytest.raises(ClientError, match="AccessDenied"):
            without_tls(deployment, "sqs").receive_message(QueueUrl=deployment.outputs[export])


def test_no_setting_of_the_users_reaches_a_client(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_STS_REGIONAL_ENDPOINTS", "AWS_RETRY_MODE", "AWS_MAX_ATTEMPTS", "AWS_DEFAULTS_MODE"):
        monkeypatch.setenv(name, "nonsense")
    own = replace(deployment.cloud, _clients={}).client("sts")
    for client in (own, local_stack("the local cloud", deployment.addresses()).client("sts")):
        assert client.get_caller_identity()["Account"] == deployment.cloud.account
