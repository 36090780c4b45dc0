"""What the rules say about a pipeline, asked in this process through the policy SDK's own arguments and proxies."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from framework import enforcement
from framework.stack import from_inputs, from_outputs
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

from tests.policy.pipeline import Mode, Pipeline, graph
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
    recorded = graph(nodes, mode, stack=stack)
    alone = [resource_arguments(each) for each in recorded.resources]
    for each in alone:
        from_inputs(each)
    whole_stack = policy_resources(recorded)
    read = from_outputs(whole_stack)  # once for all rules, which saves half of the time
    with patch.object(enforcement, "from_outputs", lambda _: read):
        return _judge(alone, whole_stack, config or {})


def _judge(
    alone: list[ResourceValidationArgs], whole_stack: list[PolicyResource], config: Mapping[str, Any]
) -> Judgement:
    violated: list[tuple[str, str]] = []
    notes: list[tuple[str, str, str, str]] = []
    for rule in RULES:
        settings = config.get(rule.name)

        def report(message: str, urn: str | None = None, name: str = rule.name) -> None:
            assert urn, "every violation names its resource"
            violated.append((name, message))

        arguments: list[Any] = (
            [StackValidationArgs(whole_stack, settings)]
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


def resource_arguments(each: Resource) -> ResourceValidationArgs:
    """What a resource policy is asked."""
    properties = unknown_checking_proxy(dict(each.properties))
    return ResourceValidationArgs(each.type, properties, each.urn, each.name, _options(each), None, None)


def _under(settings: Any, each: ResourceValidationArgs) -> ResourceValidationArgs:
    return ResourceValidationArgs(each.resource_type, each.props, each.urn, each.name, each.opts, None, settings)


def policy_resources(recorded: Graph) -> list[PolicyResource]:
    """What a stack policy sees: outputs, which in preview are unknown even where nobody set them."""
    resources = {}
    for each in recorded.resources:
        computed = ("url", "name", "id", *type_of(each.type).computed.split())
        unknown = dict.fromkeys(computed, rpc.UNKNOWN) if recorded.preview else {}
        properties = unknown_checking_proxy({**unknown, **each.outputs})
        resources[each.urn] = PolicyResource(
            each.type, properties, each.urn, each.name, _options(each), None, None, [], {}
        )
    for each in recorded.resources:
        for key, urns in each.property_dependencies.items():
            resources[each.urn].property_dependencies[key] = [resources[urn] for urn in urns]
    return list(resources.values())
