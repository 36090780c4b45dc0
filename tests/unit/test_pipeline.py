"""What the pipeline's promises rest on, in the graph that it registers; the graph itself is in golden/pipeline.yaml."""

import json
from typing import Any

import pulumi
import pytest
from framework.aws import FUNCTION, KEY, MAPPING, QUEUE, ROLE_POLICY, SUBSCRIPTION, TABLE, TOPIC

from tests.defaults import record_defaults, recorded
from tools.recording.graph import ACCOUNT, record

LOG_GROUP, QUEUE_POLICY = "aws:cloudwatch/logGroup:LogGroup", "aws:sqs/queuePolicy:QueuePolicy"


def policies() -> list[tuple[str, dict[str, Any]]]:
    """Every statement of every policy of the program, with its resource's name."""
    return [
        (resource.name, statement)
        for resource in recorded().resources
        for key in ("policy", "assumeRolePolicy")
        if key in resource.properties
        for statement in json.loads(resource.properties[key])["Statement"]
    ]


def test_whoever_a_policy_admits_is_this_account_or_a_service_that_works_for_it() -> None:
    for name, statement in policies():
        principal = statement.get("Principal")
        if statement["Effect"] == "Deny" or principal in (None, {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}):
            continue
        if principal != {"Service": "lambda.amazonaws.com"}:  # of a role, which only this account can pass on
            limits = [value for condition in statement["Condition"].values() for value in condition.values()]
            assert limits, name
            assert all(ACCOUNT in limit for limit in limits), name


@pytest.mark.parametrize(
    ("later", "first"),
    [
        # Subscribed before the policy is there, the first messages would be refused.
        ((SUBSCRIPTION, "OrderQueue-subscription"), (QUEUE_POLICY, "OrderQueue-policy")),
        # Lambda would create the group itself, without retention and key.
        ((FUNCTION, "ProcessOrder"), (LOG_GROUP, "ProcessOrder-logs")),
        # A mapping whose role may not read the queue is refused.
        ((MAPPING, "ProcessOrder-mapping"), (ROLE_POLICY, "ProcessOrder-permissions")),
    ],
)
def test_what_something_cannot_be_without_is_created_before_it(later: tuple[str, str], first: tuple[str, str]) -> None:
    assert recorded().one(*first).urn in recorded().one(*later).dependencies


def test_a_stack_that_protects_its_data_keeps_what_holds_orders_and_what_delivers_them() -> None:
    """And nothing else: what these depend on is deleted after them, so never."""
    graph = record_defaults(config={"orders:protectData": "true"})
    orders = {
        *(resource.urn for type_ in (KEY, TABLE, QUEUE) for resource in graph.all(type_).values()),
        graph.one(TOPIC, "OrderTopic").urn,
        graph.one(SUBSCRIPTION, "OrderQueue-subscription").urn,
        graph.one(MAPPING, "ProcessOrder-mapping").urn,
    }
    assert {resource.urn for resource in graph.resources if resource.protect} == orders
    assert graph.one(TABLE, "Orders").properties["deletionProtectionEnabled"] is True
    assert not [resource.urn for resource in recorded().resources if resource.protect]
    assert recorded().one(TABLE, "Orders").properties["deletionProtectionEnabled"] is False


def test_the_first_preview_shows_every_policy_but_the_grant_of_the_key() -> None:
    """Names are known in preview, and ARNs are made of them; what they name is still created first."""
    graph, update = recorded(preview=True), recorded()
    unknown = {
        (resource.name, key)
        for resource in graph.resources
        for key, value in resource.properties.items()
        if key in ("policy", "redrivePolicy", "redriveAllowPolicy", "assumeRolePolicy", "dashboardBody")
        and value == pulumi.runtime.rpc.UNKNOWN
    }
    assert unknown == {("ProcessOrder-decryption", "policy")}
    assert len(graph.resources) == len(update.resources)
    for resource in update.resources:
        before = graph.one(resource.type, resource.name)
        assert {key: set(urns) for key, urns in before.property_dependencies.items()} == {
            key: set(urns) for key, urns in resource.property_dependencies.items()
        }


def test_a_failed_assertion_inside_a_program_fails_its_test() -> None:
    def program() -> None:
        def check(value: int) -> None:
            assert value == 2, "the canary sings"

        pulumi.Output.from_input(1).apply(check)

    with pytest.raises(AssertionError, match="the canary sings"):
        record(program=program)


def test_one_recording_leaves_nothing_behind_for_the_next() -> None:
    first, second = recorded(), record_defaults()
    assert sorted(resource.urn for resource in second.resources) == sorted(resource.urn for resource in first.resources)
    assert second.exports == first.exports
