"""Draws the recorded graph as a Mermaid flowchart: `python -m tools.recording.diagram [STACK]` prints it."""

import re
import sys
from collections.abc import Iterator, Mapping

from tools.recording.graph import Graph, Resource, record
from tools.recording.types import TYPES, type_of


def mermaid(graph: Graph) -> str:
    """The graph as the text of a flowchart, the same for the same graph.

    Raises ValueError that names the type of a resource which is neither a box, nor an arrow, nor left out.
    """
    unknown = {r.type for r in graph.resources if r.custom} - TYPES.keys()
    if unknown:
        raise ValueError(
            f"a resource type must be drawn or left out on purpose, got {', '.join(sorted(unknown))}: "
            "add a row for it to tools/recording/types.py"
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
        r.urn: _id(f"{kind}s" if r.type in merged else r.name)
        for r in graph.resources
        for kind, _ in [type_of(r.type).box]
        if kind
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
    kind, outline = type_of(resources[0].type).box
    text = f"{len(resources)} {kind}s" if len(resources) > 1 else f"{resources[0].name}<br/>{kind}"
    return outline.format(f'"{text}"')


def _arrows(graph: Graph, boxes: Mapping[str, str]) -> Iterator[tuple[str, str, str, str]]:
    for r in graph.resources:
        for arrow in type_of(r.type).arrows:
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
