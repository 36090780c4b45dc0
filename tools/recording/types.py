"""What the AWS provider adds to a resource, by type: names, defaults, tags and computed outputs.

The recorder and the provider of the local cloud both read it; runs of the real engine hold it to what is sent there.
"""

import json
from collections.abc import Mapping
from typing import Any

from tools.recording.row import Arrow, Type, batches, filtered, receives

TYPES: Mapping[str, Type] = {
    "aws:cloudwatch/dashboard:Dashboard": Type(
        letters=(1, 255, "-_"),
        arn="arn:aws:cloudwatch::{account}:dashboard/{name}",
        tagged=False,
        named=None,
        computed="dashboardArn",
        replaced_by="dashboardName region",
        stops="",
        harmless="dashboardBody dashboardName",
        identity="dashboardName",
        box=("dashboard", "[{}]"),
    ),
    "aws:cloudwatch/logGroup:LogGroup": Type(
        letters=(1, 512, "-_./#"),
        arn="arn:aws:logs:{region}:{account}:log-group:{name}",
        defaults={"retentionInDays": 0, "skipDestroy": False},
        computed="arn logGroupClass",
        replaced_by="logGroupClass name region",
        holds="the lines in it that say why orders failed",
        instead="Export the lines that are needed first (`./orders tail`).",
        harmless="tags",
        rising="retentionInDays",
        box=("log group", "[{}]"),
    ),
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": Type(
        tagged=False,
        replaced_by="logGroupName name region",
        stops="the alarms that watch its count fall silent",
        replaceable=True,
        harmless="name",
        identity="logGroupName name",
        box=("log filter", "[{}]"),
        arrows=(Arrow(source="logGroupName", label=lambda _: "counts"),),
    ),
    "aws:cloudwatch/metricAlarm:MetricAlarm": Type(
        arn="arn:aws:cloudwatch:{region}:{account}:alarm:{name}",
        defaults={"actionsEnabled": True, "treatMissingData": "missing"},
        computed="arn evaluateLowSampleCountPercentiles",
        replaced_by="name region",
        stops="nobody is told any more when what it watches goes wrong",
        replaceable=True,
        instead="Keep it, or raise its threshold. If another alarm takes its place, say so in the allowance.",
        harmless="alarmDescription name tags",
        box=("alarm", "[{}]"),
        arrows=(Arrow(source="dimensions", line="-.-"), Arrow(target="alarmActions", label=lambda _: "notify")),
    ),
    "aws:dynamodb/table:Table": Type(
        letters=(3, 255, "-_."),
        arn="arn:aws:dynamodb:{region}:{account}:table/{name}",
        defaults={"billingMode": "PROVISIONED"},
        computed="arn readCapacity streamArn streamLabel streamViewType writeCapacity",
        replaced_by=(
            "hashKey importTable localSecondaryIndexes name rangeKey region restoreDateTime restoreSourceName "
            "restoreSourceTableArn restoreToLatestTime"
        ),
        holds="every order in it",
        instead="For another key, create the new table beside it, copy the orders, switch, and delete the old one in a "
        "later change. To hand it to another program, set `retain_on_delete` first, and import it there.",
        harmless="tags",
        rising="deletionProtectionEnabled pointInTimeRecovery.enabled pointInTimeRecovery.recoveryPeriodInDays",
        box=("DynamoDB table", "[({})]"),
    ),
    "aws:iam/role:Role": Type(
        letters=(1, 64, "-_+=,.@"),
        arn="arn:aws:iam::{account}:role/{name}",
        defaults={"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"},
        computed="arn createDate inlinePolicies managedPolicyArns uniqueId",
        replaced_by="name path",
        stops="",
        harmless="description forceDetachPolicies maxSessionDuration tags",
        reasoned="assumeRolePolicy",
    ),
    "aws:iam/rolePolicy:RolePolicy": Type(
        letters=(1, 128, "-_+=,.@"),
        tagged=False,
        replaced_by="name role",
        stops="",
        reasoned="name policy role",
        identity="role name",
    ),
    "aws:kms/alias:Alias": Type(
        letters=(7, 256, "-_/"),
        arn="arn:aws:kms:{region}:{account}:{name}",
        tagged=False,
        prefix="alias/",
        computed="arn targetKeyArn",
        replaced_by="name region",
        stops="",
        identity="name",
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
        computed="arn keyId multiRegion policy rotationPeriodInDays",
        replaced_by="customKeyStoreId customerMasterKeySpec keyUsage multiRegion region xksKeyId",
        stops="nothing that it encrypts can be read once it is gone, orders that wait and backups included",
        instead="Add the new key and move every user of the old one to it, but let whoever reads a queue keep "
        "`kms:Decrypt` on the old one until no order waits that it encrypts; remove it when no backup needs it.",
        harmless="description tags",
        rising="deletionWindowInDays enableKeyRotation",
        reasoned="policy",
        box=("KMS key", "{{{{{}}}}}"),
    ),
    "aws:lambda/eventSourceMapping:EventSourceMapping": Type(
        arn="arn:aws:lambda:{region}:{account}:event-source-mapping:{name}",
        named=None,
        defaults={"enabled": True},
        computed=(
            "arn functionArn lastModified maximumRecordAgeInSeconds maximumRetryAttempts parallelizationFactor state "
            "uuid"
        ),
        replaced_by=(
            "eventSourceArn queues region selfManagedEventSource startingPosition startingPositionTimestamp topics"
        ),
        stops="nothing reads the queue any more, and orders expire in it at the end of its retention",
        replaceable=True,
        instead="To stop for a while, have somebody watch the age of the oldest message.",
        harmless="tags",
        rising="batchSize enabled scalingConfig.maximumConcurrency",
        rehearsed="eventSourceArn functionName functionResponseTypes",
        identity="eventSourceArn functionName",
        arrows=(Arrow(source="eventSourceArn", target="functionName", label=batches),),
    ),
    "aws:lambda/function:Function": Type(
        letters=(1, 64, "-_"),
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
            "arn codeSha256 ephemeralStorage invokeArn lastModified qualifiedArn responseStreamingInvokeArn "
            "sourceCodeHash sourceCodeSize version"
        ),
        replaced_by="name packageType region tenancyConfig",
        stops="nothing stores orders any more; they go to the dead-letter queue or expire",
        replaceable=True,
        harmless="description name tags",
        rising="memorySize timeout",
        rehearsed="code handler role",
        box=("Lambda function", "({})"),
        arrows=(
            Arrow(target="environment", label=lambda _: "newest version of each order"),
            Arrow(target="loggingConfig", label=lambda _: "a summary of each batch"),
        ),
    ),
    "aws:sns/topic:Topic": Type(
        letters=(1, 256, "-_"),
        arn="arn:aws:sns:{region}:{account}:{name}",
        defaults={"contentBasedDeduplication": False, "fifoTopic": False},
        computed="arn beginningArchiveTime fifoThroughputScope owner policy signatureVersion tracingConfig",
        replaced_by="fifoTopic name region",
        stops="what producers publish to it is refused, and its subscriptions end",
        instead="Else in two steps: add the new topic, move producers and subscriptions, then remove the old one in a "
        "later change.",
        harmless="displayName tags",
        box=("SNS topic", ">{}]"),
    ),
    "aws:sns/topicPolicy:TopicPolicy": Type(
        tagged=False,
        named=None,
        computed="owner",
        replaced_by="arn region",
        stops="",
        reasoned="arn policy",
        identity="arn",
    ),
    "aws:sns/topicSubscription:TopicSubscription": Type(
        arn="arn:aws:sns:{region}:{account}:{name}",
        tagged=False,
        named=None,
        defaults={"confirmationTimeoutInMinutes": 1, "endpointAutoConfirms": False, "rawMessageDelivery": False},
        computed="arn confirmationWasAuthenticated filterPolicyScope ownerId pendingConfirmation",
        replaced_by="endpoint protocol region topic",
        stops="what is published until there is another one does not reach its queue",
        instead="Else add the new subscription first, and remove the old one in a later change; an order that arrives "
        "twice is stored once.",
        harmless="confirmationTimeoutInMinutes endpointAutoConfirms",
        rehearsed="filterPolicy",
        identity="topic protocol endpoint",
        arrows=(
            Arrow(source="topic", target="endpoint", label=filtered),
            Arrow(source="topic", target="redrivePolicy", label=lambda _: "cannot deliver", line="-.->"),
        ),
    ),
    "aws:sqs/queue:Queue": Type(
        letters=(1, 80, "-_"),
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
            "arn deduplicationScope fifoThroughputLimit kmsDataKeyReusePeriodSeconds policy redriveAllowPolicy "
            "redrivePolicy sqsManagedSseEnabled url"
        ),
        replaced_by="fifoQueue name region",
        holds="the orders waiting in it",
        instead="Else in two steps: add the new queue and let the old one run empty (`./orders status`; `dlq redrive` "
        "or `dlq export` for dead letters), then remove it in a later change.",
        harmless="receiveWaitTimeSeconds tags",
        rising="maxMessageSize messageRetentionSeconds redrivePolicy.maxReceiveCount visibilityTimeoutSeconds",
        box=("SQS queue", "[[{}]]"),
        arrows=(Arrow(target="redrivePolicy", label=receives, line="-.->"),),
    ),
    "aws:sqs/queuePolicy:QueuePolicy": Type(
        tagged=False,
        named=None,
        replaced_by="queueUrl region",
        stops="whom it lets in may not send to the queue any more, and SNS does not try again",
        replaceable=True,
        reasoned="policy queueUrl",
        identity="queueUrl",
    ),
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": Type(
        tagged=False,
        named=None,
        replaced_by="queueUrl region",
        stops="",
        identity="queueUrl",
    ),
    # What the foundation of an account needs besides.
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Type(
        arn="arn:aws:iam::{account}:oidc-provider/{name}", named=None, computed="arn"
    ),
    "aws:iam/policy:Policy": Type(arn="arn:aws:iam::{account}:policy/{name}", computed="arn"),
    "aws:s3/bucket:Bucket": Type(arn="arn:aws:s3:::{name}", named=None, computed="arn"),
}
"""By Pulumi type token."""


DEFAULTS = "__defaults"
"""Where the AWS provider keeps the names of the inputs that its check has filled in; the engine shows it no pack."""


def type_of(token: str) -> Type:
    """What is known of a type; of one that is not listed, that it has an ARN and nothing else."""
    service, _, kind = token.partition("/")
    arn = f"arn:{service}:{{region}}:{{account}}:{kind.split(':')[-1]}/{{name}}"
    return TYPES.get(token, Type(named=None, computed="arn", arn=arn, tagged=False))


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
