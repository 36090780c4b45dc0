"""Draws the recorded graph as a Mermaid flowchart: `python -m tools.recording.diagram [STACK]` prints it."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tools.recording.graph import Graph, Resource, record

SHAPES: Mapping[str, tuple[str, str]] = {
    "aws:cloudwatch/dashboard:Dashboard": ("dashboard", "[{}]"),
    "aws:cloudwatch/logGroup:LogGroup": ("log group", "[{}]"),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": ("log filter", "[{}]"),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("alarm", "[{}]"),
    "aws:dynamodb/table:Table": ("DynamoDB table", "[({})]"),
    "aws:kms/key:Key": ("KMS key", "{{{{{}}}}}"),
    "aws:lambda/function:Function": ("Lambda function", "({})"),
    "aws:sns/topic:Topic": ("SNS topic", ">{}]"),
    "aws:sqs/queue:Queue": ("SQS queue", "[[{}]]"),
}
"""What is drawn as a box: what it is called, and its outline in Mermaid's notation."""

LEFT_OUT = {
    "aws:iam/role:Role",
    "aws:iam/rolePolicy:RolePolicy",
    "aws:kms/alias:Alias",
    "aws:lambda/eventSourceMapping:EventSourceMapping",
    "aws:sns/topicPolicy:TopicPolicy",
    "aws:sns/topicSubscription:TopicSubscription",
    "aws:sqs/queuePolicy:QueuePolicy",
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy",
}
"""What is no box: it is an arrow, or a property of one of the boxes."""


@dataclass(frozen=True, kw_only=True)
class Arrow:
    """An arrow that a resource stands for, between what two of its inputs refer to."""

    source: str = ""
    """Input that refers to where it begins; empty: the resource itself."""
    target: str = ""
    """Input that refers to where it ends; empty: the resource itself."""
    label: Callable[[Mapping[str, Any]], str]
    line: str = "-->"


ARROWS: Mapping[str, tuple[Arrow, ...]] = {
    "aws:sns/topicSubscription:TopicSubscription": (
        Arrow(source="topic", target="endpoint", label=lambda given: f"delivers{_filtered(given)}"),
        Arrow(source="topic", target="redrivePolicy", label=lambda _: "cannot deliver", line="-.->"),
    ),
    "aws:sqs/queue:Queue": (
        Arrow(
            target="redrivePolicy",
            label=lambda given: f"after {json.loads(given['redrivePolicy'])['maxReceiveCount']} receives",
            line="-.->",
        ),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        Arrow(
            source="eventSourceArn",
            target="functionName",
            label=lambda given: (
                f"batches of {given['batchSize']}, {given['scalingConfig']['maximumConcurrency']} at once"
            ),
        ),
    ),
    "aws:lambda/function:Function": (
        Arrow(target="environment", label=lambda _: "newest version of each order"),
        Arrow(target="loggingConfig", label=lambda _: "a summary of each batch"),
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": (Arrow(source="logGroupName", label=lambda _: "counts"),),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        Arrow(source="dimensions", label=lambda _: "", line="-.-"),
        Arrow(target="alarmActions", label=lambda _: "notify"),
    ),
}


def _filtered(subscription: Mapping[str, Any]) -> str:
    """What a message must have to be delivered: ` kind audit` for `{"kind": ["audit"]}`."""
    policy = json.loads(subscription.get("filterPolicy") or "{}")
    wanted = (f" {name} {' or '.join(map(str, values))}" for name, values in policy.items())
    return re.sub(r"[^\w ,.:-]", "", ",".join(wanted))


def mermaid(graph: Graph) -> str:
    """The graph as the text of a flowchart, the same for the same graph.

    Raises ValueError that names the type of a resource which is neither a box, nor an arrow, nor left out.
    """
    unknown = {r.type for r in graph.resources if r.custom} - SHAPES.keys() - LEFT_OUT
    if unknown:
        raise ValueError(
            f"a resource type must be drawn or left out on purpose, got {', '.join(sorted(unknown))}: "
            "add it to SHAPES or LEFT_OUT in tools/recording/diagram.py"
        )
    boxes = _boxes(graph)
    arrows = sorted(set(_arrows(graph, boxes)))
    lines = ["flowchart LR", *_components(graph, boxes)]
    lines += [f"  {source} {line}{f'|{label}|' if label else ''} {target}" for source, target, line, label in arrows]
    lines += _outside(graph, boxes, arrows)
    return "\n".join(lines) + "\n"


def _boxes(graph: Graph) -> dict[str, str]:
    """The id of each drawn resource's box, by URN; the alarms of a component share one, as do its log filters."""
    merged = ("aws:cloudwatch/metricAlarm:MetricAlarm", "aws:cloudwatch/logMetricFilter:LogMetricFilter")
    return {
        r.urn: _id(f"{SHAPES[r.type][0]}s" if r.type in merged else r.name) for r in graph.resources if r.type in SHAPES
    }


def _components(graph: Graph, boxes: Mapping[str, str]) -> Iterator[str]:
    """Each component with the boxes in it; by name, because the order of registration varies."""
    by_name = sorted(graph.resources, key=lambda r: r.name)
    for component in by_name:
        inside: dict[str, list[Resource]] = {}
        for r in by_name:
            if r.parent == component.urn and r.urn in boxes:
                inside.setdefault(boxes[r.urn], []).append(r)
        if inside:
            yield f'  subgraph component_{_id(component.name)}["{component.type.split(":")[-1]} {component.name}"]'
            yield from (f"    {box}{_shape(resources)}" for box, resources in inside.items())
            yield "  end"


def _shape(resources: list[Resource]) -> str:
    kind, outline = SHAPES[resources[0].type]
    text = f"{len(resources)} {kind}s" if len(resources) > 1 else f"{resources[0].name}<br/>{kind}"
    return outline.format(f'"{text}"')


def _arrows(graph: Graph, boxes: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for r in graph.resources:
        for arrow in ARROWS.get(r.type, ()):
            sources, targets = (_ends(r, end) for end in (arrow.source, arrow.target))
            for source in sources:
                for target in targets:
                    if source in boxes and target in boxes:
                        yield boxes[source], boxes[target], arrow.line, arrow.label(r.properties)


def _ends(resource: Resource, input_: str) -> tuple[str, ...]:
    return resource.property_dependencies.get(input_, ()) if input_ else (resource.urn,)


def _outside(graph: Graph, boxes: Mapping[str, str], arrows: list[tuple[str, str, str, str]]) -> Iterator[str]:
    """Who publishes to a topic that nothing here feeds, and who reads a topic or queue that nothing here reads."""
    fed = {target for _, target, _, _ in arrows}
    read = {source for source, _, line, _ in arrows if line == "-->"}
    failed = {target for _, target, line, _ in arrows if line == "-.->"}
    for name, topic in sorted(graph.all("aws:sns/topic:Topic").items()):
        box = boxes[topic.urn]
        if box not in fed:
            yield f'  shop(["shop"]) -->|publishes| {box}'
        if box not in read:
            yield f'  {box} --> operators(["operators of {name}"])'
    for name, queue in sorted(graph.all("aws:sqs/queue:Queue").items()):
        box = boxes[queue.urn]
        if box not in read | failed:
            yield f'  {box} --> consumer_of_{box}(["consumer of {name}"])'


def _id(name: str) -> str:
    return re.sub(r"\W", "_", name)


if __name__ == "__main__":
    sys.stdout.write(mermaid(record(stack=(sys.argv[1:] or ["dev"])[0])))
