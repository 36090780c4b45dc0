"""Queues, and the resources that are one attribute of a queue."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tools.cloud.cloud import Cloud
from tools.cloud.resources.keeper import Values, attributes, changed, from_attributes

ATTRIBUTES = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "policy": "Policy",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


@dataclass(frozen=True)
class Queue:
    """A queue; its id is its URL."""

    cloud: Cloud
    honours: ClassVar = " ".join([*ATTRIBUTES, "name tags"])

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        sqs = self.cloud.client("sqs")
        url = sqs.create_queue(QueueName=name, Attributes=attributes(inputs, ATTRIBUTES))["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        return url, {"url": url, "arn": arn}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        sqs = self.cloud.client("sqs")
        told = sqs.get_queue_attributes(QueueUrl=id_, AttributeNames=["All"])["Attributes"]
        arn = told["QueueArn"]
        tags = sqs.list_queue_tags(QueueUrl=id_).get("Tags", {})
        return {**from_attributes(told, ATTRIBUTES), "url": id_, "arn": arn, "name": arn.split(":")[-1], "tags": tags}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        if given := changed(inputs, ATTRIBUTES, old):
            self.cloud.client("sqs").set_queue_attributes(QueueUrl=id_, Attributes=given)

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("sqs").delete_queue(QueueUrl=id_)

    def held(self, id_: str) -> str:
        told = self.cloud.client("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=["All"])["Attributes"]
        count = sum(int(value) for name, value in told.items() if name.startswith("ApproximateNumberOfMessages"))
        return f"{count} order{'s' * (count != 1)} waiting in it {'are' if count != 1 else 'is'} lost" if count else ""

    def tag(self, id_: str, tags: dict[str, str], gone: list[str]) -> None:
        if gone:
            self.cloud.client("sqs").untag_queue(QueueUrl=id_, TagKeys=gone)
        self.cloud.client("sqs").tag_queue(QueueUrl=id_, Tags=tags)


@dataclass(frozen=True)
class QueuePolicy:
    """A queue's policy; its id is the queue's URL."""

    cloud: Cloud
    honours: ClassVar = "policy queueUrl"

    source: ClassVar = "policy"
    attribute: ClassVar = "Policy"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        self.update(inputs["queueUrl"], inputs, {})
        return inputs["queueUrl"], {}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        told = self.cloud.client("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=[self.attribute])
        return {"queueUrl": id_, self.source: told.get("Attributes", {}).get(self.attribute, "")}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        values = {self.attribute: inputs[self.source]}
        self.cloud.client("sqs").set_queue_attributes(QueueUrl=id_, Attributes=values)

    def delete(self, id_: str, state: Values) -> None:
        self.update(id_, {self.source: ""}, state)


class RedriveAllowPolicy(QueuePolicy):
    """Which queues may use a queue as their dead-letter queue; its id is the queue's URL."""

    honours: ClassVar = "queueUrl redriveAllowPolicy"
    source: ClassVar = "redriveAllowPolicy"
    attribute: ClassVar = "RedriveAllowPolicy"
