"""Which topic delivers to which queue, and where SNS puts what it cannot deliver."""

from typing import Any

from framework import aws
from framework.stack import Resource, Stack
from framework.values import UNKNOWN

_DEAD_LETTERS = ("redrivePolicy", "deadLetterTargetArn")


def topics_of(subscription: Resource, stack: Stack) -> list[Resource]:
    """Return the topic of a subscription, if it is in this stack."""
    return stack.pointed(subscription, aws.TOPIC, "topic")


def failing_to(dead_letters: Resource, stack: Stack) -> list[Resource]:
    """Return the subscriptions whose undeliverable messages go to a queue, leaving out those preview cannot tell of."""
    found = stack.pointing(dead_letters, aws.SUBSCRIPTION, *_DEAD_LETTERS)
    return [subscription for subscription in found if len(stack.pointed(subscription, aws.QUEUE, *_DEAD_LETTERS)) == 1]


def filled_by_topic(queue: Resource, stack: Stack) -> bool:
    """Whether SNS writes to a queue: as an endpoint or as a subscription's dead-letter queue."""
    return any(stack.pointing(queue, aws.SUBSCRIPTION, *path) for path in (("endpoint",), _DEAD_LETTERS))


def subscribed_topics(queue: Resource, stack: Stack, *path: str) -> list[tuple[Resource, Resource | None]]:
    """Return the subscriptions that name a queue under a path, each with its topic if that is in this stack."""
    pairs: list[tuple[Resource, Resource | None]] = []
    for subscription in stack.pointing(queue, aws.SUBSCRIPTION, *path):
        topics = topics_of(subscription, stack)
        pairs.append((subscription, topics[0] if len(topics) == 1 else None))
    return pairs


def topic_arn(subscription: Resource, topic: Resource | None) -> Any:
    """Return the ARN of a subscription's topic, or UNKNOWN."""
    arn = subscription.get("topic") if topic is None else topic.get("arn")
    return arn if isinstance(arn, str) else UNKNOWN
