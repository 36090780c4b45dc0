"""Each setting reaches what it names and nothing else: exactly these inputs of these resources change with it."""

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.defaults import DEFAULTS, record_defaults

BOUNDARY = "arn:aws:iam::123456789012:policy/orders-boundary"
RUNBOOK = "https://example.com/runbook"


@functools.cache
def inputs(key: str = "", value: str = "") -> Mapping[str, Any]:
    """Every input of the pipeline by its path, with one setting changed; documents count field by field."""
    graph = record_defaults(config={f"orders:{key}": value} if key else {})
    found = {
        path: leaf
        for resource in graph.resources
        for path, leaf in leaves(resource.name, {**resource.properties, "protect": resource.protect or None})
    }
    # On the dashboard the graphs of other consumers come last, without a number in their titles.
    others = tuple(
        path.removesuffix("title")
        for path, text in found.items()
        if path.endswith(".properties.title") and text != "orders/dev" and " · " not in text
    )
    return {path: leaf for path, leaf in found.items() if not path.startswith(others)}


def leaves(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, str) and value.startswith("{") and path.split(".")[-1] != "pattern":
        value = json.loads(value)
    if isinstance(value, Mapping | list):
        parts = value.items() if isinstance(value, Mapping) else enumerate(value)
        for name, part in parts:
            yield from leaves(f"{path}.{name}", part)
    elif value is not None:
        yield path, value


def waits_too_long(seconds: int) -> dict[str, Any]:
    return {"OrderAlarms-orders-wait-too-long.threshold": seconds, line_of("2 · Queue: age of the oldest"): seconds}


def too_slow(milliseconds: int) -> dict[str, Any]:
    return {"OrderAlarms-function-slow.threshold": milliseconds, line_of("3 · Function: duration"): milliseconds}


def line_of(title: str) -> str:
    """The path of the threshold that is drawn into a graph of the dashboard."""
    (widget,) = [path for path, text in inputs().items() if path.endswith(".title") and str(text).startswith(title)]
    return widget.removesuffix("title") + "annotations.horizontal.0.value"


def rows() -> dict[str, tuple[str, dict[str, Any]]]:
    """For each setting another value than its default, and every input that then differs."""
    queues = ("OrderQueue", "OrderQueue-dlq", "OrderTopic-dlq")
    delivering = ("OrderTopic", "OrderQueue-subscription", "ProcessOrder-mapping")
    email = {"protocol": "email", "endpoint": "ops@example.com", "topic": inputs()["OrderAlarms-policy.arn"]}
    described = [path for path in inputs() if path.endswith(".alarmDescription")]
    return {
        "maxReceiveCount": ("5", {"OrderQueue.redrivePolicy.maxReceiveCount": 5}),
        "functionTimeout": (
            "60",
            {"ProcessOrder.timeout": 60, "OrderQueue.visibilityTimeoutSeconds": 360}
            | waits_too_long(3 * 360 + 120)
            | too_slow(48_000),
        ),
        "functionMemory": ("1024", {"ProcessOrder.memorySize": 1024}),
        "batchSize": ("5", {"ProcessOrder-mapping.batchSize": 5}),
        "batchingWindow": (
            "2",
            {"ProcessOrder-mapping.maximumBatchingWindowInSeconds": 2, "OrderQueue.visibilityTimeoutSeconds": 182}
            | waits_too_long(3 * 182 + 120),
        ),
        "maximumConcurrency": ("20", {"ProcessOrder-mapping.scalingConfig.maximumConcurrency": 20}),
        "logRetention": ("365", {"ProcessOrder-logs.retentionInDays": 365}),
        "protectData": (
            "true",
            {f"{name}.protect": True for name in ("OrderKey", "Orders", *queues, *delivering)}
            | {"Orders.deletionProtectionEnabled": True},
        ),
        "runtime": ("python3.13", {"ProcessOrder.runtime": "python3.13"}),
        "architecture": ("x86_64", {"ProcessOrder.architectures.0": "x86_64"}),
        "logLevel": ("DEBUG", {"ProcessOrder.loggingConfig.applicationLogLevel": "DEBUG"}),
        "permissionsBoundary": (BOUNDARY, {"ProcessOrder-role.permissionsBoundary": BOUNDARY}),
        "alarmEmail": ("ops@example.com", {f"OrderAlarms-email.{name}": value for name, value in email.items()}),
        "alarmRunbook": (
            RUNBOOK,
            {path: inputs()[path].replace("docs/runbook.md", RUNBOOK) for path in described},
        ),
        "alarmOrderDelay": ("60", waits_too_long(3 * 180 + 60)),
        "alarmDurationShare": ("50", too_slow(15_000)),
        "alarmFunctionErrors": ("7", {"OrderAlarms-function-errors.threshold": 7}),
        "alarmThrottledWrites": ("7", {"OrderAlarms-table-throttles-writes.threshold": 7}),
        "alarmRejectedOrders": ("7", {"OrderAlarms-orders-rejected.threshold": 7}),
        "alarmFailedOrders": ("7", {"OrderAlarms-orders-failed.threshold": 7}),
    }


def test_every_setting_has_its_row() -> None:
    assert {f"orders:{key}" for key in rows()} == DEFAULTS.keys()


@pytest.mark.parametrize("key", [key.removeprefix("orders:") for key in DEFAULTS])
def test_a_setting_changes_what_it_names_and_nothing_else(key: str) -> None:
    value, expected = rows()[key]
    before, after = inputs(), inputs(key, value)
    assert {
        path: after.get(path) for path in before.keys() | after.keys() if before.get(path) != after.get(path)
    } == expected
