"""The CloudWatch time series of the pipeline, by the names under which AWS and our log filters publish them."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One time series, and how its values are put together over a period."""

    namespace: str
    name: str
    statistic: str
    """`Sum`, `Maximum`, `Average`, or a percentile such as `p99`."""
    dimensions: Mapping[str, pulumi.Input[str]]


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """The physical names that tell this stack's time series from all others in the account."""

    topic: pulumi.Input[str]
    subscription_dead_letter_queue: pulumi.Input[str]
    queue: pulumi.Input[str]
    dead_letter_queue: pulumi.Input[str]
    function: pulumi.Input[str]
    table: pulumi.Input[str]
    namespace: str
    """Namespace of the order counts: a log filter takes dimensions from the log line only, so it is the namespace that
    keeps two stacks apart."""

    def of_topic(self, name: str) -> Metric:
        """A series of the topic.

        https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html
        """
        return _metric("AWS/SNS", name, "Sum", TopicName=self.topic)

    def of_queue(self, name: str, queue: pulumi.Input[str]) -> Metric:
        """A series of one of the queues.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
        """
        return _metric("AWS/SQS", name, "Maximum", QueueName=queue)

    def waiting_in(self, queue: pulumi.Input[str]) -> Metric:
        """Messages that a consumer could receive.

        `NumberOfMessagesSent` would not count what SQS itself moves into a dead-letter queue.
        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html
        """
        return self.of_queue("ApproximateNumberOfMessagesVisible", queue)

    def of_function(self, name: str, statistic: str = "Sum") -> Metric:
        """A series of the function.

        https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
        """
        return _metric("AWS/Lambda", name, statistic, FunctionName=self.function)

    def of_table(self, name: str) -> Metric:
        """A series of the table.

        https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
        """
        return _metric("AWS/DynamoDB", name, "Sum", TableName=self.table)

    def of_writes(self, name: str, statistic: str = "Sum") -> Metric:
        """A series that DynamoDB keeps for each operation of a table, for the only one that the function calls."""
        return _metric("AWS/DynamoDB", name, statistic, TableName=self.table, Operation="BatchExecuteStatement")

    def orders(self, outcome: str) -> Metric:
        """How many messages ended as `stored`, `superseded`, `rejected` or `failed`."""
        return _metric(self.namespace, outcome, "Sum")


def _metric(namespace: str, name: str, statistic: str, **dimensions: pulumi.Input[str]) -> Metric:
    return Metric(namespace=namespace, name=name, statistic=statistic, dimensions=dimensions)
