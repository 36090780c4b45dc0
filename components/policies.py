"""The policies that say who may do what, as JSON, and the statements that several of them share."""

from typing import Any

import pulumi


def policy_document(*statements: dict[str, Any]) -> pulumi.Output[str]:
    """A policy as JSON; without its version AWS keeps the creation waiting until it times out."""
    return pulumi.Output.json_dumps({"Version": "2012-10-17", "Statement": list(statements)})


def accepts_from_topic(queue_arn: pulumi.Input[str], topic_arn: pulumi.Input[str]) -> dict[str, Any]:
    """The statement that lets SNS, on behalf of one topic, send to a queue."""
    return {
        "Sid": "TopicDelivers",
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }


def tls_only(resource_arn: pulumi.Input[str], action: str = "sqs:*") -> dict[str, Any]:
    """The statement that refuses every request to a resource that does not come over TLS."""
    return {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": action,
        "Resource": resource_arn,
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
