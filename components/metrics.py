"""The CloudWatch time series of the pipeline, by the names under which AWS and our log filters publish them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi

# What there is of each: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/aws-services-cloudwatch-metrics.html

Name = pulumi.Input[str]
"""A physical name: what tells a resource's series from all others in the account."""


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One time series, and how its values are put together over a period."""

    namespace: str
    name: str
    statistic: str
    """`Sum`, `Maximum`, `Average`, or a percentile such as `p99`."""
    dimensions: Mapping[str, Name]


def of_topic(topic: Name, name: str) -> Metric:
    """A series of a topic."""
    return _metric("AWS/SNS", name, "Sum", TopicName=topic)


def of_queue(queue: Name, name: str) -> Metric:
    """A series of a queue."""
    return _metric("AWS/SQS", name, "Maximum", QueueName=queue)


def waiting_in(queue: Name) -> Metric:
    """Messages that a consumer could receive.

    `NumberOfMessagesSent` would not count what SQS itself moves into a dead-letter queue.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
    """
    return of_queue(queue, "ApproximateNumberOfMessagesVisible")


def of_function(function: Name, name: str, statistic: str = "Sum") -> Metric:
    """A series of a function."""
    return _metric("AWS/Lambda", name, statistic, FunctionName=function)


def of_table(table: Name, name: str) -> Metric:
    """A series of a table."""
    return _metric("AWS/DynamoDB", name, "Sum", TableName=table)


def of_writes(table: Name, name: str, statistic: str = "Sum") -> Metric:
    """A series that DynamoDB keeps for each operation of a table, for the only one that ProcessOrder calls."""
    return _metric("AWS/DynamoDB", name, statistic, TableName=table, Operation="BatchExecuteStatement")


def of_orders(scope: str, outcome: str) -> Metric:
    """How many messages ended as `stored`, `superseded`, `rejected` or `failed`.

    A log filter takes dimensions from the log line only, so it is the namespace that keeps two stacks apart.
    """
    return _metric(scope, outcome, "Sum")


def _metric(namespace: str, name: str, statistic: str, **dimensions: Name) -> Metric:
    return Metric(namespace=namespace, name=name, statistic=statistic, dimensions=dimensions)
