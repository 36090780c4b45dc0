"""The pipeline as a Mermaid flowchart, told from the states of a preview."""

import re
from collections.abc import Sequence

from pulumi.runtime.proto import resource_pb2

from tools.recording.diagram import LEFT_OUT, SHAPES, mermaid
from tools.recording.graph import Graph, Resource
from tools.review.changes import State
from tools.review.differences import written

LIMIT = 12_000
"""Bytes; GitHub draws no larger flowchart well."""


def picture(before: Sequence[State], after: Sequence[State]) -> str | None:
    """The flowchart of the stack after a change, or None if the same is drawn before, or it cannot be drawn."""
    drawn = _drawn(after)
    if not after or drawn is None or drawn == _drawn(before) or len(drawn.encode()) > LIMIT:
        return None
    return f"```mermaid\n{drawn}```"


def _drawn(states: Sequence[State]) -> str | None:
    resources = tuple(_resource(state) for state in states if not state.custom or state.type in {*SHAPES, *LEFT_OUT})
    try:
        text = mermaid(Graph(stack="", preview=True, resources=resources, exports={}))
    except (KeyError, TypeError, ValueError):
        return None  # an arrow's label rests on a value that is not known yet
    return None if "`" in text else text  # a label could end the block that the picture is in


def _resource(state: State) -> Resource:
    properties = dict(state.inputs)
    if "redrivePolicy" in properties:
        properties["redrivePolicy"] = written(properties["redrivePolicy"])
    return Resource(
        type=state.type,
        name=re.sub(r"[^\w .-]", "_", state.name),
        urn=state.urn,
        custom=state.custom,
        request=resource_pb2.RegisterResourceRequest(),
        properties=properties,
        outputs={},
        parent=state.parent,
        dependencies=(),
        property_dependencies=state.sources,
        protect=state.protect,
    )
