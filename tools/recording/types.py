"""What the AWS provider adds to a resource, by type: names, defaults, tags and computed outputs.

The recorder and the provider of the local cloud both read it; runs of the real engine hold it to what is sent there.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Type:
    """One resource type of the provider."""

    arn: str = ""
    """The ARN, made of {region}, {account} and {name}; empty: none of its own."""
    named: str | None = "name"
    """Input that the provider's check names automatically if the program does not; None: nothing to name."""
    prefix: str = ""
    """What an automatic name begins with."""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Inputs that the provider's check fills in."""
    computed: tuple[str, ...] = ()
    """Outputs that only creation can tell; unknown in preview where the program does not set them."""
    replaced_by: frozenset[str] = frozenset()
    """Inputs whose change replaces the resource."""
    tagged: bool = True
    """Whether it takes tags: then `tagsAll` tells its own and the provider's default ones."""


TYPES: Mapping[str, Type] = {
    "aws:cloudwatch/dashboard:Dashboard": Type(
        arn="arn:aws:cloudwatch::{account}:dashboard/{name}",
        tagged=False,
        named=None,
        computed=("dashboardArn",),
        replaced_by=frozenset({"dashboardName", "region"}),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Type(
        arn="arn:aws:logs:{region}:{account}:log-group:{name}",
        defaults={"retentionInDays": 0, "skipDestroy": False},
        computed=("arn", "logGroupClass"),
        replaced_by=frozenset({"logGroupClass", "name", "region"}),
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Type(
        tagged=False, replaced_by=frozenset({"logGroupName", "name", "region"})
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Type(
        arn="arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        computed=("arn", "evaluateLowSampleCountPercentiles"),
        replaced_by=frozenset({"name", "region"}),
    ),
    "aws:dynamodb/table:Table": Type(
        arn="arn:aws:dynamodb:{region}:{account}:table/{name}",
        defaults={"billingMode": "PROVISIONED"},
        computed=("arn", "readCapacity", "streamArn", "streamLabel", "streamViewType", "writeCapacity"),
        replaced_by=frozenset(
            {
                *("hashKey", "importTable", "localSecondaryIndexes", "name", "rangeKey", "region", "restoreDateTime"),
                *("restoreSourceName", "restoreSourceTableArn", "restoreToLatestTime"),
            }
        ),
    ),
    "aws:iam/role:Role": Type(
        arn="arn:aws:iam::{account}:role/{name}",
        defaults={"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
        computed=("arn", "createDate", "inlinePolicies", "managedPolicyArns", "uniqueId"),
        replaced_by=frozenset({"name", "path"}),
    ),
    "aws:iam/rolePolicy:RolePolicy": Type(tagged=False, replaced_by=frozenset({"name", "role"})),
    "aws:kms/alias:Alias": Type(
        arn="arn:aws:kms:{region}:{account}:{name}",
        tagged=False,
        prefix="alias/",
        computed=("arn", "targetKeyArn"),
        replaced_by=frozenset({"name", "region"}),
    ),
    "aws:kms/key:Key": Type(
        arn="arn:aws:kms:{region}:{account}:key/{name}",
        named=None,
        defaults={
            "bypassPolicyLockoutSafetyCheck": False,
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "enableKeyRotation": False,
            "isEnabled": True,
            "keyUsage": "ENCRYPT_DECRYPT",
        },
        computed=("arn", "keyId", "multiRegion", "policy", "rotationPeriodInDays"),
        replaced_by=frozenset(
            {"customKeyStoreId", "customerMasterKeySpec", "keyUsage", "multiRegion", "region", "xksKeyId"}
        ),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Type(
        arn="arn:aws:lambda:{region}:{account}:event-source-mapping:{name}",
        named=None,
        defaults={"enabled": True},
        computed=(
            *("arn", "functionArn", "lastModified", "maximumRecordAgeInSeconds", "maximumRetryAttempts"),
            *("parallelizationFactor", "state", "uuid"),
        ),
        replaced_by=frozenset(
            {
                *("eventSourceArn", "queues", "region", "selfManagedEventSource", "startingPosition"),
                *("startingPositionTimestamp", "topics"),
            }
        ),
    ),
    "aws:lambda/function:Function": Type(
        arn="arn:aws:lambda:{region}:{account}:function:{name}",
        defaults={
            "packageType": "Zip",
            "publish": False,
            "reservedConcurrentExecutions": -1,
            "skipDestroy": False,
            "memorySize": 128,
            "timeout": 3,
        },
        computed=(
            *("arn", "codeSha256", "ephemeralStorage", "invokeArn", "lastModified", "qualifiedArn"),
            *("responseStreamingInvokeArn", "sourceCodeHash", "sourceCodeSize", "version"),
        ),
        replaced_by=frozenset({"name", "packageType", "region", "tenancyConfig"}),
    ),
    "aws:sns/topic:Topic": Type(
        arn="arn:aws:sns:{region}:{account}:{name}",
        defaults={"contentBasedDeduplication": False, "fifoTopic": False},
        computed=(
            *("arn", "beginningArchiveTime", "fifoThroughputScope", "owner", "policy", "signatureVersion"),
            "tracingConfig",
        ),
        replaced_by=frozenset({"fifoTopic", "name", "region"}),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Type(
        tagged=False, named=None, computed=("owner",), replaced_by=frozenset({"arn", "region"})
    ),
    "aws:sns/topicSubscription:TopicSubscription": Type(
        arn="arn:aws:sns:{region}:{account}:{name}",
        tagged=False,
        named=None,
        defaults={"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False, "rawMessageDelivery": False},
        computed=("arn", "confirmationWasAuthenticated", "filterPolicyScope", "ownerId", "pendingConfirmation"),
        replaced_by=frozenset({"endpoint", "protocol", "region", "topic"}),
    ),
    "aws:sqs/queue:Queue": Type(
        arn="arn:aws:sqs:{region}:{account}:{name}",
        defaults={
            "contentBasedDeduplication": False,
            "delaySeconds": 0,
            "fifoQueue": False,
            "maxMessageSize": 262144,
            "messageRetentionSeconds": 345600,
            "receiveWaitTimeSeconds": 0,
            "visibilityTimeoutSeconds": 30,
        },
        computed=(
            *("arn", "deduplicationScope", "fifoThroughputLimit", "kmsDataKeyReusePeriodSeconds", "policy"),
            *("redriveAllowPolicy", "redrivePolicy", "sqsManagedSseEnabled", "url"),
        ),
        replaced_by=frozenset({"fifoQueue", "name", "region"}),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Type(tagged=False, named=None, replaced_by=frozenset({"queueUrl", "region"})),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": Type(
        tagged=False, named=None, replaced_by=frozenset({"queueUrl", "region"})
    ),
    # What the foundation of an account needs besides.
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Type(
        arn="arn:aws:iam::{account}:oidc-provider/{name}", named=None, computed=("arn",)
    ),
    "aws:iam/policy:Policy": Type(arn="arn:aws:iam::{account}:policy/{name}", computed=("arn",)),
    "aws:s3/bucket:Bucket": Type(arn="arn:aws:s3:::{name}", named=None, computed=("arn",)),
}
"""By Pulumi type token."""


def type_of(token: str) -> Type:
    """What is known of a type; of one that is not listed, that it has an ARN and nothing else."""
    service, _, kind = token.partition("/")
    arn = f"arn:{service}:{{region}}:{{account}}:{kind.split(':')[-1]}/{{name}}"
    return TYPES.get(token, Type(named=None, computed=("arn",), arn=arn, tagged=False))


def checked(token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as the provider's check returns them: what the program set, the physical name, and defaults.

    `name` is the physical name where the program sets none.
    """
    type_ = type_of(token)
    naming = {} if type_.named is None else {type_.named: type_.prefix + name}
    return {**type_.defaults, **naming, **inputs}


def tags_of(token: str, inputs: Mapping[str, Any], default: Mapping[str, str]) -> dict[str, Any]:
    """The output that tells all tags of a resource, its own and the provider's; nothing for a type without tags."""
    return {"tagsAll": {**default, **(inputs.get("tags") or {})}} if type_of(token).tagged else {}


def default_tags(config: Mapping[str, str]) -> dict[str, str]:
    """The tags that the provider gives every resource, from the stack's configuration with full keys."""
    return dict(json.loads(config.get("aws:defaultTags") or "{}").get("tags") or {})
