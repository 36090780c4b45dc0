"""The workflows' roles can do what the stacks need, and have no way to more."""

import functools
import json
from collections.abc import Callable

import pytest

from ops.publish import generate
from recording.graph import ACCOUNT, Graph, Resource, record
from tests.unit.bootstrap import ROLE_POLICY, boundary, document, statements
from tests.unit.iam import allows, many

STACKS = ("dev", "staging", "prod")
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/orders-boundary"
OF_ORDERS = {"aws:ResourceTag/project": "orders"}
OF_BOOTSTRAP = {"aws:ResourceTag/project": "orders-bootstrap"}


@functools.cache
def stack(name: str) -> Graph:
    return record(stack=name)


def own_arn(resource: Resource) -> str:
    return str(resource.outputs["arn"])


def queue_arn(resource: Resource) -> str:
    return f"arn:aws:sqs:eu-west-1:{ACCOUNT}:{resource.properties['queueUrl'].rsplit('/', 1)[-1]}"


def named_arn(service: str, key: str, prefix: str = "", region: str = "eu-west-1") -> Callable[[Resource], str]:
    return lambda resource: f"arn:aws:{service}:{region}:{ACCOUNT}:{prefix}{resource.properties[key]}"


def nothing(_: Resource) -> str:
    return "*"


# What the provider calls over a resource's life, and on what; read off the service authorization reference and the
# provider's sources, and written down here apart from what the roles are granted.
CALLS: dict[str, tuple[Callable[[Resource], str], str, str]] = {
    "aws:sns/topic:Topic": (
        own_arn,
        "sns:GetTopicAttributes sns:ListTagsForResource",
        "sns:CreateTopic sns:SetTopicAttributes sns:TagResource sns:UntagResource sns:DeleteTopic",
    ),
    "aws:sns/topicPolicy:TopicPolicy": (own_arn, "sns:GetTopicAttributes", "sns:SetTopicAttributes"),
    "aws:sns/topicSubscription:TopicSubscription": (
        nothing,
        "sns:GetSubscriptionAttributes",
        "sns:SetSubscriptionAttributes sns:Unsubscribe",
    ),
    "aws:sqs/queue:Queue": (
        own_arn,
        "sqs:GetQueueAttributes sqs:ListQueueTags",
        "sqs:CreateQueue sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue sqs:DeleteQueue",
    ),
    "aws:sqs/queuePolicy:QueuePolicy": (queue_arn, "sqs:GetQueueAttributes", "sqs:SetQueueAttributes"),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": (queue_arn, "sqs:GetQueueAttributes", "sqs:SetQueueAttributes"),
    "aws:dynamodb/table:Table": (
        own_arn,
        "dynamodb:DescribeTable dynamodb:DescribeContinuousBackups dynamodb:DescribeTimeToLive "
        "dynamodb:ListTagsOfResource",
        "dynamodb:CreateTable dynamodb:UpdateTable dynamodb:UpdateContinuousBackups dynamodb:UpdateTimeToLive "
        "dynamodb:TagResource "
        "dynamodb:DeleteTable",
    ),
    "aws:lambda/function:Function": (
        own_arn,
        "lambda:GetFunction lambda:GetFunctionCodeSigningConfig lambda:ListVersionsByFunction lambda:ListTags",
        "lambda:CreateFunction lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:TagResource "
        "lambda:DeleteFunction lambda:PutFunctionConcurrency lambda:DeleteFunctionConcurrency "
        "lambda:DeleteFunctionCodeSigningConfig",
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": (
        lambda resource: f"arn:aws:lambda:eu-west-1:{ACCOUNT}:event-source-mapping:{resource.name}",
        "lambda:GetEventSourceMapping lambda:ListTags",
        "lambda:UpdateEventSourceMapping lambda:DeleteEventSourceMapping lambda:TagResource",
    ),
    "aws:iam/role:Role": (
        own_arn,
        "iam:GetRole iam:ListRolePolicies iam:ListAttachedRolePolicies iam:ListInstanceProfilesForRole",
        "iam:CreateRole iam:UpdateAssumeRolePolicy iam:TagRole iam:PassRole iam:DetachRolePolicy iam:DeleteRole",
    ),
    "aws:iam/rolePolicy:RolePolicy": (
        named_arn("iam", "role", "role/", region=""),
        "iam:GetRolePolicy",
        "iam:PutRolePolicy iam:DeleteRolePolicy",
    ),
    "aws:cloudwatch/logGroup:LogGroup": (
        own_arn,
        "logs:ListTagsForResource",
        "logs:CreateLogGroup logs:AssociateKmsKey logs:PutRetentionPolicy logs:TagResource logs:DeleteLogGroup",
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": (
        named_arn("logs", "logGroupName", "log-group:"),
        "logs:DescribeMetricFilters",
        "logs:PutMetricFilter logs:DeleteMetricFilter",
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": (
        own_arn,
        "cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource",
        "cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:DeleteAlarms",
    ),
    "aws:cloudwatch/dashboard:Dashboard": (
        named_arn("cloudwatch", "dashboardName", "dashboard/", region=""),
        "cloudwatch:GetDashboard",
        "cloudwatch:PutDashboard cloudwatch:DeleteDashboards",
    ),
    "aws:kms/key:Key": (
        own_arn,
        "kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags",
        "kms:EnableKey kms:EnableKeyRotation kms:DisableKeyRotation kms:PutKeyPolicy kms:UpdateKeyDescription "
        "kms:TagResource kms:CreateAlias kms:ScheduleKeyDeletion",
    ),
    "aws:kms/alias:Alias": (
        lambda resource: f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/{resource.name}",
        "",
        "kms:CreateAlias kms:UpdateAlias kms:DeleteAlias",
    ),
}
# What a request about something of a stack carries.
OF_A_STACK = {
    **OF_ORDERS,
    "aws:RequestTag/project": "orders",
    "iam:PermissionsBoundary": BOUNDARY,
    "iam:PassedToService": "lambda.amazonaws.com",
    "lambda:FunctionArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:ProcessOrder-1a2b3c4",
}


def refused(role: str, resource: Resource, actions: str) -> set[str]:
    """The actions on a resource that a role may not, under its bare name and under one with Pulumi's suffix."""
    arn = CALLS[resource.type][0](resource)
    names = [arn] if arn == "*" or "dashboard/" in arn else [arn, f"{arn}-1a2b3c4"]
    return {
        f"{action} on {name}"
        for action in actions.split()
        for name in names
        if not allows(statements(role), action, name, OF_A_STACK)
    }


@pytest.mark.parametrize("name", STACKS)
def test_the_deploy_role_can_create_change_and_delete_whatever_a_stack_registers(name: str) -> None:
    custom = [resource for resource in stack(name).resources if resource.custom]
    assert {resource.type for resource in custom} <= CALLS.keys()
    assert not {line for each in custom for line in refused("orders-deploy", each, " ".join(CALLS[each.type][1:]))}
    for action in ("kms:CreateKey", "lambda:CreateEventSourceMapping"):  # what is created has no ARN before
        assert allows(statements("orders-deploy"), action, "*", OF_A_STACK)
    topic = stack(name).one("aws:sns/topic:Topic", "OrderTopic")
    assert not refused("orders-deploy", topic, "sns:Subscribe")


@pytest.mark.parametrize("name", STACKS)
def test_the_preview_role_can_read_whatever_a_stack_registers(name: str) -> None:
    custom = [resource for resource in stack(name).resources if resource.custom]
    assert not {line for each in custom for line in refused("orders-preview", each, CALLS[each.type][1])}


def test_the_preview_role_can_change_nothing() -> None:
    actions = {action for statement in statements("orders-preview") for action in many(statement["Action"])}
    reading = ("Get", "List", "Describe")
    assert {action for action in actions if not action.split(":")[1].startswith(reading)} == {"kms:Decrypt"}


def test_a_preview_reads_no_order() -> None:
    for action in ("dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:Scan", "sqs:ReceiveMessage"):
        service = action.split(":")[0]
        name = "table/Orders" if service == "dynamodb" else "OrderQueue"
        assert not allows(
            statements("orders-preview"), action, f"arn:aws:{service}:eu-west-1:{ACCOUNT}:{name}", OF_A_STACK
        )


def test_a_function_can_do_within_the_boundary_all_that_its_role_says_and_nothing_else() -> None:
    permissions = [
        statement for policy in stack("prod").all(ROLE_POLICY).values() for statement in document(policy)["Statement"]
    ]
    for statement in permissions:
        for action in many(statement["Action"]):
            assert allows(boundary(), action, statement["Resource"], OF_ORDERS)
    assert {action for each in boundary() for action in many(each["Action"])} == {
        action for each in permissions for action in many(each["Action"])
    }
    assert not allows(boundary(), "kms:Decrypt", f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/orders-state-key", OF_BOOTSTRAP)


@pytest.mark.parametrize(
    "action", ["CreateRole", "PutRolePolicy", "UpdateAssumeRolePolicy", "PutRolePermissionsBoundary"]
)
@pytest.mark.parametrize(
    "given", [None, f"arn:aws:iam::{ACCOUNT}:policy/other", "arn:aws:iam::aws:policy/ReadOnlyAccess"]
)
def test_no_role_is_made_or_changed_outside_the_boundary(action: str, given: str | None) -> None:
    context = {"iam:PermissionsBoundary": given} if given else {}
    role = f"arn:aws:iam::{ACCOUNT}:role/ProcessOrder-role"
    assert allows(statements("orders-deploy"), f"iam:{action}", role, {"iam:PermissionsBoundary": BOUNDARY})
    assert not allows(statements("orders-deploy"), f"iam:{action}", role, context)


def test_no_boundary_is_taken_off_and_no_policy_user_or_other_role_touched() -> None:
    granted = {action for each in statements("orders-deploy") for action in many(each["Action"]) if "iam:" in action}
    assert granted.isdisjoint(
        f"iam:{action}"
        for action in (
            *("*", "DeleteRolePermissionsBoundary", "AttachRolePolicy", "CreatePolicy", "CreatePolicyVersion"),
            *("SetDefaultPolicyVersion", "DeletePolicy", "CreateUser", "CreateAccessKey", "AddUserToGroup"),
            *("UpdateOpenIDConnectProviderThumbprint", "CreateOpenIDConnectProvider"),
        )
    )
    for other in ("orders-deploy", "orders-preview", "Administrator"):
        for action in granted:
            assert not allows(statements("orders-deploy"), action, f"arn:aws:iam::{ACCOUNT}:role/{other}", OF_A_STACK)


def test_mappings_of_other_functions_are_left_alone() -> None:
    other = {"lambda:FunctionArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:Other"}
    assert not allows(statements("orders-deploy"), "lambda:CreateEventSourceMapping", "*", other)
    mapping = f"arn:aws:lambda:eu-west-1:{ACCOUNT}:event-source-mapping:1"
    assert not allows(statements("orders-deploy"), "lambda:DeleteEventSourceMapping", mapping, other)


def test_a_role_is_passed_to_lambda_only() -> None:
    role = f"arn:aws:iam::{ACCOUNT}:role/ProcessOrder-role"
    assert not allows(statements("orders-deploy"), "iam:PassRole", role, {"iam:PassedToService": "ec2.amazonaws.com"})


def test_keys_of_others_can_be_neither_administered_nor_claimed() -> None:
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/other"
    claim = {**OF_BOOTSTRAP, "aws:RequestTag/project": "orders"}
    for action in ("PutKeyPolicy", "ScheduleKeyDeletion", "TagResource", "UntagResource", "CreateAlias"):
        assert allows(statements("orders-deploy"), f"kms:{action}", key, {**claim, **OF_ORDERS})
        assert not allows(statements("orders-deploy"), f"kms:{action}", key, claim)
    assert not allows(statements("orders-deploy"), "kms:CreateKey", "*", {})


@pytest.mark.parametrize("role", ["orders-preview", "orders-deploy"])
def test_orders_are_decrypted_by_services_only(role: str) -> None:
    key = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/OrderKey"
    through = {**OF_ORDERS, "kms:ViaService": "lambda.eu-west-1.amazonaws.com"}
    assert allows(statements(role), "kms:Decrypt", key, through)
    assert not allows(statements(role), "kms:Decrypt", key, OF_ORDERS)


def test_a_deployment_writes_the_state_of_the_stacks_but_not_of_the_bootstrap() -> None:
    def may(role: str, action: str, path: str) -> bool:
        return allows(statements(role), f"s3:{action}", f"arn:aws:s3:::orders-state/.pulumi/{path}", {})

    for path in ("stacks/orders/dev.json", "locks/organization/orders/dev/1.json", "history/orders/dev/1.json"):
        assert may("orders-deploy", "PutObject", path)
        assert may("orders-deploy", "DeleteObject", path)
        assert not may("orders-preview", "PutObject", path)
    assert may("orders-preview", "GetObject", "stacks/orders/dev.json")
    assert not may("orders-deploy", "PutObject", "stacks/bootstrap/main.json")


def test_the_smoke_test_can_publish_and_read_back_its_own_orders_only() -> None:
    table, topic = (
        f"arn:aws:{each}"
        for each in (f"dynamodb:eu-west-1:{ACCOUNT}:table/Orders", f"sns:eu-west-1:{ACCOUNT}:OrderTopic")
    )
    own = json.loads(next(generate(1)))["orderId"]
    assert allows(statements("orders-deploy"), "sns:Publish", topic, {})
    assert allows(statements("orders-deploy"), "dynamodb:BatchGetItem", table, {"dynamodb:LeadingKeys": own})
    assert not allows(statements("orders-deploy"), "dynamodb:BatchGetItem", table, {"dynamodb:LeadingKeys": "O1234"})


def test_the_policies_are_as_short_as_iam_demands() -> None:
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    def size(role: str) -> int:
        return len(json.dumps({"Version": "2012-10-17", "Statement": statements(role)}, separators=(",", ":")))

    slack = 1000  # several documents have several frames, and ARNs that are known by now have longer names
    assert size("orders-deploy") < 10_240 - slack
    assert len(json.dumps(boundary(), separators=(",", ":"))) < 6_144 - slack
