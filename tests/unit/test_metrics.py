"""Alarms and dashboard draw on time series that somebody publishes: AWS, or a filter over the handler's log."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from components.dashboard import OUTCOMES
from tests.defaults import recorded
from tools.recording.graph import Graph


class Series(NamedTuple):
    """What AWS documents of a metric."""

    dimensions: set[str]
    statistics: set[str]
    page: str


_SNS = "https://docs.aws.amazon.com/sns/latest/dg/sns-monitoring-using-cloudwatch.html"
_SQS = (
    "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html"
)
_LAMBDA = "https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html"
_DYNAMODB = "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html"
_ANY = {"Average", "Minimum", "Maximum", "Sum", "SampleCount"}
_COUNT = {"Sum", "SampleCount"}
_PERCENTILES = {"p50", "p90", "p95", "p99"}

PUBLISHED = {
    ("AWS/SNS", "NumberOfMessagesPublished"): Series({"TopicName"}, {"Sum"}, _SNS),
    ("AWS/SNS", "NumberOfNotificationsDelivered"): Series({"TopicName"}, {"Sum"}, _SNS),
    ("AWS/SNS", "NumberOfNotificationsFailed"): Series({"TopicName"}, {"Sum", "Average"}, _SNS),
    ("AWS/SNS", "NumberOfNotificationsFailedToRedriveToDlq"): Series({"TopicName"}, {"Sum", "Average"}, _SNS),
    ("AWS/SQS", "ApproximateNumberOfMessagesVisible"): Series({"QueueName"}, _ANY, _SQS),
    ("AWS/SQS", "ApproximateNumberOfMessagesNotVisible"): Series({"QueueName"}, _ANY, _SQS),
    ("AWS/SQS", "ApproximateAgeOfOldestMessage"): Series({"QueueName"}, _ANY, _SQS),
    ("AWS/Lambda", "Invocations"): Series({"FunctionName"}, {"Sum"}, _LAMBDA),
    ("AWS/Lambda", "Errors"): Series({"FunctionName"}, {"Sum"}, _LAMBDA),
    ("AWS/Lambda", "Throttles"): Series({"FunctionName"}, {"Sum"}, _LAMBDA),
    ("AWS/Lambda", "Duration"): Series({"FunctionName"}, {"Average", "Maximum"} | _PERCENTILES, _LAMBDA),
    ("AWS/Lambda", "ConcurrentExecutions"): Series({"FunctionName"}, {"Maximum"}, _LAMBDA),
    ("AWS/DynamoDB", "ConsumedWriteCapacityUnits"): Series({"TableName"}, _ANY, _DYNAMODB),
    ("AWS/DynamoDB", "WriteThrottleEvents"): Series({"TableName"}, _COUNT, _DYNAMODB),
    ("AWS/DynamoDB", "SystemErrors"): Series({"TableName", "Operation"}, _COUNT, _DYNAMODB),
    ("AWS/DynamoDB", "SuccessfulRequestLatency"): Series({"TableName", "Operation"}, _ANY - {"Sum"}, _DYNAMODB),
}
"""What AWS publishes, with the page that says so."""


def rung(graph: Graph) -> Iterator[tuple[str, str, dict[str, str], str]]:
    """Each series that an alarm watches: namespace, name, dimensions, statistic."""
    for alarm in graph.all("aws:cloudwatch/metricAlarm:MetricAlarm").values():
        given = alarm.properties
        statistic = given.get("statistic") or given["extendedStatistic"]
        yield given["namespace"], given["metricName"], given.get("dimensions", {}), statistic


def drawn(graph: Graph) -> Iterator[tuple[str, str, dict[str, str], str]]:
    """Each series of the dashboard, likewise."""
    (only,) = graph.all("aws:cloudwatch/dashboard:Dashboard").values()
    for widget in json.loads(only.properties["dashboardBody"])["widgets"]:
        for namespace, name, *dimensions, options in widget["properties"].get("metrics", []):
            yield namespace, name, dict(zip(dimensions[::2], dimensions[1::2], strict=True)), options["stat"]


def test_alarms_and_dashboard_use_series_that_aws_publishes() -> None:
    used = set()
    for namespace, name, dimensions, stat in [*rung(recorded()), *drawn(recorded())]:
        if namespace == "orders/dev":
            assert (name, dimensions, stat) in [(outcome, {}, "Sum") for outcome in OUTCOMES]
        else:
            used.add((namespace, name))
            documented = PUBLISHED[namespace, name]
            assert (name, set(dimensions)) == (name, documented.dimensions)
            assert (name, stat) in [(name, each) for each in documented.statistics]
    assert used == PUBLISHED.keys()


def test_whatever_rings_can_be_seen_on_the_dashboard() -> None:
    shown = [series[:3] for series in drawn(recorded())]
    assert all(series[:3] in shown for series in rung(recorded()))
