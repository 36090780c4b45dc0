"""What Pulumi and its AWS provider ask of AWS about the resources of a stack, for the tests of who may."""

import functools
from collections.abc import Callable

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


# What the provider calls over a resource's life, and on what; read off the service authorization reference and the
# provider's sources, and written down here apart from what the roles are granted.
CALLS: dict[str, tuple[Callable[[Resource], str], str, str]] = {
    "aws:sns/topic:Topic": (
        own_arn,
        "sns:GetTopicAttributes sns:ListTagsForResource",
        "sns:CreateTopic sns:SetTopicAttributes sns:Subscribe sns:TagResource sns:UntagResource sns:DeleteTopic",
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


def boundary_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/orders-{name}-boundary"


def tags(name: str, kind: str = "ResourceTag") -> dict[str, str]:
    return {f"aws:{kind}/project": "orders", f"aws:{kind}/stack": name}


def context(name: str, suffix: str | None = None) -> dict[str, str]:
    """What a request about something of a stack carries."""
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
    bare = CALLS[resource.type][0](resource)
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
