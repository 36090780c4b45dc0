"""Changes to a recorded run of the real program, as if its source had been changed, in both modes."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from framework.stack import PERMISSION
from google.protobuf import struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import resource_pb2

from recording.graph import Graph, Resource

Mutation = Callable[[Graph], Graph]


def mutated(type_: str, name: str, *, free_of: Mapping[str, str] | None = None, **inputs: Any) -> Mutation:
    """Set inputs of one resource to values that are known; None removes one. Their dependencies go with them.

    `free_of` removes only a dependency from a property: in preview that is all there is to see of a text.
    """

    def mutate(graph: Graph) -> Graph:
        target = graph.one(type_, name)
        dependencies = {key: urns for key, urns in target.property_dependencies.items() if key not in inputs}
        dependencies |= {key: () for key, value in inputs.items() if value is not None}
        for key, other in (free_of or {}).items():
            dependencies[key] = tuple(urn for urn in dependencies[key] if not urn.endswith(f"::{other}"))
        return _with(graph, _changed(target, inputs, dependencies))

    return mutate


def _changed(target: Resource, inputs: Mapping[str, Any], dependencies: Mapping[str, tuple[str, ...]]) -> Resource:
    request = resource_pb2.RegisterResourceRequest()
    request.CopyFrom(target.request)
    properties, outputs = dict(target.properties), dict(target.outputs)
    for key, value in inputs.items():
        request.object.fields.pop(key, None)
        properties.pop(key, None)
        outputs.pop(key, None)
        if value is not None:
            request.object.update({key: value})
            properties[key] = outputs[key] = value
    return replace(target, request=request, properties=properties, outputs=outputs, property_dependencies=dependencies)


def _with(graph: Graph, changed: Resource) -> Graph:
    return replace(graph, resources=tuple(changed if each.urn == changed.urn else each for each in graph.resources))


def rewritten(type_: str, name: str, key: str, change: Callable[[Any], Any], *, forgets: str | None = None) -> Mutation:
    """Rewrite a JSON text: its value where it is known, and in preview what it no longer depends on."""

    def mutate(graph: Graph) -> Graph:
        target = graph.one(type_, name)
        text = target.properties[key]
        dependencies = dict(target.property_dependencies)
        if forgets:
            dependencies[key] = tuple(urn for urn in dependencies[key] if not urn.endswith(f"::{forgets}"))
        new = {} if text == rpc.UNKNOWN else {key: json.dumps(change(json.loads(text)))}
        return _with(graph, _changed(target, new, dependencies))

    return mutate


def removed(*names: tuple[str, str]) -> Mutation:
    """Remove resources, each by type and name."""

    def mutate(graph: Graph) -> Graph:
        return replace(graph, resources=tuple(each for each in graph.resources if (each.type, each.name) not in names))

    return mutate


def open_permission() -> Mutation:
    """Let any account's API invoke the function."""
    inputs = {"action": "lambda:InvokeFunction", "function": "ProcessOrder", "principal": "apigateway.amazonaws.com"}

    def mutate(graph: Graph) -> Graph:
        struct = struct_pb2.Struct()
        struct.update(inputs)
        permission = Resource(
            type=PERMISSION,
            name="Open",
            urn=f"urn:pulumi:{graph.stack}::orders::{PERMISSION}::Open",
            custom=True,
            request=resource_pb2.RegisterResourceRequest(type=PERMISSION, name="Open", object=struct),
            properties=inputs,
            outputs=inputs,
            parent="",
            dependencies=(),
            property_dependencies={},
            protect=False,
        )
        return replace(graph, resources=(*graph.resources, permission))

    return mutate


def both(*mutations: Mutation) -> Mutation:
    """Apply several mutations in turn."""

    def mutate(graph: Graph) -> Graph:
        for mutation in mutations:
            graph = mutation(graph)
        return graph

    return mutate
