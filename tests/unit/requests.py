"""What Pulumi and its AWS provider ask of AWS about the resources of a stack, for the tests of who may."""

import functools
from collections.abc import Callable
from typing import NamedTuple

from tools.recording.graph import ACCOUNT, Graph, Resource, record

STACKS = ("dev", "staging", "prod")
STATE_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/orders-state-key"


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


class Calls(NamedTuple):
    """What the provider calls over the life of one resource, and on what.

    Read off the service authorization reference and the provider's sources, and written down here apart from what the
    roles are granted.
    """

    on: Callable[[Resource], str]
    reads: str = ""
    creates: str = ""
    """What is asked before the resource has its tags."""
    changes: str = ""
    deletes: str = ""


CALLS: dict[str, Calls] = {
    "aws:sns/topic:Topic": Calls(
        own_arn,
        "sns:GetTopicAttributes sns:ListTagsForResource",
        "sns:CreateTopic sns:TagResource sns:Subscribe",
        "sns:SetTopicAttributes sns:TagResource sns:UntagResource",
        "sns:DeleteTopic",
    ),
    "aws:sns/topicPolicy:TopicPolicy": Calls(
        own_arn, "sns:GetTopicAttributes", "", "sns:SetTopicAttributes", "sns:SetTopicAttributes"
    ),
    "aws:sns/topicSubscription:TopicSubscription": Calls(
        nothing, "sns:GetSubscriptionAttributes", "", "sns:SetSubscriptionAttributes", "sns:Unsubscribe"
    ),
    "aws:sqs/queue:Queue": Calls(
        own_arn,
        "sqs:GetQueueAttributes sqs:ListQueueTags",
        "sqs:CreateQueue sqs:TagQueue",
        "sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue",
        "sqs:DeleteQueue",
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Calls(
        queue_arn, "sqs:GetQueueAttributes", "", "sqs:SetQueueAttributes", "sqs:SetQueueAttributes"
    ),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": Calls(
        queue_arn, "sqs:GetQueueAttributes", "", "sqs:SetQueueAttributes", "sqs:SetQueueAttributes"
    ),
    "aws:dynamodb/table:Table": Calls(
        own_arn,
        "dynamodb:DescribeTable dynamodb:DescribeContinuousBackups dynamodb:DescribeTimeToLive "
        "dynamodb:ListTagsOfResource",
        "dynamodb:CreateTable dynamodb:TagResource dynamodb:UpdateContinuousBackups",
        "dynamodb:UpdateTable dynamodb:UpdateContinuousBackups dynamodb:UpdateTimeToLive dynamodb:TagResource "
        "dynamodb:UntagResource",
        "dynamodb:DeleteTable",
    ),
    "aws:lambda/function:Function": Calls(
        own_arn,
        "lambda:GetFunction lambda:GetFunctionCodeSigningConfig lambda:ListVersionsByFunction lambda:ListTags",
        "lambda:CreateFunction lambda:TagResource",
        "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration lambda:PutFunctionConcurrency "
        "lambda:DeleteFunctionConcurrency lambda:DeleteFunctionCodeSigningConfig lambda:TagResource "
        "lambda:UntagResource",
        "lambda:DeleteFunction",
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Calls(
        lambda resource: f"arn:aws:lambda:eu-west-1:{ACCOUNT}:event-source-mapping:{resource.name}",
        "lambda:GetEventSourceMapping lambda:ListTags",
        "lambda:TagResource",
        "lambda:UpdateEventSourceMapping lambda:TagResource lambda:UntagResource",
        "lambda:DeleteEventSourceMapping",
    ),
    "aws:iam/role:Role": Calls(
        own_arn,
        "iam:GetRole iam:ListRolePolicies iam:ListAttachedRolePolicies iam:ListInstanceProfilesForRole",
        "iam:CreateRole iam:TagRole iam:PassRole",
        "iam:UpdateAssumeRolePolicy iam:UpdateRole iam:UpdateRoleDescription iam:PutRolePermissionsBoundary "
        "iam:TagRole iam:UntagRole iam:PassRole",
        "iam:DetachRolePolicy iam:DeleteRolePolicy iam:DeleteRole",
    ),
    "aws:iam/rolePolicy:RolePolicy": Calls(
        named_arn("iam", "role", "role/", region=""),
        "iam:GetRolePolicy",
        "",
        "iam:PutRolePolicy",
        "iam:DeleteRolePolicy",
    ),
    "aws:cloudwatch/logGroup:LogGroup": Calls(
        own_arn,
        "logs:ListTagsForResource",
        "logs:CreateLogGroup logs:TagResource logs:AssociateKmsKey logs:PutRetentionPolicy",
        "logs:PutRetentionPolicy logs:DeleteRetentionPolicy logs:AssociateKmsKey logs:DisassociateKmsKey "
        "logs:TagResource logs:UntagResource",
        "logs:DeleteLogGroup",
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Calls(
        named_arn("logs", "logGroupName", "log-group:"),
        "logs:DescribeMetricFilters",
        "",
        "logs:PutMetricFilter",
        "logs:DeleteMetricFilter",
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Calls(
        own_arn,
        "cloudwatch:DescribeAlarms cloudwatch:ListTagsForResource",
        "cloudwatch:PutMetricAlarm cloudwatch:TagResource",
        "cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:UntagResource",
        "cloudwatch:DeleteAlarms",
    ),
    "aws:cloudwatch/dashboard:Dashboard": Calls(
        named_arn("cloudwatch", "dashboardName", "dashboard/", region=""),
        "cloudwatch:GetDashboard",
        "",
        "cloudwatch:PutDashboard",
        "cloudwatch:DeleteDashboards",
    ),
    "aws:kms/key:Key": Calls(
        own_arn,
        "kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags",
        "kms:TagResource",
        "kms:EnableKey kms:EnableKeyRotation kms:DisableKeyRotation kms:PutKeyPolicy kms:UpdateKeyDescription "
        "kms:TagResource kms:UntagResource kms:CreateAlias kms:UpdateAlias kms:DeleteAlias",
        "kms:ScheduleKeyDeletion",
    ),
    "aws:kms/alias:Alias": Calls(
        lambda resource: f"arn:aws:kms:eu-west-1:{ACCOUNT}:alias/{resource.name}",
        "",
        "kms:CreateAlias",
        "kms:UpdateAlias",
        "kms:DeleteAlias",
    ),
}


def boundary_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/orders-{name}-boundary"


def tags(name: str, kind: str = "ResourceTag") -> dict[str, str]:
    return {f"aws:{kind}/project": "orders", f"aws:{kind}/stack": name}


CARRIED: dict[str, tuple[str, ...]] = {
    "reads": ("aws:ResourceTag",),
    "creates": ("aws:RequestTag",),
    "changes": ("aws:ResourceTag",),
    "deletes": ("aws:ResourceTag",),
}
"""The tags that requests of each kind carry: what is created has none yet, and only it is sent all of them."""


def request(kind: str, name: str, suffix: str | None = None) -> dict[str, str]:
    """What a request of a kind carries. The provider sends the tags that differ, never `project` and `stack`.

    https://github.com/hashicorp/terraform-provider-aws: updateTags in every service's tags_gen.go
    """
    carried = {
        key: value for key, value in context(name, suffix).items() if "Tag/" not in key or key.startswith(CARRIED[kind])
    }
    return carried | ({"aws:RequestTag/owner": "another-team"} if kind == "changes" else {})


def context(name: str, suffix: str | None = None) -> dict[str, str]:
    """All that a caller could put into a request about something of a stack."""
    end = f"-{name}-1a2b3c4" if suffix is None else suffix
    return {
        **tags(name),
        **tags(name, "RequestTag"),
        "iam:PermissionsBoundary": boundary_arn(name),
        "iam:PassedToService": "lambda.amazonaws.com",
        "lambda:FunctionArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:ProcessOrder{end}",
        "sns:Protocol": "sqs",
        "sns:Endpoint": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:OrderQueue{end}",
        "kms:EncryptionContext:stack": f"orders/{name}",
    }


def arn(resource: Resource, name: str, suffix: str | None = None) -> str:
    """Its ARN in a stack, as Pulumi.yaml ends the name; what AWS names itself has no such end."""
    bare = CALLS[resource.type].on(resource)
    own = bare == "*" or ":key/" in bare or ":event-source-mapping:" in bare or ":dashboard/" in bare
    return bare if own else bare + (f"-{name}-1a2b3c4" if suffix is None else suffix)


def custom(name: str) -> list[Resource]:
    """The resources of a stack that exist at AWS."""
    return [resource for resource in stack(name).resources if resource.custom]


def state_of(name: str) -> list[str]:
    """Where the state's bucket has something of a stack, below `.pulumi/`."""
    return [
        f"stacks/orders/{name}.json",
        f"stacks/orders/{name}.json.bak",
        f"history/orders/{name}/{name}-1.history.json",
        f"backups/orders/{name}/{name}.1.json",
        f"locks/organization/orders/{name}/1.json",
    ]
