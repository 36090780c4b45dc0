"""Queues, and the resources that are one attribute of a queue."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tools.cloud.cloud import Cloud
from tools.cloud.resources.keeper import Values, attributes, changed, from_attributes
from tools.terminal import counted

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
        given = attributes(inputs, ATTRIBUTES)
        url = self.cloud.client("sqs").create_queue(QueueName=name, Attributes=given)["QueueUrl"]
        return url, {"url": url}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        told = self.cloud.client("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=["All"])["Attributes"]
        return {**from_attributes(told, ATTRIBUTES), "url": id_, "name": told["QueueArn"].split(":")[-1]}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        if given := changed(inputs, ATTRIBUTES, old):
            self.cloud.client("sqs").set_queue_attributes(QueueUrl=id_, Attributes=given)

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("sqs").delete_queue(QueueUrl=id_)

    def held(self, id_: str) -> str:
        told = self.cloud.client("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=["All"])["Attributes"]
        count = sum(int(value) for name, value in told.items() if name.startswith("ApproximateNumberOfMessages"))
        return counted(count, "waiting order") if count else ""


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
