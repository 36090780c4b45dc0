"""The recorded program in a form that cases can change, and how the engine shows it in three modes."""

import functools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from types import SimpleNamespace
from typing import Any

from framework.aws import ALARM, FUNCTION, KEY, LOG_GROUP, QUEUE, TABLE, TOPIC
from google.protobuf import struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import resource_pb2

from tests.defaults import bare
from tools.recording.graph import Graph, Resource, recorded_answer

_LEFT_OUT = ("aws:cloudwatch/dashboard:Dashboard", "aws:cloudwatch/logMetricFilter:LogMetricFilter")
REGION = "eu-west-1"


class Mode(Enum):
    """How much is known of what other resources tell."""

    UPDATE = "update"
    PREVIEW = "preview"
    """A first preview of this program: it spells names and most ARNs itself."""
    BLIND = "preview of a program that spells no ARN"
    """Whatever comes from another resource is unknown, and so is every text it is a part of."""


_SPELLED = (FUNCTION, LOG_GROUP, QUEUE, TABLE, TOPIC)
"""Types whose ARN the program makes of partition, region, account and name."""


@dataclass(frozen=True)
class Ref:
    """An output of another resource."""

    name: str
    output: str = "arn"


@dataclass(frozen=True)
class Untold(Ref):
    """An output of another resource that reaches an input by a way that tells of no dependency."""


@dataclass(frozen=True)
class Json:
    """A JSON text, which is unknown as a whole as soon as one part of it is."""

    value: Any


@dataclass(frozen=True, kw_only=True)
class Node:
    """One resource; its inputs say by Ref and Json where they come from."""

    type: str
    name: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    protect: bool = False

    def outputs(self) -> Mapping[str, str]:
        """What AWS would compute, under the bare name."""
        return _computed(self.type, self.name)

    def tells(self, output: str, mode: Mode) -> bool:
        """Whether an output is known to the resources that name this one."""
        spelled = output == "name" or (output == "arn" and self.type in _SPELLED)
        return mode is Mode.UPDATE or (mode is Mode.PREVIEW and spelled)


@functools.cache
def _computed(type_: str, name: str) -> Mapping[str, str]:
    arguments: Any = SimpleNamespace(typ=type_, name=name, inputs={}, provider="")
    id_, computed = recorded_answer(REGION)(arguments)
    return {**computed, "id": id_}


Pipeline = Mapping[str, Node]
Change = Callable[[Pipeline], Pipeline]


@functools.cache
def program() -> Pipeline:
    """What the program registers under its defaults, by name; of what watches it only the alarms of dead letters.

    The others are judged with the whole program, and here would take a third of the time.
    """
    by_urn = {each.urn: each for each in bare().resources}
    return {
        each.name: Node(
            type=each.type,
            name=each.name,
            inputs={
                key: _traced(value, [by_urn[urn] for urn in each.property_dependencies.get(key, ())])
                for key, value in each.properties.items()
                if key != "code"
            },
            protect=each.protect,
        )
        for each in by_urn.values()
        if each.custom and each.type not in _LEFT_OUT and (each.type != ALARM or each.name.endswith("not-empty"))
    }


def _traced(value: Any, sources: list[Resource]) -> Any:
    """A recorded value with the outputs of other resources marked as such."""
    refs: dict[str, Ref] = {}
    for each in sources:
        outputs = ("name", "url", "arn", *(["keyId"] if each.type == KEY else []))
        refs |= {each.outputs[output]: Ref(each.name, output) for output in outputs}
    if isinstance(value, str) and value.startswith("{") and sources:
        return Json(_mapped(json.loads(value), lambda leaf: refs.get(leaf, leaf)))
    return _mapped(value, lambda leaf: refs.get(leaf, leaf))


def _mapped(value: Any, change: Callable[[Any], Any]) -> Any:
    """A value with each of its leaves changed."""
    match value:
        case Json(inner):
            return Json(_mapped(inner, change))
        case dict():
            return {key: _mapped(item, change) for key, item in value.items()}
        case list():
            return [_mapped(item, change) for item in value]
    return change(value)


def pipeline(*changes: Change) -> Pipeline:
    """The program after some changes."""
    nodes = program()
    for change in changes:
        nodes = change(nodes)
    return nodes


def given(name: str, /, **inputs: Any) -> Change:
    """Set inputs of one resource; None removes one."""

    def change(nodes: Pipeline) -> Pipeline:
        merged = {key: value for key, value in {**nodes[name].inputs, **inputs}.items() if value is not None}
        return {**nodes, name: replace(nodes[name], inputs=merged)}

    return change


def without(*names: str) -> Change:
    """Remove resources."""

    def change(nodes: Pipeline) -> Pipeline:
        assert nodes.keys() >= set(names)
        return {name: node for name, node in nodes.items() if name not in names}

    return change


def added(type_: str, name: str, /, **inputs: Any) -> Change:
    """Add a resource."""
    return lambda nodes: {**nodes, name: Node(type=type_, name=name, inputs=inputs)}


def copies(nodes: Pipeline, count: int) -> Pipeline:
    """The pipeline several times over, side by side in one stack."""

    def renamed(leaf: Any, suffix: str) -> Any:
        return Ref(f"{leaf.name}{suffix}", leaf.output) if isinstance(leaf, Ref) else leaf

    suffixed = [
        replace(
            node,
            name=f"{node.name}-{copy}",
            inputs=_mapped(dict(node.inputs), functools.partial(renamed, suffix=f"-{copy}")),
        )
        for copy in range(count)
        for node in nodes.values()
    ]
    return {node.name: node for node in suffixed}


def _value(value: Any, nodes: Pipeline, mode: Mode) -> Any:
    match value:
        case Ref(name, output):
            return nodes[name].outputs()[output] if nodes[name].tells(output, mode) else rpc.UNKNOWN
        case Json(inner):
            hidden = any(not nodes[ref.name].tells(ref.output, mode) for ref in _refs(inner))
            return rpc.UNKNOWN if hidden else json.dumps(_value(inner, nodes, mode))
        case dict():
            return {key: _value(item, nodes, mode) for key, item in value.items()}
        case list():
            return [_value(item, nodes, mode) for item in value]
    return value


def _refs(value: Any) -> Iterator[Ref]:
    match value:
        case Ref():
            yield value
        case Json(inner):
            yield from _refs(inner)
        case dict():
            for item in value.values():
                yield from _refs(item)
        case list():
            for item in value:
                yield from _refs(item)


def graph(nodes: Pipeline, mode: Mode, *, stack: str = "dev") -> Graph:
    """The pipeline as a recorded run of a program."""
    unchanged = program()
    return Graph(
        stack=stack,
        preview=mode is not Mode.UPDATE,
        exports={},
        resources=tuple(
            _unchanged(name, mode, stack) if node is unchanged.get(name) else _recorded(node, nodes, mode, stack)
            for name, node in nodes.items()
        ),
    )


@functools.cache
def _unchanged(name: str, mode: Mode, stack: str) -> Resource:
    return _recorded(program()[name], program(), mode, stack)


def _recorded(node: Node, nodes: Pipeline, mode: Mode, stack: str) -> Resource:
    def urn(of: Node) -> str:
        return f"urn:pulumi:{stack}::orders::{of.type}::{of.name}"

    inputs = {key: _value(value, nodes, mode) for key, value in node.inputs.items()}
    outputs = {key: value for key, value in node.outputs().items() if mode is Mode.UPDATE or node.tells(key, mode)}
    object_ = struct_pb2.Struct()
    object_.update(inputs)
    dependencies = {
        key: tuple(dict.fromkeys(urn(nodes[ref.name]) for ref in _refs(value) if not isinstance(ref, Untold)))
        for key, value in node.inputs.items()
    }
    return Resource(
        type=node.type,
        name=node.name,
        urn=urn(node),
        custom=True,
        request=resource_pb2.RegisterResourceRequest(type=node.type, name=node.name, object=object_),
        properties=inputs,
        outputs={**outputs, **inputs},
        parent="",
        dependencies=(),
        property_dependencies=dependencies,
        protect=node.protect,
    )
