"""The dashboard: from top to bottom what an order passes, from left to right what matters there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.alarms import Thresholds
from components.metrics import Metric, Pipeline

WIDTH = 24
"""Columns of a dashboard. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""
HEIGHT = 6
"""Grid units of a graph."""
OUTCOMES = {"stored": "#2ca02c", "superseded": "#7f7f7f", "rejected": "#ff7f0e", "failed": "#d62728"}
"""What can become of a message, and the colour it has."""


@dataclass(frozen=True, kw_only=True)
class Graph:
    """One widget: some time series over the same axis."""

    title: str
    metrics: tuple[Metric, ...]
    alarm_at: int | None = None
    """Threshold of an alarm, drawn as a line."""
    colours: tuple[str, ...] = ()


def dashboard_body(
    title: str, region: str, pipeline: Pipeline, thresholds: Thresholds, alarm_arns: Sequence[pulumi.Input[str]]
) -> pulumi.Output[str]:
    """The dashboard as the JSON that CloudWatch stores."""
    alarms = {"title": title, "alarms": list(alarm_arns)}
    widgets: list[dict[str, Any]] = [
        {"type": "alarm", "x": 0, "y": 0, "width": WIDTH, "height": 4, "properties": alarms}
    ]
    for row, graphs in enumerate(_rows(pipeline, thresholds)):
        width = WIDTH // len(graphs)
        for column, graph in enumerate(graphs):
            place = {"x": column * width, "y": 4 + row * HEIGHT, "width": width, "height": HEIGHT}
            widgets.append({"type": "metric", **place, "properties": _properties(graph, region)})
    return pulumi.Output.json_dumps({"widgets": widgets})


def _rows(pipeline: Pipeline, thresholds: Thresholds) -> Iterator[tuple[Graph, ...]]:
    of_topic, of_queue, of_function = pipeline.of_topic, pipeline.of_queue, pipeline.of_function
    yield (
        Graph(
            title="1 · Topic: published, delivered, failed",
            metrics=(
                of_topic("NumberOfMessagesPublished"),
                of_topic("NumberOfNotificationsDelivered"),
                of_topic("NumberOfNotificationsFailed"),
                of_topic("NumberOfNotificationsFailedToRedriveToDlq"),
            ),
        ),
        Graph(
            title="1 · Subscription's dead-letter queue",
            metrics=(pipeline.waiting_in(pipeline.subscription_dead_letter_queue),),
        ),
    )
    yield (
        Graph(
            title="2 · Queue: waiting, in flight",
            metrics=(
                pipeline.waiting_in(pipeline.queue),
                of_queue("ApproximateNumberOfMessagesNotVisible", pipeline.queue),
            ),
        ),
        Graph(
            title="2 · Queue: age of the oldest order (s)",
            metrics=(of_queue("ApproximateAgeOfOldestMessage", pipeline.queue),),
            alarm_at=thresholds.oldest_message_age,
        ),
        Graph(title="2 · Dead-letter queue", metrics=(pipeline.waiting_in(pipeline.dead_letter_queue),)),
    )
    yield (
        Graph(
            title="3 · Function: invocations, errors, throttles",
            metrics=(of_function("Invocations"), of_function("Errors"), of_function("Throttles")),
        ),
        Graph(
            title="3 · Function: duration (ms)",
            metrics=(of_function("Duration", "p50"), of_function("Duration", "p99")),
            alarm_at=thresholds.function_duration,
        ),
        Graph(
            title="3 · Function: running at the same time",
            metrics=(of_function("ConcurrentExecutions", "Maximum"),),
        ),
    )
    yield (
        Graph(
            title="4 · Orders: stored, superseded, rejected, failed",
            metrics=tuple(pipeline.orders(outcome) for outcome in OUTCOMES),
            colours=tuple(OUTCOMES.values()),
        ),
    )
    yield (
        Graph(title="5 · Table: write units", metrics=(pipeline.of_table("ConsumedWriteCapacityUnits"),)),
        Graph(
            title="5 · Table: throttled writes, system errors",
            metrics=(pipeline.of_table("WriteThrottleEvents"), pipeline.of_writes("SystemErrors")),
        ),
        Graph(
            title="5 · Table: latency of a batch (ms)",
            metrics=(
                pipeline.of_writes("SuccessfulRequestLatency", "Average"),
                pipeline.of_writes("SuccessfulRequestLatency", "Maximum"),
            ),
        ),
    )


def _properties(graph: Graph, region: str) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "title": graph.title,
        "region": region,
        "view": "timeSeries",
        "period": 60,
        "yAxis": {"left": {"min": 0}},
        "metrics": [_series(metric, colour) for metric, colour in _coloured(graph)],
    }
    if graph.alarm_at is not None:
        properties["annotations"] = {"horizontal": [{"label": "alarm", "value": graph.alarm_at}]}
    return properties


def _coloured(graph: Graph) -> Iterator[tuple[Metric, str | None]]:
    colours = graph.colours or (None,) * len(graph.metrics)
    return zip(graph.metrics, colours, strict=True)


def _series(metric: Metric, colour: str | None) -> list[Any]:
    """A time series in the notation of a dashboard: namespace, name, dimensions, options."""
    dimensions = [part for dimension in metric.dimensions.items() for part in dimension]
    options = {"stat": metric.statistic} | ({} if colour is None else {"color": colour})
    return [metric.namespace, metric.name, *dimensions, options]
