"""What the AWS provider adds to a resource, by type: names, defaults and computed outputs.

Held to a recorded run of the real engine by `tests/policy/test_faithful.py`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Type:
    """One resource type of the provider."""

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


TYPES: Mapping[str, Type] = {
    "aws:cloudwatch/dashboard:Dashboard": Type(
        named=None, computed=("dashboardArn",), replaced_by=frozenset({"dashboardName"})
    ),
    "aws:cloudwatch/logGroup:LogGroup": Type(
        computed=("arn", "logGroupClass"), replaced_by=frozenset({"name", "logGroupClass"})
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Type(replaced_by=frozenset({"name", "logGroupName"})),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Type(
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        computed=("arn", "evaluateLowSampleCountPercentiles"),
        replaced_by=frozenset({"name"}),
    ),
    "aws:dynamodb/table:Table": Type(
        defaults={"billingMode": "PROVISIONED"},
        computed=("arn", "readCapacity", "streamArn", "streamLabel", "streamViewType", "writeCapacity"),
        replaced_by=frozenset({"name", "hashKey", "rangeKey"}),
    ),
    "aws:iam/role:Role": Type(
        defaults={"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
        computed=("arn", "createDate", "inlinePolicies", "managedPolicyArns", "uniqueId"),
        replaced_by=frozenset({"name", "path"}),
    ),
    "aws:iam/rolePolicy:RolePolicy": Type(replaced_by=frozenset({"name", "role"})),
    "aws:kms/alias:Alias": Type(prefix="alias/", computed=("arn", "targetKeyArn"), replaced_by=frozenset({"name"})),
    "aws:kms/key:Key": Type(
        named=None,
        defaults={
            "bypassPolicyLockoutSafetyCheck": False,
            "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
            "isEnabled": True,
            "keyUsage": "ENCRYPT_DECRYPT",
        },
        computed=("arn", "keyId", "multiRegion", "policy", "rotationPeriodInDays"),
        replaced_by=frozenset({"customerMasterKeySpec", "keyUsage", "multiRegion"}),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Type(
        named=None,
        computed=(
            *("arn", "functionArn", "lastModified", "maximumRecordAgeInSeconds", "parallelizationFactor", "state"),
            "uuid",
        ),
        replaced_by=frozenset({"eventSourceArn"}),
    ),
    "aws:lambda/function:Function": Type(
        defaults={
            "packageType": "Zip",
            "publish": False,
            "reservedConcurrentExecutions": -1,
            "skipDestroy": False,
            "memorySize": 128,
            "timeout": 3,
        },
        computed=(
            *("arn", "ephemeralStorage", "invokeArn", "lastModified", "qualifiedArn", "sourceCodeHash"),
            *("sourceCodeSize", "version"),
        ),
        replaced_by=frozenset({"name", "packageType"}),
    ),
    "aws:sns/topic:Topic": Type(
        computed=("arn", "beginningArchiveTime", "owner", "policy", "signatureVersion", "tracingConfig"),
        replaced_by=frozenset({"name", "fifoTopic"}),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Type(named=None, computed=("owner",), replaced_by=frozenset({"arn"})),
    "aws:sns/topicSubscription:TopicSubscription": Type(
        named=None,
        defaults={"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False},
        computed=("arn", "confirmationWasAuthenticated", "filterPolicyScope", "ownerId", "pendingConfirmation"),
        replaced_by=frozenset({"endpoint", "protocol", "topic"}),
    ),
    "aws:sqs/queue:Queue": Type(
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
            *("arn", "kmsDataKeyReusePeriodSeconds", "policy", "redriveAllowPolicy", "redrivePolicy"),
            *("sqsManagedSseEnabled", "url"),
        ),
        replaced_by=frozenset({"name", "fifoQueue"}),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Type(named=None, replaced_by=frozenset({"queueUrl"})),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": Type(named=None, replaced_by=frozenset({"queueUrl"})),
}
"""The types that the program registers, by Pulumi type token."""


def type_of(token: str) -> Type:
    """What is known of a type; of one that the program does not use, that it has an ARN and nothing else."""
    return TYPES.get(token, Type(named=None, computed=("arn",)))


def checked(token: str, name: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs as the provider's check returns them: what the program set, the physical name, and defaults.

    The name is the bare one, as under `pulumi:autonaming: {mode: verbatim}`.
    """
    type_ = type_of(token)
    naming = {} if type_.named is None else {type_.named: type_.prefix + name}
    return {**type_.defaults, **naming, **inputs}
