"""Which queue is whose dead-letter queue, however the program says so."""

import re

from framework import aws
from framework.stack import Resource, Stack
from framework.values import MISSING, inside, json_object

_QUEUE_ARN = re.compile(r"arn:aws[\w-]*:sqs:[a-z0-9-]+:\d{12}:[\w.-]+")

# Where a queue can be named as the place for what failed.
_DEAD_LETTER_TARGETS = (
    (aws.QUEUE, "redrivePolicy", "deadLetterTargetArn"),
    (aws.REDRIVE_POLICY, "redrivePolicy", "deadLetterTargetArn"),
    (aws.SUBSCRIPTION, "redrivePolicy", "deadLetterTargetArn"),
    (aws.FUNCTION, "deadLetterConfig", "targetArn"),
    (aws.INVOKE_CONFIG, "destinationConfig", "onFailure", "destination"),
    (aws.MAPPING, "destinationConfig", "onFailure", "destinationArn"),
    (aws.EVENT_TARGET, "deadLetterConfig", "arn"),
    (aws.EVENT_BUS, "deadLetterConfig", "arn"),
    (aws.SCHEDULE, "target", "deadLetterConfig", "arn"),
    ("aws:iot/topicRule:TopicRule", "errorAction", "sqs", "queueUrl"),
    (aws.PIPE, "sourceParameters", "dynamodbStreamParameters", "deadLetterConfig", "arn"),
    (aws.PIPE, "sourceParameters", "kinesisStreamParameters", "deadLetterConfig", "arn"),
)


def is_queue_arn(value: object) -> bool:
    """Whether a value is the ARN of an SQS queue."""
    return isinstance(value, str) and _QUEUE_ARN.fullmatch(value) is not None


def redrive_of(queue: Resource, stack: Stack) -> Resource | None:
    """Return the resource whose `redrivePolicy` is this queue's: itself, or a RedrivePolicy resource; None if none."""
    if queue.get("redrivePolicy") is not MISSING:
        return queue
    return next(iter(stack.pointing(queue, aws.REDRIVE_POLICY, "queueUrl")), None)


def redrive_allow_of(queue: Resource, stack: Stack) -> Resource | None:
    """Return the resource whose `redriveAllowPolicy` is this queue's; None if none."""
    if queue.get("redriveAllowPolicy") is not MISSING:
        return queue
    return next(iter(stack.pointing(queue, aws.REDRIVE_ALLOW_POLICY, "queueUrl")), None)


def dead_letter_queues_of(queue: Resource, stack: Stack) -> list[Resource]:
    """Return the queues of this stack that a queue redrives to; more than one only where preview cannot tell."""
    redrive = redrive_of(queue, stack)
    return stack.pointed(redrive, aws.QUEUE, "redrivePolicy", "deadLetterTargetArn") if redrive else []


def sources_of(dead_letters: Resource, stack: Stack) -> list[Resource]:
    """Return the queues that redrive to a queue, leaving out those of which preview cannot tell."""
    inline = stack.pointing(dead_letters, aws.QUEUE, "redrivePolicy", "deadLetterTargetArn")
    separate = stack.pointing(dead_letters, aws.REDRIVE_POLICY, "redrivePolicy", "deadLetterTargetArn")
    found = inline + [queue for via in separate for queue in stack.pointed(via, aws.QUEUE, "queueUrl")]
    return [queue for queue in found if len(dead_letter_queues_of(queue, stack)) == 1]


def is_dead_letter_queue(queue: Resource, stack: Stack) -> bool:
    """Whether anything names the queue as the place for what failed, or it says by itself which queues may."""
    if any(stack.pointing(queue, *target) for target in _DEAD_LETTER_TARGETS):
        return True
    allow = redrive_allow_of(queue, stack)
    policy = json_object(allow.get("redriveAllowPolicy")) if allow else MISSING
    return policy is not MISSING and inside(policy, "redrivePermission") != "denyAll"
