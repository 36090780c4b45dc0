"""Measures how long the program takes to record, and the policy pack to judge 100, 1,000 and 10,000 resources."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

from google.protobuf.json_format import MessageToJson, Parse
from pulumi.runtime.proto import resource_pb2

from bench.results import Target, spread
from local.graph import Graph, Resource, record
from local.policy import analyze, serve

SIZES = (100, 1000, 10_000)
QUICK_SIZES = (100,)
ROUNDS = {100: 5, 1000: 3, 10_000: 2}
ROOTS = re.compile(r"\b(OrderKey|OrderTopic|OrderQueue|OrderAlarms|ProcessOrder|Orders)")
"""The names that all others of the program start with."""


def measure(*, quick: bool) -> dict[str, Any]:
    """Record the program, then let one running pack judge copies of it, the sizes in turn."""
    recording = [_timed(lambda: record(stack="dev", preview=True)) for _ in range(3 if quick else 9)]
    graph = record(stack="dev", preview=True)
    sizes = QUICK_SIZES if quick else SIZES
    graphs = {size: copies(graph, size) for size in sizes}
    with serve(stack="dev", preview=True) as analyzer:
        started = time.perf_counter()
        analyze(analyzer, graphs[100])
        warming = time.perf_counter() - started
        rounds = [
            {size: analyze(analyzer, graphs[size]) for size in sizes if turn < (1 if quick else ROUNDS[size])}
            for turn in range(max(ROUNDS.values()))
        ]
    violations = sum(len(report.mandatory) for reports in rounds for report in reports.values())
    if violations:
        raise RuntimeError(f"copies of the program must break no mandatory rule, got {violations} violations")
    seconds = {size: [reports[size].seconds for reports in rounds if size in reports] for size in sizes}
    return {
        "resources": len(graph.resources),
        "rules": rounds[0][100].rules,
        "record_seconds": round(median(recording), 3),
        "first_analysis_seconds": round(warming, 3),
        "rows": [
            {
                "resources": size,
                "seconds": round(median(seconds[size]), 2),
                "ms_per_resource": round(median(seconds[size]) / size * 1000, 2),
            }
            for size in sizes
        ],
        "growth": {
            f"{large} over {small}": spread([b / a for a, b in zip(seconds[small], seconds[large], strict=False)])
            for small, large in pairwise(sizes)
            if len(seconds[large]) > 1
        },
    }


def _timed(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def copies(graph: Graph, size: int) -> Graph:
    """Repeat a recorded program under other names, each copy whole in itself, and fill up with keys to so many."""
    whole = size // len(graph.resources)
    [key] = graph.all("aws:kms/key:Key").values()
    resources = [_copy(resource, str(number)) for number in range(whole) for resource in graph.resources]
    keys = [_copy(key, str(whole + number)) for number in range(size - len(resources))]
    return replace(graph, resources=(*resources, *keys))


def _copy(resource: Resource, suffix: str) -> Resource:
    def renamed(value: Any) -> Any:
        return json.loads(ROOTS.sub(rf"\g<1>{suffix}", json.dumps(value)))

    text = ROOTS.sub(rf"\g<1>{suffix}", MessageToJson(resource.request))
    request = Parse(text, resource_pb2.RegisterResourceRequest())
    return replace(
        resource,
        name=renamed(resource.name),
        urn=renamed(resource.urn),
        request=request,
        properties=renamed(resource.properties),
        parent=renamed(resource.parent),
        dependencies=tuple(renamed(resource.dependencies)),
        property_dependencies={key: tuple(renamed(urns)) for key, urns in resource.property_dependencies.items()},
    )


def targets(result: dict[str, Any]) -> list[Target]:
    """The pack must not slow down as programs grow; the largest sizes are measured in a full run only."""
    growth = result["growth"].get("10000 over 1000")
    return [Target("policy analysis of 10,000 over 1,000 resources", growth["median"], at_most=11)] if growth else []
