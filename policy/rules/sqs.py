"""Rules about one queue: a redrive policy that works, and encryption."""

import json
from collections.abc import Iterator
from typing import Any

from framework import aws
from framework.keys import is_managed_key
from framework.redrive import is_queue_arn
from framework.rule import Config, Rule, Undecided, Verdict, switch, whole
from framework.stack import Resource
from framework.values import MISSING, UNKNOWN, json_object


def redrive_policy_valid(resource: Resource, config: Config) -> Iterator[Verdict]:
    """The redrive policy is one that SQS accepts and that gives a message its retries."""
    stated = resource.get("redrivePolicy")
    policy = json_object(stated)
    if stated is UNKNOWN:
        yield Undecided("redrivePolicy")
    elif stated is not MISSING and policy is MISSING:
        yield "has a redrivePolicy that is not a JSON object"
    elif policy is not MISSING:
        yield from _target_problems(resource, policy.get("deadLetterTargetArn", MISSING))
        yield from _count_problems(policy.get("maxReceiveCount", MISSING), config)


def _target_problems(resource: Resource, target: Any) -> Iterator[Verdict]:
    own = resource.get("name" if resource.type == aws.QUEUE else "queueUrl")
    if target is UNKNOWN:
        yield Undecided("redrivePolicy")
    elif not is_queue_arn(target):
        yield f"has a redrivePolicy whose deadLetterTargetArn is {_shown(target)}, not the ARN of an SQS queue"
    elif isinstance(own, str) and own.rsplit("/", 1)[-1] == target.rsplit(":", 1)[-1]:
        yield "is its own dead-letter queue"


def _count_problems(count: Any, config: Config) -> Iterator[Verdict]:
    least, most = config["minReceives"], config["maxReceives"]
    if count is UNKNOWN:
        yield Undecided("redrivePolicy")
    elif type(count) is not int:
        yield f"has a redrivePolicy whose maxReceiveCount is {_shown(count)}, not a whole number"
    elif not least <= count <= most:
        yield f"moves a message to its dead-letter queue after {count} receives, not {least} to {most}"


def _shown(value: Any) -> str:
    return "missing" if value is MISSING else json.dumps(value, default=str)


def queue_encrypted(queue: Resource, config: Config) -> Iterator[Verdict]:
    """The queue is encrypted; SQS does it by itself unless told not to."""
    key, managed = queue.get("kmsMasterKeyId"), queue.get("sqsManagedSseEnabled")
    if key is MISSING:
        if managed is False:
            yield "switches encryption off: sqsManagedSseEnabled is false and there is no kmsMasterKeyId"
        elif config["requireCmk"]:
            yield "has no kmsMasterKeyId"
        elif managed is UNKNOWN:
            yield Undecided("sqsManagedSseEnabled")
    elif managed is True:
        yield "sets both kmsMasterKeyId and sqsManagedSseEnabled, which exclude each other"
    elif config["requireCmk"] and is_managed_key(key):
        yield f"uses the AWS-managed key {key}"


RULES = (
    Rule(
        name="sqs-redrive-policy-valid",
        requires="A redrive policy must name an SQS queue and a maxReceiveCount that leaves room for retries.",
        remedy="set redrivePolicy to JSON with deadLetterTargetArn and an unquoted maxReceiveCount in the range.",
        pillar="REL05",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
        on=(aws.QUEUE, aws.REDRIVE_POLICY),
        settings=(
            whole("minReceives", 3, "Fewest receives before a message is moved; AWS advises 5 for Lambda.", 1),
            whole("maxReceives", 10, "Most receives before a message is moved.", 1),
        ),
        check=redrive_policy_valid,
    ),
    Rule(
        name="sqs-encrypted-at-rest",
        requires="Every queue must be encrypted at rest.",
        remedy="set kmsMasterKeyId to a customer-managed key and leave sqsManagedSseEnabled out.",
        pillar="SEC08",
        maps_to=("Security Hub SQS.1", "Checkov CKV_AWS_27", "cdk-nag SQS2"),
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html",
        on=(aws.QUEUE,),
        settings=(switch("requireCmk", "Whether the key must be customer-managed.", default=False),),
        check=queue_encrypted,
    ),
)
