"""The workflows' roles can do what the stacks need, and have no way to more."""

import json
import re

import pytest

from tests.unit.bootstrap import LONGEST, MANAGED_POLICY, boundary, document, elsewhere, policies, statements
from tests.unit.iam import allows, granted, many
from tests.unit.requests import (
    CALLS,
    STACKS,
    STATE_KEY,
    arn,
    boundary_arn,
    context,
    custom,
    request,
    stack,
    state_of,
    tags,
)
from tools.ops.publish import generate
from tools.recording.graph import ACCOUNT
from tools.root import ROOT

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
OF_BOOTSTRAP = {"aws:ResourceTag/project": "orders-bootstrap", "aws:ResourceTag/stack": "main"}


def refused(role: str, name: str, *kinds: str, alone: bool, suffix: str | None) -> set[str]:
    """The calls about a stack's resources that a role of it may not make."""
    assert {resource.type for resource in custom(name)} <= CALLS.keys()
    return {
        f"{action} on {place} as it {kind}"
        for kind in kinds
        for resource in custom(name)
        for place in [arn(resource, name, suffix)]
        for action in CALLS[resource.type][kind]
        if not allows(statements(role, alone=alone), action, place, request(kind, name, suffix))
    }


@pytest.mark.parametrize(
    ("name", "alone", "suffix"),
    # Alone in its account, a stack may also have names without a suffix.
    [*((name, False, None) for name in STACKS), ("prod", True, None), ("prod", True, "")],
)
def test_a_stacks_deploy_role_can_create_change_and_delete_and_its_preview_role_read_whatever_it_registers(
    name: str, alone: bool, suffix: str | None
) -> None:
    assert not refused(f"{name}-preview", name, "reads", alone=alone, suffix=suffix)
    kinds = ("reads", "creates", "changes", "deletes")
    assert not refused(f"{name}-deploy", name, *kinds, alone=alone, suffix=suffix)
    for action in ("kms:CreateKey", "lambda:CreateEventSourceMapping"):  # what is created has no ARN before
        assert allows(statements(f"{name}-deploy", alone=alone), action, "*", request("creates", name, suffix))


def test_a_key_is_retagged_within_its_stack_alone() -> None:
    key, own = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/OrderKey", tags("prod")
    for change, allowed in (
        ({"aws:RequestTag/owner": "another-team"}, True),
        ({"aws:RequestTag/stack": "prod"}, True),
        ({"aws:RequestTag/stack": "dev"}, False),
        ({"aws:RequestTag/project": "orders-bootstrap"}, False),
    ):
        assert allows(statements("prod-deploy"), "kms:TagResource", key, {**own, **change}) is allowed, change
    others = {**tags("dev"), "aws:RequestTag/owner": "another-team"}
    assert not allows(statements("prod-deploy"), "kms:TagResource", key, others)
    assert not allows(statements("prod-deploy"), "kms:TagResource", key, {"aws:RequestTag/owner": "another-team"})


def test_the_preview_role_can_change_nothing_and_reads_no_order() -> None:
    actions = granted(statements("prod-preview"))
    reading = ("Get", "List", "Describe")
    assert {action for action in actions if not action.split(":")[1].startswith(reading)} == {"kms:Decrypt"}
    assert "dynamodb:GetItem" not in actions


def test_a_function_can_do_within_the_boundary_all_that_its_role_says_and_nothing_else() -> None:
    permissions = [
        statement for policy in stack("prod").all(ROLE_POLICY).values() for statement in document(policy)["Statement"]
    ]
    for statement in permissions:
        own = str(statement["Resource"])
        place = own if own == "*" or ":key/" in own else own.removesuffix(":*") + "-prod-1a2b3c4"
        for action in many(statement["Action"]):
            assert allows(boundary(), action, place, tags("prod")), f"{action} on {place}"
    assert {action for each in boundary() for action in many(each["Action"])} == {
        action for each in permissions for action in many(each["Action"])
    }
    assert not allows(boundary(), "kms:Decrypt", STATE_KEY, OF_BOOTSTRAP)


def test_no_role_is_made_or_changed_outside_the_boundary_or_passed_to_another_service() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/ProcessOrder-role-prod-1a2b3c4"
    limit, other = (
        {"iam:PermissionsBoundary": each} for each in (boundary_arn("prod"), "arn:aws:iam::aws:policy/ReadOnlyAccess")
    )
    for action in ("CreateRole", "PutRolePolicy", "UpdateAssumeRolePolicy", "PutRolePermissionsBoundary"):
        assert allows(statements("prod-deploy"), f"iam:{action}", role, limit)
        assert not allows(statements("prod-deploy"), f"iam:{action}", role, other)
        assert not allows(statements("prod-deploy"), f"iam:{action}", role, {})
    assert not allows(statements("prod-deploy"), "iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"})


def test_no_boundary_is_taken_off_and_no_policy_user_or_other_role_touched() -> None:
    of_iam = {action for action in granted(statements("prod-deploy")) if action.startswith("iam:")}
    assert of_iam.isdisjoint(
        f"iam:{action}"
        for action in (
            *("DeleteRolePermissionsBoundary", "AttachRolePolicy", "CreatePolicy", "CreatePolicyVersion"),
            *("SetDefaultPolicyVersion", "DeletePolicy", "CreateUser", "CreateAccessKey", "AddUserToGroup"),
            *("UpdateOpenIDConnectProviderThumbprint", "CreateOpenIDConnectProvider"),
        )
    )
    for other in ("orders-prod-deploy", "orders-prod-preview-1a2b3c4", "Administrator"):
        place = f"arn:aws:iam::{ACCOUNT}:role/{other}"
        assert not [action for action in of_iam if allows(statements("prod-deploy"), action, place, context("prod"))]


def test_keys_of_others_can_be_neither_administered_nor_claimed() -> None:
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/other"
    claim = {**OF_BOOTSTRAP, **tags("prod", "RequestTag")}
    for action in ("PutKeyPolicy", "ScheduleKeyDeletion", "TagResource", "UntagResource", "CreateAlias"):
        assert allows(statements("prod-deploy"), f"kms:{action}", key, {**claim, **tags("prod")})
        assert not allows(statements("prod-deploy"), f"kms:{action}", key, claim)
    assert not allows(statements("prod-deploy"), "kms:CreateKey", "*", {})


def test_a_new_key_is_made_with_its_tags_and_waits_for_them_as_the_page_says() -> None:
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/new"
    without = tags("prod", "RequestTag")  # https://docs.aws.amazon.com/kms/latest/developerguide/abac.html
    assert allows(statements("prod-deploy"), "kms:CreateKey", "*", without)
    assert allows(statements("prod-deploy"), "kms:TagResource", key, without)
    assert not allows(statements("prod-deploy"), "kms:EnableKeyRotation", key, without)
    assert "up to five minutes" in (ROOT / "docs/deploying.md").read_text()


@pytest.mark.parametrize("role", ["prod-preview", "prod-deploy"])
def test_orders_are_decrypted_by_services_only(role: str) -> None:
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/OrderKey"
    through = {**tags("prod"), "kms:ViaService": "lambda.eu-west-1.amazonaws.com"}
    assert allows(statements(role), "kms:Decrypt", key, through)
    assert not allows(statements(role), "kms:Decrypt", key, tags("prod"))


def test_a_deployment_writes_the_state_of_its_stack_and_decrypts_its_secrets_alone() -> None:
    def may(role: str, action: str, path: str) -> bool:
        return allows(statements(role), f"s3:{action}", f"arn:aws:s3:::orders-state/.pulumi/{path}", {})

    for path in state_of("dev"):
        assert may("dev-deploy", "PutObject", path)
        assert may("dev-deploy", "DeleteObject", path)
        assert may("dev-preview", "GetObject", path)
        assert not may("dev-preview", "PutObject", path)
    for path in (*state_of("prod"), "stacks/bootstrap/main.json", "meta.yaml"):
        assert not may("dev-deploy", "PutObject", path)
        assert not may("dev-deploy", "DeleteObject", path)
    assert not may("dev-deploy", "GetObject", "stacks/bootstrap/main.json")
    assert may("dev-preview", "GetObject", "meta.yaml")
    for role in ("dev-preview", "dev-deploy"):
        for encrypted_for, readable in (("orders/dev", True), ("orders/prod", False), ("bootstrap/main", False)):
            secret = {"kms:EncryptionContext:stack": encrypted_for}
            assert allows(statements(role), "kms:Decrypt", STATE_KEY, secret) is readable
        assert not allows(statements(role), "kms:Decrypt", STATE_KEY, {})
        assert allows(statements(role), "kms:Decrypt", STATE_KEY, {"kms:ViaService": "s3.eu-west-1.amazonaws.com"})


def test_the_smoke_test_can_publish_and_read_back_its_own_orders_only() -> None:
    table, topic = (
        f"arn:aws:{each}-dev-1a2b3c4"
        for each in (f"dynamodb:eu-west-1:{ACCOUNT}:table/Orders", f"sns:eu-west-1:{ACCOUNT}:OrderTopic")
    )
    own = json.loads(next(generate(1)))["orderId"]
    assert allows(statements("dev-deploy"), "sns:Publish", topic, {})
    assert allows(statements("dev-deploy"), "dynamodb:BatchGetItem", table, {"dynamodb:LeadingKeys": own})
    assert not allows(statements("dev-deploy"), "dynamodb:BatchGetItem", table, {"dynamodb:LeadingKeys": "O1234"})


NAMED = {
    *("SubscribeQueue", "Queues", "Function", "NewMapping", "Mappings", "Role", "RoleInBoundary", "RoleForFunction"),
    *("LogGroup", "Alarms", "Consume", "Log"),
}
"""Statements that say how queues, functions and their parts are called; another consumer adds its names to them."""


def test_every_policy_is_as_short_as_iam_demands_with_the_longest_name_and_two_more_consumers() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    documents = policies(elsewhere(), f"{LONGEST}-deploy")
    limit = document(elsewhere().one(MANAGED_POLICY, f"orders-{LONGEST}-boundary"))
    slack = 200  # the numbers of a real account and key are longer than those here
    assert len(documents) <= 10
    for found in [*documents, limit]:
        named = json.dumps([each for each in found["Statement"] if each["Sid"] in NAMED])
        added = [2 * len(f"{arn}, of others") for arn in re.findall(r'"arn:[^"]*"', named)]
        size = len(json.dumps(found, separators=(",", ":"))) + sum(added)
        assert size < 6_144 - slack, [each["Sid"] for each in found["Statement"]]
