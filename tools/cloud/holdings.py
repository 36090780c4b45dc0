"""What a pipeline on the local cloud holds now: messages in its queues, events in its table."""

from collections.abc import Iterator
from typing import Any

from boto3.dynamodb.types import TypeDeserializer

from tools.cloud.deployment import Deployment


def depth(deployment: Deployment, export: str) -> int:
    """How many messages a queue holds, those in flight included; `export` names its URL."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = deployment.client("sqs").get_queue_attributes(QueueUrl=deployment.outputs[export], AttributeNames=names)
    return sum(map(int, answer["Attributes"].values()))


def messages_in(deployment: Deployment, export: str) -> list[dict[str, Any]]:
    """Every message of a queue, as a receive would answer it, without receiving it."""
    return queues_of(deployment).get(deployment.outputs[export].rpartition("/")[2], [])


def queues_of(deployment: Deployment) -> dict[str, list[dict[str, Any]]]:
    """By physical name, every message of each queue, as a receive would answer it, without receiving it."""
    accounts = deployment.cloud.own("/_ministack/sqs/messages", timeout=60)["messages"]
    return {
        url.rpartition("/")[2]: messages
        for regions in accounts.values()
        for queues in regions.values()
        for url, messages in queues.items()
    }


def rows(deployment: Deployment) -> Iterator[dict[str, Any]]:
    """Every item of the table, as DynamoDB answers it."""
    pages = deployment.client("dynamodb").get_paginator("scan")
    for page in pages.paginate(TableName=deployment.outputs["tableName"], ConsistentRead=True):
        yield from page["Items"]


def stored_events(deployment: Deployment) -> dict[str, dict[str, Any]]:
    """By orderId, the event that each item of the table was made from."""
    return {event["orderId"]: event for event in map(_event, rows(deployment))}


def _event(item: dict[str, Any]) -> dict[str, Any]:
    plain = TypeDeserializer().deserialize
    values = {name: plain(value) for name, value in item.items() if name != "version"}
    return {**values.pop("extra"), **values}
