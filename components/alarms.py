"""The alarms of the pipeline as data: what each watches, above which value it rings, and why there."""

from collections.abc import Iterator
from dataclasses import dataclass

from components.metrics import Metric, Pipeline


@dataclass(frozen=True, kw_only=True)
class Thresholds:
    """The values above which an alarm rings; counts are per minute."""

    oldest_message_age: int
    """Seconds that an order may wait in the queue."""
    function_duration: int
    """Milliseconds that the slowest hundredth of invocations may take."""
    function_errors: int
    """Invocations."""
    throttled_writes: int
    """Writes."""
    rejected_orders: int
    """Messages."""
    failed_orders: int
    """Messages."""


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One thing that can go wrong."""

    role: str
    """What goes wrong; the last part of the alarm's name and the runbook's section."""
    says: str
    """The first sentence an operator reads."""
    metric: Metric
    threshold: int
    """The alarm rings above this value, never at it."""
    periods: int = 1
    """Minutes that are looked at."""
    datapoints: int = 1
    """How many of them must be above the threshold."""


PERIOD = 60
"""Seconds. AWS publishes all of these series once a minute."""


def alarms(pipeline: Pipeline, thresholds: Thresholds) -> Iterator[Alarm]:
    """Every alarm, in the order in which an order passes what it watches."""
    yield from _of_topic(pipeline)
    yield from _of_queue(pipeline, thresholds)
    yield from _of_function(pipeline, thresholds)
    yield from _of_orders(pipeline, thresholds)
    yield from _of_table(pipeline, thresholds)


def _of_topic(pipeline: Pipeline) -> Iterator[Alarm]:
    # SNS has tried 100,015 times over 23 days before it gives up on SQS, unless the queue refuses: one is enough.
    # https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
    yield Alarm(
        role="topic-cannot-deliver",
        says="SNS could not deliver an order to the queue; it is, or is about to be, in the subscription's "
        "dead-letter queue.",
        metric=pipeline.of_topic("NumberOfNotificationsFailed"),
        threshold=0,
    )
    # The only way in which an accepted order is lost, so it has no knob.
    yield Alarm(
        role="topic-loses-orders",
        says="SNS could neither deliver an order nor keep it in the subscription's dead-letter queue: it is lost "
        "unless the producer has it.",
        metric=pipeline.of_topic("NumberOfNotificationsFailedToRedriveToDlq"),
        threshold=0,
    )
    yield Alarm(
        role="subscription-dead-letter-queue-not-empty",
        says="Orders that never reached the queue wait in the subscription's dead-letter queue, for 14 days.",
        metric=pipeline.waiting_in(pipeline.subscription_dead_letter_queue),
        threshold=0,
    )


def _of_queue(pipeline: Pipeline, thresholds: Thresholds) -> Iterator[Alarm]:
    # Retries alone take an order no further than this, so above it the function does not keep up, or does not run.
    # Orders received three times are left out of the series: they show in the dead-letter queue.
    yield Alarm(
        role="orders-wait-too-long",
        says="The oldest order in the queue is older than its retries explain: the function does not keep up.",
        metric=pipeline.of_queue("ApproximateAgeOfOldestMessage", pipeline.queue),
        threshold=thresholds.oldest_message_age,
    )
    yield Alarm(
        role="dead-letter-queue-not-empty",
        says="Orders that could not be processed wait in the dead-letter queue, for 14 days.",
        metric=pipeline.waiting_in(pipeline.dead_letter_queue),
        threshold=0,
    )


def _of_function(pipeline: Pipeline, thresholds: Thresholds) -> Iterator[Alarm]:
    # A bad order does not make the handler raise: an error is a bug, too little memory, a time-out or a missing right.
    yield Alarm(
        role="function-errors",
        says="ProcessOrder crashed, timed out or could not start; its batch goes back to the queue.",
        metric=pipeline.of_function("Errors"),
        threshold=thresholds.function_errors,
    )
    # The mapping's maximum concurrency keeps pollers below what Lambda allows, so there is none to be expected; and
    # each costs every message of the batch one of its receives.
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
    yield Alarm(
        role="function-throttled",
        says="Lambda refused to run ProcessOrder: the account's concurrency is used up.",
        metric=pipeline.of_function("Throttles"),
        threshold=0,
    )
    # In three minutes of five: with few invocations a percentile is the slowest single one.
    yield Alarm(
        role="function-slow",
        says="ProcessOrder comes close to its timeout.",
        metric=pipeline.of_function("Duration", "p99"),
        threshold=thresholds.function_duration,
        periods=5,
        datapoints=3,
    )


def _of_orders(pipeline: Pipeline, thresholds: Thresholds) -> Iterator[Alarm]:
    # Both ring at a message's first receive: by default three visibility timeouts, 9 minutes, before it reaches the
    # dead-letter queue.
    yield Alarm(
        role="orders-rejected",
        says="Messages break the order contract: a producer sends what can never be stored.",
        metric=pipeline.orders("rejected"),
        threshold=thresholds.rejected_orders,
    )
    yield Alarm(
        role="orders-failed",
        says="ProcessOrder could not write valid orders, in spite of its own retries.",
        metric=pipeline.orders("failed"),
        threshold=thresholds.failed_orders,
    )


def _of_table(pipeline: Pipeline, thresholds: Thresholds) -> Iterator[Alarm]:
    # ProcessOrder retries what is throttled or fails in DynamoDB, so neither matters before it lasts.
    # `ThrottledRequests` counts a batch only if every statement of it is throttled; this counts each write.
    yield Alarm(
        role="table-throttles-writes",
        says="DynamoDB throttles writes to Orders.",
        metric=pipeline.of_table("WriteThrottleEvents"),
        threshold=thresholds.throttled_writes,
        periods=5,
        datapoints=3,
    )
    yield Alarm(
        role="table-errors",
        says="DynamoDB answers writes to Orders with errors of its own (HTTP 500).",
        metric=pipeline.of_writes("SystemErrors"),
        threshold=0,
        periods=5,
        datapoints=3,
    )
