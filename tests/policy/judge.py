"""What the rules say about a pipeline, asked in this process through the policy SDK's own arguments and proxies."""

import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from framework import enforcement
from framework.stack import Resource as Judged
from framework.stack import Stack, from_inputs, from_outputs
from pulumi.runtime import rpc
from pulumi_policy import (
    PolicyCustomTimeouts,
    PolicyResource,
    PolicyResourceOptions,
    ResourceValidationArgs,
    StackValidationArgs,
)
from pulumi_policy.policy import _NotApplicableError
from pulumi_policy.proxy import unknown_checking_proxy
from rules import RULES

from tests.policy.pipeline import Mode, Pipeline, graph, program
from tools.recording.graph import Graph, Resource
from tools.recording.types import type_of

POLICIES: Mapping[str, Any] = {rule.name: enforcement.policy(rule) for rule in RULES}


@dataclass(frozen=True)
class Judgement:
    """What the rules said."""

    violated: frozenset[str]
    """Names of the rules."""
    messages: tuple[str, ...]
    notes: tuple[tuple[str, str, str, str], ...]
    """What was exempt or has to wait: kind, rule, resource and text."""


def judge(nodes: Pipeline, mode: Mode, *, config: Mapping[str, Any] | None = None, stack: str = "dev") -> Judgement:
    """Run all rules over a pipeline, under a configuration by rule."""
    sound = _sound(mode, stack)
    recorded = graph(nodes, mode, stack=stack)
    asked = [
        sound[each.name] if nodes[each.name] is program().get(each.name) else _asked(each, preview=recorded.preview)
        for each in recorded.resources
    ]
    whole_stack = Stack([in_stack for _, in_stack in asked])
    with patch.object(enforcement, "from_outputs", lambda _: whole_stack):
        return _judge([alone for alone, _ in asked], config or {})


@functools.cache
def _sound(mode: Mode, stack: str) -> Mapping[str, tuple[ResourceValidationArgs, Judged]]:
    """The program as it is, which is most of every case: what the rules have read of it is not read again."""
    recorded = graph(program(), mode, stack=stack)
    return {each.name: _asked(each, preview=recorded.preview) for each in recorded.resources}


def _asked(each: Resource, *, preview: bool) -> tuple[ResourceValidationArgs, Judged]:
    """One resource as the rules are asked about it: alone, and in its stack."""
    alone = _resource_arguments(each)
    from_inputs(alone)
    [in_stack] = from_outputs([_policy_resource(each, preview=preview)]).resources
    return alone, in_stack


def _judge(alone: Iterable[ResourceValidationArgs], config: Mapping[str, Any]) -> Judgement:
    violated: list[tuple[str, str]] = []
    notes: list[tuple[str, str, str, str]] = []
    for rule in RULES:
        settings = config.get(rule.name)

        def report(message: str, urn: str | None = None, name: str = rule.name) -> None:
            assert urn, "every violation names its resource"
            violated.append((name, message))

        arguments: list[Any] = (
            [StackValidationArgs([], settings)]
            if rule.check_in_stack
            else [_under(settings, each) for each in alone if each.resource_type in rule.on]
        )
        for each in arguments:
            try:
                POLICIES[rule.name].validate(each, report)
            except _NotApplicableError as note:
                notes += [tuple(json.loads(line).values()) for line in (note.reason or "").splitlines()]
    return Judgement(
        violated=frozenset(name for name, _ in violated),
        messages=tuple(message for _, message in violated),
        notes=tuple(notes),
    )


def _options(resource: Resource) -> PolicyResourceOptions:
    return PolicyResourceOptions(resource.protect, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])


def _resource_arguments(each: Resource) -> ResourceValidationArgs:
    """What a resource policy is asked."""
    properties = unknown_checking_proxy(dict(each.properties))
    return ResourceValidationArgs(each.type, properties, each.urn, each.name, _options(each), None, None)


def _under(settings: Any, each: ResourceValidationArgs) -> ResourceValidationArgs:
    return ResourceValidationArgs(each.resource_type, each.props, each.urn, each.name, each.opts, None, settings)


def policy_resources(recorded: Graph) -> list[PolicyResource]:
    """What a stack policy sees."""
    return [_policy_resource(each, preview=recorded.preview) for each in recorded.resources]


def _policy_resource(each: Resource, *, preview: bool) -> PolicyResource:
    """Outputs, which in preview are unknown even where nobody set them, and the URNs of what they depend on."""
    computed = ("url", "name", "id", *type_of(each.type).computed.split())
    unknown = dict.fromkeys(computed, rpc.UNKNOWN) if preview else {}
    properties = unknown_checking_proxy({**unknown, **each.outputs})
    dependencies: Any = {
        key: [SimpleNamespace(urn=urn) for urn in urns] for key, urns in each.property_dependencies.items()
    }
    return PolicyResource(each.type, properties, each.urn, each.name, _options(each), None, None, [], dependencies)
