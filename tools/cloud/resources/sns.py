"""Topics, their policies and subscriptions."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tools.cloud.cloud import Cloud
from tools.cloud.resources.keeper import Values, attributes, changed, from_attributes

TOPIC = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deliveryPolicy": "DeliveryPolicy",
    "displayName": "DisplayName",
    "fifoTopic": "FifoTopic",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "policy": "Policy",
    "signatureVersion": "SignatureVersion",
    "tracingConfig": "TracingConfig",
}
SUBSCRIPTION = {
    "deliveryPolicy": "DeliveryPolicy",
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
    "subscriptionRoleArn": "SubscriptionRoleArn",
}


@dataclass(frozen=True)
class Topic:
    """A topic; its id is its ARN."""

    cloud: Cloud
    honours: ClassVar = " ".join([*TOPIC, "name tags"])

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        arn = self.cloud.client("sns").create_topic(Name=name, Attributes=attributes(inputs, TOPIC))["TopicArn"]
        policy = self.cloud.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"].get("Policy")
        return arn, {"owner": self.cloud.account, "policy": policy}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        told = self.cloud.client("sns").get_topic_attributes(TopicArn=id_)["Attributes"]
        return {**from_attributes(told, TOPIC), "name": id_.split(":")[-1]}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        for name, value in changed(inputs, TOPIC, old).items():
            self.cloud.client("sns").set_topic_attributes(TopicArn=id_, AttributeName=name, AttributeValue=value)

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("sns").delete_topic(TopicArn=id_)


@dataclass(frozen=True)
class TopicPolicy:
    """A topic's policy; its id is the topic's ARN."""

    cloud: Cloud
    honours: ClassVar = "arn policy"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        self.update(inputs["arn"], inputs, {})
        return inputs["arn"], {"owner": self.cloud.account}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        told = self.cloud.client("sns").get_topic_attributes(TopicArn=id_)["Attributes"]
        return {"arn": id_, "policy": told.get("Policy", "")}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        policy = inputs["policy"]
        self.cloud.client("sns").set_topic_attributes(TopicArn=id_, AttributeName="Policy", AttributeValue=policy)

    def delete(self, id_: str, state: Values) -> None:
        self.update(id_, {"policy": ""}, state)


@dataclass(frozen=True)
class TopicSubscription:
    """A subscription; its id is its ARN."""

    cloud: Cloud
    honours: ClassVar = " ".join([*SUBSCRIPTION, "endpoint protocol topic"])

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        arn = self.cloud.client("sns").subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            Attributes=attributes(inputs, SUBSCRIPTION),
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return arn, {"arn": arn, "ownerId": self.cloud.account, "pendingConfirmation": False}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        told = self.cloud.client("sns").get_subscription_attributes(SubscriptionArn=id_)["Attributes"]
        fixed = {"topic": told["TopicArn"], "protocol": told["Protocol"], "endpoint": told["Endpoint"], "arn": id_}
        return {**from_attributes(told, SUBSCRIPTION), **fixed}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        for name, value in changed(inputs, SUBSCRIPTION, old).items():
            self.cloud.client("sns").set_subscription_attributes(
                SubscriptionArn=id_, AttributeName=name, AttributeValue=value or "{}"
            )

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("sns").unsubscribe(SubscriptionArn=id_)
