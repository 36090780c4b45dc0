"""What workflows may do to a stack: per kind of resource, what a preview reads and what a deployment writes on top.

Names are patterns because Pulumi ends each with the stack's name and random digits; a resource of another name needs
its pattern here. Where AWS lets an action be limited, and to what:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import re
from typing import Any

import pulumi

from foundation.account import Stack
from foundation.grant import Grant, policy


def of_stack(stack: Stack, *, boundary_arn: pulumi.Input[str]) -> dict[str, list[Grant]]:
    """Everything that the stack consists of, but for the use of its key; in parts, each short enough for a policy."""
    return {
        "messages": _of_messages(stack),
        "function": [*_of_function(stack), *_of_role(stack, boundary_arn)],
        "monitoring": [*_of_monitoring(stack), *_of_smoke_test(stack)],
        "key": _of_key_administration(stack),
    }


def _of_messages(stack: Stack) -> list[Grant]:
    return [
        Grant(
            "Topics",
            stack.arn("sns", "Order"),
            read="sns:GetTopicAttributes sns:ListSubscriptionsByTopic sns:ListTagsForResource",
            write="sns:CreateTopic sns:DeleteTopic sns:SetTopicAttributes sns:TagResource sns:UntagResource",
        ),
        Grant(
            "SubscribeQueue",
            stack.arn("sns", "Order"),
            write="sns:Subscribe",
            condition={
                "StringEquals": {"sns:Protocol": "sqs"},
                "StringLike": {"sns:Endpoint": stack.arn("sqs", "Order")},
            },
        ),
        Grant(
            "SubscribeAddress",
            stack.arn("sns", "OrderAlarms"),
            write="sns:Subscribe",
            condition={"StringEquals": {"sns:Protocol": "email"}},
        ),
        Grant(
            "Subscriptions",
            "*",
            read="sns:GetSubscriptionAttributes",
            write="sns:SetSubscriptionAttributes sns:Unsubscribe",
        ),
        Grant(
            "Queues",
            stack.arn("sqs", "Order"),
            read="sqs:GetQueueAttributes sqs:GetQueueUrl sqs:ListQueueTags",
            write="sqs:CreateQueue sqs:DeleteQueue sqs:SetQueueAttributes sqs:TagQueue sqs:UntagQueue",
        ),
        Grant(
            "Table",
            stack.arn("dynamodb", "table/Order"),
            read="dynamodb:DescribeContinuousBackups dynamodb:DescribeTable dynamodb:DescribeTimeToLive "
            "dynamodb:ListTagsOfResource",
            write="dynamodb:CreateTable dynamodb:DeleteTable dynamodb:TagResource dynamodb:UntagResource "
            "dynamodb:UpdateContinuousBackups dynamodb:UpdateTable dynamodb:UpdateTimeToLive",
        ),
    ]


def _of_function(stack: Stack) -> list[Grant]:
    functions = stack.arn("lambda", "function:ProcessOrder")
    mappings = stack.account.arn("lambda", "event-source-mapping:*")
    of_functions = {"ArnLike": {"lambda:FunctionArn": functions}}
    return [
        Grant(
            "Function",
            functions,
            read="lambda:GetFunction lambda:GetFunctionCodeSigningConfig lambda:GetFunctionConfiguration "
            "lambda:ListTags lambda:ListVersionsByFunction",
            write="lambda:CreateFunction lambda:DeleteFunction lambda:DeleteFunctionCodeSigningConfig "
            "lambda:DeleteFunctionConcurrency lambda:PutFunctionConcurrency lambda:TagResource lambda:UntagResource "
            "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration",
        ),
        Grant("NewMapping", "*", write="lambda:CreateEventSourceMapping", condition=of_functions),
        Grant(
            "Mappings",
            mappings,
            read="lambda:GetEventSourceMapping",
            write="lambda:DeleteEventSourceMapping lambda:UpdateEventSourceMapping",
            condition=of_functions,
        ),
        # A new mapping has no tag yet, and tags decide nothing about one: its function does.
        Grant(
            "MappingTags",
            mappings,
            read="lambda:ListTags",
            write="lambda:TagResource lambda:UntagResource",
            condition={"StringEqualsIfExists": stack.tags("ResourceTag")},
        ),
    ]


def _of_role(stack: Stack, boundary_arn: pulumi.Input[str]) -> list[Grant]:
    """The function's role; nothing lets anyone create or change one outside the boundary, or take the boundary off.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    roles = stack.arn("iam", "role/ProcessOrder-role", regional=False)
    return [
        Grant(
            "Role",
            roles,
            read="iam:GetRole iam:GetRolePolicy iam:ListAttachedRolePolicies iam:ListInstanceProfilesForRole "
            "iam:ListRolePolicies",
            write="iam:TagRole iam:UntagRole",
        ),
        Grant(
            "RoleInBoundary",
            roles,
            write="iam:CreateRole iam:DeleteRole iam:DeleteRolePolicy iam:DetachRolePolicy "
            "iam:PutRolePermissionsBoundary iam:PutRolePolicy iam:UpdateAssumeRolePolicy iam:UpdateRole "
            "iam:UpdateRoleDescription",
            condition={"StringEquals": {"iam:PermissionsBoundary": boundary_arn}},
        ),
        Grant(
            "RoleForFunction",
            roles,
            write="iam:PassRole",
            condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        ),
    ]


def _of_monitoring(stack: Stack) -> list[Grant]:
    dashboard = re.sub(r"[^A-Za-z0-9_-]", "-", f"orders-{stack.name}")
    return [
        Grant(
            "LogGroup",
            stack.log_groups(),
            read="logs:DescribeMetricFilters logs:ListTagsForResource",
            write="logs:AssociateKmsKey logs:CreateLogGroup logs:DeleteLogGroup logs:DeleteMetricFilter "
            "logs:DeleteRetentionPolicy logs:DisassociateKmsKey logs:PutMetricFilter logs:PutRetentionPolicy "
            "logs:TagResource logs:UntagResource",
        ),
        Grant("LogGroups", "*", read="logs:DescribeLogGroups"),
        Grant(
            "Alarms",
            stack.arn("cloudwatch", "alarm:Order"),
            read="cloudwatch:ListTagsForResource",
            write="cloudwatch:DeleteAlarms cloudwatch:PutMetricAlarm cloudwatch:TagResource cloudwatch:UntagResource",
        ),
        Grant("AlarmList", stack.account.arn("cloudwatch", "alarm:*"), read="cloudwatch:DescribeAlarms"),
        Grant(
            "Dashboard",
            stack.account.arn("cloudwatch", f"dashboard/{dashboard}", regional=False),
            read="cloudwatch:GetDashboard",
            write="cloudwatch:DeleteDashboards cloudwatch:PutDashboard",
        ),
    ]


def _of_key_administration(stack: Stack) -> list[Grant]:
    keys = stack.account.arn("kms", "key/*")
    own, asked = stack.tags("ResourceTag"), stack.tags("RequestTag")
    return [
        Grant(
            "Keys",
            keys,
            read="kms:DescribeKey kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListResourceTags",
            write="kms:CreateAlias kms:DeleteAlias kms:DisableKeyRotation kms:EnableKey kms:EnableKeyRotation "
            "kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:UntagResource kms:UpdateAlias kms:UpdateKeyDescription",
            condition={"StringEquals": own},
        ),
        Grant("NewKey", "*", write="kms:CreateKey", condition={"StringEquals": asked}),
        # A new key has no tag yet; one that is tagged as another project's or stack's cannot be claimed.
        Grant(
            "NewKeyTag", keys, write="kms:TagResource", condition={"StringEquals": asked, "StringEqualsIfExists": own}
        ),
        # Changing one tag sends that tag alone, and never another project or stack.
        Grant("KeyTag", keys, write="kms:TagResource", condition={"StringEquals": own, "StringEqualsIfExists": asked}),
        Grant("KeyAlias", stack.arn("kms", "alias/OrderKey"), write="kms:CreateAlias kms:DeleteAlias kms:UpdateAlias"),
        Grant("KeyAliases", "*", read="kms:ListAliases"),
    ]


def _of_smoke_test(stack: Stack) -> list[Grant]:
    """What `./orders publish --generate` and `verify` do, and of the table only the orders they made up."""
    return [
        Grant("SmokePublish", stack.arn("sns", "OrderTopic"), write="sns:Publish"),
        Grant("SmokeLog", stack.log_groups(), write="logs:FilterLogEvents"),
        Grant(
            "SmokeRead",
            stack.arn("dynamodb", "table/Order"),
            write="dynamodb:BatchGetItem",
            condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["G??????-*"]}},
        ),
    ]


def of_keys(stack: Stack) -> Grant:
    """The use of the stack's key through the services that encrypt on the caller's behalf, and never directly.

    Lambda shows a function's environment only to who may decrypt it; DynamoDB checks its key with the caller's rights.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
    """
    services = [f"{service}.{stack.account.region}.amazonaws.com" for service in ("lambda", "dynamodb", "sns")]
    return Grant(
        "KeysThroughServices",
        stack.account.arn("kms", "key/*"),
        read="kms:Decrypt",
        write="kms:CreateGrant kms:Encrypt kms:GenerateDataKey* kms:ReEncrypt*",
        condition={"StringEquals": {**stack.tags("ResourceTag"), "kms:ViaService": services}},
    )


def boundary(stack: Stack) -> dict[str, Any]:
    """The policy that bounds the roles of a stack's functions, whatever their own say: what ProcessOrder does.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """

    def allow(sid: str, resources: str | list[str], *actions: str) -> dict[str, Any]:
        return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resources}

    queues, tables = stack.arn("sqs", "Order"), stack.arn("dynamodb", "table/Order")
    own_keys = {"Condition": {"StringEquals": stack.tags("ResourceTag")}}
    return policy(
        allow("Consume", queues, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        allow("Write", tables, "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"),
        {**allow("Decrypt", stack.account.arn("kms", "key/*"), "kms:Decrypt"), **own_keys},
        allow("Log", stack.log_groups(), "logs:CreateLogStream", "logs:PutLogEvents"),
        allow("Trace", "*", "xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    )
