"""Measures how long the program takes to record, and the policy pack to judge 100, 1,000 and 10,000 resources."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from statistics import median
from typing import Any

import psutil
from google.protobuf.json_format import MessageToJson, Parse
from pulumi.runtime.proto import analyzer_pb2_grpc, resource_pb2

from tests.bench.results import Target, spread
from tools.recording.graph import Graph, Resource, record
from tools.recording.pack import analyze, serve

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
        first = _analyze(analyzer, graphs[100])
        rounds = [
            {size: _analyze(analyzer, graphs[size]) for size in sizes if turn < (1 if quick else ROUNDS[size])}
            for turn in range(max(ROUNDS.values()))
        ]
    turns = {size: [turn[size] for turn in rounds if size in turn] for size in sizes}
    return {
        "resources": len(graph.resources),
        "rules": first["rules"],
        "record_seconds": round(median(recording), 3),
        "first_analysis_seconds": round(first["wall"], 3),
        "rows": [
            {
                "resources": size,
                "seconds": round(median(turn["wall"] for turn in turns[size]), 2),
                "cpu_ms_per_resource": round(median(turn["cpu"] for turn in turns[size]) / size * 1000, 2),
            }
            for size in sizes
        ],
        "growth": {
            f"{large} over {small}": _growth(turns[small], turns[large])
            for small, large in pairwise(sizes)
            if len(turns[large]) > 1
        },
    }


def _timed(function: Callable[[], object]) -> float:
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def _analyze(analyzer: analyzer_pb2_grpc.AnalyzerStub, graph: Graph) -> dict[str, float]:
    """Judge a program, and say how long that took and how much CPU of both processes, the pack's and this one."""
    cpu = _cpu()
    report = analyze(analyzer, graph)
    if report.mandatory:
        raise RuntimeError(f"copies of the program must break no mandatory rule, got {report.mandatory[0]}")
    return {"wall": report.seconds, "cpu": _cpu() - cpu, "rules": report.rules}


def _cpu() -> float:
    packs = [child.cpu_times() for child in psutil.Process().children()]
    return time.process_time() + sum(each.user + each.system for each in packs)


def _growth(small: list[dict[str, float]], large: list[dict[str, float]]) -> dict[str, float]:
    return spread([more["cpu"] / less["cpu"] for less, more in zip(small, large, strict=False)])


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
    """The pack must not slow down as programs grow, by its CPU time; a quick run leaves the large ones out."""
    growth = result["growth"].get("10000 over 1000")
    return [Target("policy analysis of 10,000 over 1,000 resources", growth["median"], at_most=11)] if growth else []
