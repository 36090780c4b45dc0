"""The alarms of the pipeline as data: what each watches, above which value it rings, and why there."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from components.metrics import Metric, of_function, of_orders, of_queue, of_table, of_topic, of_writes, waiting_in
from components.pipeline import Pipeline
from components.processor import Processor
from components.queue import Queue
from components.table import Table
from components.topic import Topic
from config import StackConfig


@dataclass(frozen=True, kw_only=True)
class Alarm:
    """One thing that can go wrong."""

    role: str
    """What goes wrong: the runbook's section, and the last part of the alarm's name."""
    says: str
    """The first sentence an operator reads."""
    metric: Metric
    threshold: int = 0
    """The alarm rings above this value, never at it."""
    periods: int = 1
    """Minutes that are looked at."""
    datapoints: int = 1
    """How many of them must be above the threshold."""
    of: str = ""
    """The queue or function that it watches; empty for those that store the orders."""

    @property
    def name(self) -> str:
        return f"{self.of}-{self.role}" if self.of else self.role


PERIOD = 60  # seconds: AWS publishes all of these series once a minute


def alarms(pipeline: Pipeline, settings: StackConfig) -> Iterator[Alarm]:
    """Every alarm, in the order in which an order passes what it watches, and then those of other consumers."""
    yield from _topic_alarms(pipeline.topic)
    yield from _queue_alarms(pipeline.queue, settings)
    yield from _function_alarms(pipeline.processor, settings)
    yield from _orders_alarms(pipeline.scope, settings)
    yield from _table_alarms(pipeline.table, settings)
    for other in pipeline.other_queues:
        yield from _named(other.label, _queue_alarms(other, settings))
    for function in pipeline.other_processors:
        yield from _named(function.label, _function_alarms(function, settings))


def longest_wait(queue: Queue, settings: StackConfig) -> int:
    """Seconds that a message may be in a queue: a visibility timeout for each attempt + the delay.

    SQS leaves a message out of the age of the oldest one once it has been received three times.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
    """
    return 3 * queue.visibility_timeout + settings.alarm_order_delay


def longest_run(processor: Processor, settings: StackConfig) -> int:
    """Milliseconds that the slowest hundredth of a function's runs may take: its share of the timeout."""
    return processor.timeout * 1000 * settings.alarm_duration_share // 100


def _named(name: str, found: Iterable[Alarm]) -> Iterator[Alarm]:
    return (replace(alarm, of=name) for alarm in found)


def _topic_alarms(topic: Topic) -> Iterator[Alarm]:
    # SNS has tried 100,015 times over 23 days before it gives up on SQS, unless the queue refuses: one is enough.
    # https://docs.aws.amazon.com/sns/latest/dg/sns-message-delivery-retries.html
    yield Alarm(
        role="topic-cannot-deliver",
        says="SNS could not deliver a message to a queue; it is, or is about to be, in the subscription's "
        "dead-letter queue.",
        metric=of_topic(topic.name, "NumberOfNotificationsFailed"),
    )
    # The only way in which an accepted order is lost, so it has no setting.
    yield Alarm(
        role="topic-loses-orders",
        says="SNS could neither deliver a message nor keep it in the subscription's dead-letter queue: it is lost "
        "unless the producer has it.",
        metric=of_topic(topic.name, "NumberOfNotificationsFailedToRedriveToDlq"),
    )
    yield Alarm(
        role="subscription-dead-letter-queue-not-empty",
        says="Messages that never reached the queue wait in the subscription's dead-letter queue, for 14 days.",
        metric=waiting_in(topic.dead_letter_queue_name),
    )


def _queue_alarms(queue: Queue, settings: StackConfig) -> Iterator[Alarm]:
    # Retries alone take a message no further than this, so above it the consumer does not keep up, or does not run.
    # Messages received three times are left out of the series: they show in the dead-letter queue.
    yield Alarm(
        role="orders-wait-too-long",
        says=f"The oldest message in {queue.label} is older than its retries explain: its consumer does not keep up.",
        metric=of_queue(queue.name, "ApproximateAgeOfOldestMessage"),
        threshold=longest_wait(queue, settings),
    )
    yield Alarm(
        role="dead-letter-queue-not-empty",
        says=f"Messages that could not be processed wait in {queue.label}-dlq, for 14 days.",
        metric=waiting_in(queue.dead_letter_queue_name),
    )


def _function_alarms(processor: Processor, settings: StackConfig) -> Iterator[Alarm]:
    name, function = processor.label, processor.function_name
    # A bad order does not make the handler raise: an error is a bug, too little memory, a time-out or a missing right.
    yield Alarm(
        role="function-errors",
        says=f"{name} crashed, timed out or could not start; its batch goes back to the queue.",
        metric=of_function(function, "Errors"),
        threshold=settings.alarm_function_errors,
    )
    # The mapping's maximum concurrency keeps pollers below what Lambda allows, so there is none to be expected; and
    # each costs every message of the batch one of its receives.
    # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
    yield Alarm(
        role="function-throttled",
        says=f"Lambda refused to run {name}: the account's concurrency is used up.",
        metric=of_function(function, "Throttles"),
    )
    # In three minutes of five: with few invocations a percentile is the slowest single one.
    yield Alarm(
        role="function-slow",
        says=f"{name} comes close to its timeout.",
        metric=of_function(function, "Duration", "p99"),
        threshold=longest_run(processor, settings),
        periods=5,
        datapoints=3,
    )


def _orders_alarms(scope: str, settings: StackConfig) -> Iterator[Alarm]:
    # Both ring at a message's first receive: by default three visibility timeouts, 9 minutes, before it reaches the
    # dead-letter queue.
    yield Alarm(
        role="orders-rejected",
        says="Messages break the order contract: a producer sends what can never be stored.",
        metric=of_orders(scope, "rejected"),
        threshold=settings.alarm_rejected_orders,
    )
    yield Alarm(
        role="orders-failed",
        says="ProcessOrder could not write valid orders, in spite of its own retries.",
        metric=of_orders(scope, "failed"),
        threshold=settings.alarm_failed_orders,
    )


def _table_alarms(table: Table, settings: StackConfig) -> Iterator[Alarm]:
    # ProcessOrder retries what is throttled or fails in DynamoDB, so neither matters before it lasts.
    # `ThrottledRequests` counts a batch only if every statement of it is throttled; this counts each write.
    yield Alarm(
        role="table-throttles-writes",
        says="DynamoDB throttles writes to Orders.",
        metric=of_table(table.name, "WriteThrottleEvents"),
        threshold=settings.alarm_throttled_writes,
        periods=5,
        datapoints=3,
    )
    yield Alarm(
        role="table-errors",
        says="DynamoDB answers writes to Orders with errors of its own (HTTP 500).",
        metric=of_writes(table.name, "SystemErrors"),
        periods=5,
        datapoints=3,
    )
