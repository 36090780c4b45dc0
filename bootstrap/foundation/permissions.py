"""What the workflows may do: per kind of resource, what a preview reads and what a deployment writes on top.

Names are patterns because Pulumi adds a suffix of its own to each; a resource of another name needs its pattern here.
Where AWS lets an action be limited, and to what:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

import pulumi

from foundation.account import Account
from foundation.grant import Grant

OF_ORDERS = {"aws:ResourceTag/project": "orders"}
"""Marks the stacks' own keys, which have no name: every stack tags what it creates."""
_TAGGED_ORDERS = {"aws:RequestTag/project": "orders"}


def of_stacks(account: Account, *, boundary_arn: pulumi.Input[str]) -> list[Grant]:
    """Everything that the stacks consist of, but for the use of their keys."""
    return [
        *_of_messages(account),
        *_of_function(account),
        *_of_role(account, boundary_arn),
        *_of_monitoring(account),
        *_of_key_administration(account),
        *_of_smoke_test(account),
    ]


def _of_messages(account: Account) -> list[Grant]:
    return [
        Grant(
            sid="Topics",
            service="sns",
            resources=[account.arn("sns", "Order*")],
            read="GetTopicAttributes ListSubscriptionsByTopic ListTagsForResource",
            write="CreateTopic DeleteTopic SetTopicAttributes Subscribe TagResource UntagResource",
        ),
        Grant(
            sid="Subscriptions",
            service="sns",
            resources=["*"],
            read="GetSubscriptionAttributes",
            write="SetSubscriptionAttributes Unsubscribe",
        ),
        Grant(
            sid="Queues",
            service="sqs",
            resources=[account.arn("sqs", "Order*")],
            read="GetQueueAttributes GetQueueUrl ListQueueTags",
            write="CreateQueue DeleteQueue SetQueueAttributes TagQueue UntagQueue",
        ),
        Grant(
            sid="Table",
            service="dynamodb",
            resources=[account.arn("dynamodb", "table/Order*")],
            read="DescribeContinuousBackups DescribeTable DescribeTimeToLive ListTagsOfResource",
            write="CreateTable DeleteTable TagResource UntagResource UpdateContinuousBackups UpdateTable "
            "UpdateTimeToLive",
        ),
    ]


def _of_function(account: Account) -> list[Grant]:
    functions = account.arn("lambda", "function:ProcessOrder*")
    mappings = [account.arn("lambda", "event-source-mapping:*")]
    of_functions = {"ArnLike": {"lambda:FunctionArn": functions}}
    return [
        Grant(
            sid="Function",
            service="lambda",
            resources=[functions],
            read="GetFunction GetFunctionCodeSigningConfig GetFunctionConfiguration ListTags ListVersionsByFunction",
            write="CreateFunction DeleteFunction DeleteFunctionCodeSigningConfig DeleteFunctionConcurrency "
            "PutFunctionConcurrency TagResource UntagResource UpdateFunctionCode "
            "UpdateFunctionConfiguration",
        ),
        Grant(
            sid="NewMapping",
            service="lambda",
            resources=["*"],
            write="CreateEventSourceMapping",
            condition=of_functions,
        ),
        Grant(
            sid="Mappings",
            service="lambda",
            resources=mappings,
            read="GetEventSourceMapping",
            write="DeleteEventSourceMapping UpdateEventSourceMapping",
            condition=of_functions,
        ),
        Grant(
            sid="MappingTags",
            service="lambda",
            resources=mappings,
            read="ListTags",
            write="TagResource UntagResource",
        ),
    ]


def _of_role(account: Account, boundary_arn: pulumi.Input[str]) -> list[Grant]:
    """The function's role; nothing lets anyone create or change one outside the boundary, or take the boundary off.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """
    roles = [account.arn("iam", "role/ProcessOrder-role*", regional=False)]
    return [
        Grant(
            sid="Role",
            service="iam",
            resources=roles,
            read="GetRole GetRolePolicy ListAttachedRolePolicies ListInstanceProfilesForRole ListRolePolicies",
            write="TagRole UntagRole",
        ),
        Grant(
            sid="RoleInBoundary",
            service="iam",
            resources=roles,
            write="CreateRole DeleteRole DeleteRolePolicy DetachRolePolicy PutRolePermissionsBoundary PutRolePolicy "
            "UpdateAssumeRolePolicy UpdateRole UpdateRoleDescription",
            condition={"StringEquals": {"iam:PermissionsBoundary": boundary_arn}},
        ),
        Grant(
            sid="RoleForFunction",
            service="iam",
            resources=roles,
            write="PassRole",
            condition={"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}},
        ),
    ]


def _of_monitoring(account: Account) -> list[Grant]:
    return [
        Grant(
            sid="LogGroup",
            service="logs",
            resources=[account.arn("logs", "log-group:ProcessOrder*")],
            read="DescribeMetricFilters ListTagsForResource",
            write="AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteMetricFilter DeleteRetentionPolicy "
            "DisassociateKmsKey PutMetricFilter PutRetentionPolicy TagResource UntagResource",
        ),
        Grant(sid="LogGroups", service="logs", resources=["*"], read="DescribeLogGroups"),
        Grant(
            sid="Alarms",
            service="cloudwatch",
            resources=[account.arn("cloudwatch", "alarm:Order*")],
            read="ListTagsForResource",
            write="DeleteAlarms PutMetricAlarm TagResource UntagResource",
        ),
        Grant(
            sid="AlarmList",
            service="cloudwatch",
            resources=[account.arn("cloudwatch", "alarm:*")],
            read="DescribeAlarms",
        ),
        Grant(
            sid="Dashboard",
            service="cloudwatch",
            resources=[account.arn("cloudwatch", "dashboard/orders-*", regional=False)],
            read="GetDashboard",
            write="DeleteDashboards PutDashboard",
        ),
    ]


def _of_key_administration(account: Account) -> list[Grant]:
    keys = [account.arn("kms", "key/*")]
    return [
        Grant(
            sid="Keys",
            service="kms",
            resources=keys,
            read="DescribeKey GetKeyPolicy GetKeyRotationStatus ListResourceTags",
            write="CreateAlias DeleteAlias DisableKeyRotation EnableKey EnableKeyRotation PutKeyPolicy "
            "ScheduleKeyDeletion UntagResource UpdateAlias UpdateKeyDescription",
            condition={"StringEquals": OF_ORDERS},
        ),
        Grant(
            sid="NewKey",
            service="kms",
            resources=["*"],
            write="CreateKey",
            condition={"StringEquals": _TAGGED_ORDERS},
        ),
        # A new key has no tag yet; one that is tagged as another project's cannot be claimed.
        Grant(
            sid="NewKeyTag",
            service="kms",
            resources=keys,
            write="TagResource",
            condition={"StringEquals": _TAGGED_ORDERS, "StringEqualsIfExists": OF_ORDERS},
        ),
        Grant(
            sid="KeyAlias",
            service="kms",
            resources=[account.arn("kms", "alias/OrderKey*")],
            write="CreateAlias DeleteAlias UpdateAlias",
        ),
        Grant(sid="KeyAliases", service="kms", resources=["*"], read="ListAliases"),
    ]


def _of_smoke_test(account: Account) -> list[Grant]:
    """What `python -m ops publish --generate` and `verify` do, and of the table only the orders they made up."""
    return [
        Grant(sid="SmokePublish", service="sns", resources=[account.arn("sns", "OrderTopic*")], write="Publish"),
        Grant(
            sid="SmokeLog",
            service="logs",
            resources=[account.arn("logs", "log-group:ProcessOrder*")],
            write="FilterLogEvents",
        ),
        Grant(
            sid="SmokeRead",
            service="dynamodb",
            resources=[account.arn("dynamodb", "table/Order*")],
            write="BatchGetItem",
            condition={"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["G??????-*"]}},
        ),
    ]


def of_keys(account: Account) -> Grant:
    """The use of the stacks' keys through the services that encrypt on the caller's behalf, and never directly.

    Lambda shows a function's environment only to who may decrypt it; DynamoDB checks its key with the caller's rights.
    https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    https://docs.aws.amazon.com/kms/latest/developerguide/services-dynamodb.html
    """
    services = [f"{service}.{account.region}.amazonaws.com" for service in ("lambda", "dynamodb", "sns")]
    return Grant(
        sid="KeysThroughServices",
        service="kms",
        resources=[account.arn("kms", "key/*")],
        read="Decrypt",
        write="CreateGrant Encrypt GenerateDataKey* ReEncrypt*",
        condition={"StringEquals": {**OF_ORDERS, "kms:ViaService": services}},
    )
