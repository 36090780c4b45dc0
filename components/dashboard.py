"""The dashboard: from top to bottom what an order passes, from left to right what matters there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi

from components.alarms import PERIOD, longest_run, longest_wait
from components.metrics import Metric, of_function, of_orders, of_queue, of_table, of_topic, of_writes, waiting_in
from components.pipeline import Pipeline
from components.processor import Processor
from components.queue import Queue
from components.table import Table
from components.topic import Topic
from config import StackConfig

WIDTH = 24
"""Columns of a dashboard. https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html"""
HEIGHT = 6  # grid units of a graph
OUTCOMES = {"stored": "#2ca02c", "superseded": "#7f7f7f", "rejected": "#ff7f0e", "failed": "#d62728"}
"""What can become of a message, and the colour it has."""


@dataclass(frozen=True)
class Graph:
    """One widget: some time series over the same axis."""

    title: str
    metrics: tuple[Metric, ...]
    alarm_at: int | None = None
    """Threshold of an alarm, drawn as a line."""
    colours: tuple[str, ...] = ()


def dashboard_body(
    pipeline: Pipeline, settings: StackConfig, region: str, alarm_arns: Sequence[pulumi.Input[str]]
) -> pulumi.Output[str]:
    """The dashboard as the JSON that CloudWatch stores."""
    alarms = {"title": pipeline.scope, "alarms": list(alarm_arns)}
    widgets: list[dict[str, Any]] = [
        {"type": "alarm", "x": 0, "y": 0, "width": WIDTH, "height": 4, "properties": alarms}
    ]
    for row, graphs in enumerate(_rows(pipeline, settings)):
        width = WIDTH // len(graphs)
        for column, graph in enumerate(graphs):
            place = {"x": column * width, "y": 4 + row * HEIGHT, "width": width, "height": HEIGHT}
            widgets.append({"type": "metric", **place, "properties": _properties(graph, region)})
    return pulumi.Output.json_dumps({"widgets": widgets})


def _rows(pipeline: Pipeline, settings: StackConfig) -> tuple[tuple[Graph, ...], ...]:
    return (
        _topic_row(pipeline.topic),
        _queue_row("2 · Queue", "2 · Dead-letter queue", pipeline.queue, settings),
        _function_row("3 · Function", pipeline.processor, settings),
        _orders_row(pipeline.scope),
        _table_row(pipeline.table),
        *(_queue_row(other.label, f"{other.label}-dlq", other, settings) for other in pipeline.other_queues),
        *(_function_row(other.label, other, settings) for other in pipeline.other_processors),
    )


def _topic_row(topic: Topic) -> tuple[Graph, ...]:
    series = (
        "NumberOfMessagesPublished",
        "NumberOfNotificationsDelivered",
        "NumberOfNotificationsFailed",
        "NumberOfNotificationsFailedToRedriveToDlq",
    )
    return (
        Graph("1 · Topic: published, delivered, failed", tuple(of_topic(topic.name, name) for name in series)),
        Graph("1 · Subscription's dead-letter queue", (waiting_in(topic.dead_letter_queue_name),)),
    )


def _queue_row(title: str, dead_letters: str, queue: Queue, settings: StackConfig) -> tuple[Graph, ...]:
    return (
        Graph(
            f"{title}: waiting, in flight",
            (waiting_in(queue.name), of_queue(queue.name, "ApproximateNumberOfMessagesNotVisible")),
        ),
        Graph(
            f"{title}: age of the oldest message (s)",
            (of_queue(queue.name, "ApproximateAgeOfOldestMessage"),),
            alarm_at=longest_wait(queue, settings),
        ),
        Graph(dead_letters, (waiting_in(queue.dead_letter_queue_name),)),
    )


def _function_row(title: str, processor: Processor, settings: StackConfig) -> tuple[Graph, ...]:
    function = processor.function_name
    return (
        Graph(
            f"{title}: invocations, errors, throttles",
            tuple(of_function(function, name) for name in ("Invocations", "Errors", "Throttles")),
        ),
        Graph(
            f"{title}: duration (ms)",
            (of_function(function, "Duration", "p50"), of_function(function, "Duration", "p99")),
            alarm_at=longest_run(processor, settings),
        ),
        Graph(f"{title}: running at the same time", (of_function(function, "ConcurrentExecutions", "Maximum"),)),
    )


def _orders_row(scope: str) -> tuple[Graph, ...]:
    return (
        Graph(
            "4 · Orders: stored, superseded, rejected, failed",
            tuple(of_orders(scope, outcome) for outcome in OUTCOMES),
            colours=tuple(OUTCOMES.values()),
        ),
    )


def _table_row(table: Table) -> tuple[Graph, ...]:
    latency = "SuccessfulRequestLatency"
    return (
        Graph("5 · Table: write units", (of_table(table.name, "ConsumedWriteCapacityUnits"),)),
        Graph(
            "5 · Table: throttled writes, system errors",
            (of_table(table.name, "WriteThrottleEvents"), of_writes(table.name, "SystemErrors")),
        ),
        Graph(
            "5 · Table: latency of a batch (ms)",
            tuple(of_writes(table.name, latency, statistic) for statistic in ("Average", "Maximum")),
        ),
    )


def _properties(graph: Graph, region: str) -> dict[str, Any]:
    colours = graph.colours or (None,) * len(graph.metrics)
    properties: dict[str, Any] = {
        "title": graph.title,
        "region": region,
        "view": "timeSeries",
        "period": PERIOD,
        "yAxis": {"left": {"min": 0}},
        "metrics": [_series(*each) for each in zip(graph.metrics, colours, strict=True)],
    }
    if graph.alarm_at is not None:
        properties["annotations"] = {"horizontal": [{"label": "alarm", "value": graph.alarm_at}]}
    return properties


def _series(metric: Metric, colour: str | None) -> list[Any]:
    """A time series in the notation of a dashboard: namespace, name, dimensions, options."""
    dimensions = [part for dimension in metric.dimensions.items() for part in dimension]
    options = {"stat": metric.statistic} | ({} if colour is None else {"color": colour})
    return [metric.namespace, metric.name, *dimensions, options]
