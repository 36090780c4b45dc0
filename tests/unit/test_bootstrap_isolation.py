"""What the workflows may do to one stack, they may not do to another of the same account."""

import re
from typing import Any

import pytest

from tests.unit.bootstrap import boundary, elsewhere, policies, statements
from tests.unit.iam import REFERENCE, allows, granted, has_key, like, many
from tests.unit.requests import STATE_KEY, arn, boundary_arn, context, custom, state_of, tags
from tools.recording.graph import ACCOUNT
from tools.root import ROOT

PAIRS = pytest.mark.parametrize(("by", "other"), [("dev", "prod"), ("prod", "dev")])


def reached(role: str, by: str, other: str) -> set[str]:
    """What a role may do to another stack's resources, state and secrets, where the caller chooses all he can."""
    chosen = {key: value for key, value in context(by).items() if "ResourceTag" not in key}
    at_other = {
        **chosen,
        **tags(other),
        "lambda:FunctionArn": context(other)["lambda:FunctionArn"],
        "kms:EncryptionContext:stack": f"orders/{other}",
        "dynamodb:LeadingKeys": "G1a2b3c-1",
    }
    state = [f"arn:aws:s3:::orders-state/.pulumi/{path}" for path in state_of(other)]
    places = [*(arn(each, other) for each in custom(other)), *state, STATE_KEY]
    return {action for action in granted(statements(role)) if _may(statements(role), action, places, at_other)}


def _may(said: list[dict[str, Any]], action: str, places: list[str], at_other: dict[str, str]) -> bool:
    """Whether an action is allowed on one of some places, through any service that it may come through."""
    of_it = [each for each in said if any(like(action, pattern) for pattern in many(each["Action"]))]
    services = ("lambda", "dynamodb", "sns") if has_key(action, "kms:ViaService") else ("any",)
    return any(
        allows(of_it, action, place, {**at_other, "kms:ViaService": f"{service}.eu-west-1.amazonaws.com"})
        for place in places
        for service in services
    )


@pytest.mark.parametrize("purpose", ["deploy", "preview"])
@PAIRS
def test_a_stacks_roles_reach_nothing_of_another_but_what_the_page_says(by: str, other: str, purpose: str) -> None:
    page = (ROOT / "docs/deploying.md").read_text()
    remains = set(re.findall(r"`(\w+:\w+)`", page[page.index("**What remains.**") :].split("\n\n")[0]))
    assert reached(f"{by}-{purpose}", by, other) == remains & granted(statements(f"{by}-{purpose}"))


@PAIRS
def test_nor_does_a_role_that_a_deploy_role_makes(by: str, other: str) -> None:
    for action in granted(boundary(by)):
        for each in custom(other):
            if REFERENCE[action]["resources"]:  # traces belong to nobody
                assert not allows(boundary(by), action, arn(each, other), tags(other))
    role = f"arn:aws:iam::{ACCOUNT}:role/ProcessOrder-role-{by}-1a2b3c4"
    for action in ("CreateRole", "PutRolePolicy", "PutRolePermissionsBoundary"):
        theirs = {"iam:PermissionsBoundary": boundary_arn(other)}
        assert not allows(statements(f"{by}-deploy"), f"iam:{action}", role, theirs)


def test_every_statement_limits_by_keys_and_resources_that_its_actions_have() -> None:
    for statement in [*statements("prod-deploy"), *statements("prod-preview"), *boundary()]:
        for action in granted([statement]):
            for lines in statement.get("Condition", {}).values():
                assert all(has_key(action, key) for key in lines), f"{action} has not all of {list(lines)}"
            kinds = REFERENCE[action]["resources"]
            for place in many(statement["Resource"]):
                assert (place == "*") is (not kinds), f"{action} is of {kinds}, not of {place}"
                assert not kinds or any(alike(place, kind) for kind in kinds), f"{action} is of {kinds}, not of {place}"


def alike(place: str, kind: str) -> bool:
    """Whether a pattern is of a kind of resource: the same service and the same beginning, such as `table/`."""
    (service, rest), (of, beginning) = ((arn.split(":")[2], arn.split(":", 5)[5]) for arn in (place, kind))
    return service == of and rest.startswith(beginning.split("*")[0])


def test_a_topic_is_subscribed_to_own_queues_and_alarms_to_addresses() -> None:
    def may(topic: str, protocol: str, endpoint: str) -> bool:
        place = f"arn:aws:sns:eu-west-1:{ACCOUNT}:{topic}-prod-1a2b3c4"
        return allows(
            statements("prod-deploy"), "sns:Subscribe", place, {"sns:Protocol": protocol, "sns:Endpoint": endpoint}
        )

    queue = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:OrderQueue"
    assert may("OrderTopic", "sqs", f"{queue}-prod-1a2b3c4")
    assert not may("OrderTopic", "sqs", f"{queue}-dev-1a2b3c4")
    assert not may("OrderTopic", "sqs", "arn:aws:sqs:eu-west-1:210987654321:OrderQueue-prod-1a2b3c4")
    assert not may("OrderTopic", "https", "https://example.com")
    assert not may("OrderTopic", "email", "someone@example.com")
    assert may("OrderAlarms", "email", "someone@example.com")


def test_a_stack_whose_name_begins_with_anothers_is_another() -> None:
    granted_to_dev = [each for policy in policies(elsewhere(), "dev-deploy") for each in policy["Statement"]]
    queue = f"arn:aws:sqs:eu-west-1:{ACCOUNT}:OrderQueue"
    assert allows(granted_to_dev, "sqs:DeleteQueue", f"{queue}-dev-1a2b3c4", {})
    assert not allows(granted_to_dev, "sqs:DeleteQueue", f"{queue}-dev-eu-1a2b3c4", {})
    state = "arn:aws:s3:::orders-state/.pulumi/stacks/orders"
    assert allows(granted_to_dev, "s3:PutObject", f"{state}/dev.json", {})
    assert not allows(granted_to_dev, "s3:PutObject", f"{state}/dev-eu.json", {})
