"""The work of the rules grows with the stack, not with its square: counted in property reads, not in seconds."""

import functools
from typing import Any

import pytest
from framework.aws import PERMISSION
from framework.enforcement import configured
from framework.rule import Rule
from framework.stack import Resource, Stack
from rules import RULES

from tests.policy.pipeline import Mode, Ref, added, copies, graph, pipeline

STACK_RULES = [rule for rule in RULES if rule.check_in_stack]


class Counted(Resource):
    """A resource that counts how often something is read of it."""

    reads = 0

    def get(self, key: str, *path: str) -> Any:
        Counted.reads += 1
        return super().get(key, *path)


@functools.cache
def resources(count: int, mode: Mode) -> tuple[Resource, ...]:
    """So many pipelines in one stack."""
    invoked = added(PERMISSION, "permission", principal="sns.amazonaws.com", function=Ref("ProcessOrder", "name"))
    recorded = graph(copies(pipeline(invoked), count), mode)
    return tuple(
        Counted(
            type=each.type,
            name=each.name,
            urn=each.urn,
            properties=each.outputs,
            dependencies=each.property_dependencies,
        )
        for each in recorded.resources
    )


def reads(rule: Rule, count: int, mode: Mode) -> int:
    """How many properties a rule reads in a stack of so many pipelines."""
    stack = Stack(resources(count, mode))
    assert rule.check_in_stack
    before = Counted.reads
    for each in stack.of(*rule.on):
        list(rule.check_in_stack(each, stack, configured(rule, {})))
    return Counted.reads - before


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("rule", STACK_RULES, ids=lambda rule: rule.name)
def test_five_times_the_resources_take_five_times_the_reads(rule: Rule, mode: Mode) -> None:
    few, many = reads(rule, 2, mode), reads(rule, 10, mode)
    assert 0 < many <= 5 * few
