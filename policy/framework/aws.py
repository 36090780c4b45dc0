"""What Pulumi calls the types of AWS, and what AWS assumes for a property that nobody sets."""

from collections.abc import Mapping
from typing import Any

QUEUE = "aws:sqs/queue:Queue"
QUEUE_POLICY = "aws:sqs/queuePolicy:QueuePolicy"
REDRIVE_POLICY = "aws:sqs/redrivePolicy:RedrivePolicy"
REDRIVE_ALLOW_POLICY = "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy"
TOPIC = "aws:sns/topic:Topic"
TOPIC_POLICY = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION = "aws:sns/topicSubscription:TopicSubscription"
FUNCTION = "aws:lambda/function:Function"
FUNCTION_URL = "aws:lambda/functionUrl:FunctionUrl"
FUNCTION_ALIAS = "aws:lambda/alias:Alias"
PERMISSION = "aws:lambda/permission:Permission"
MAPPING = "aws:lambda/eventSourceMapping:EventSourceMapping"
INVOKE_CONFIG = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
EVENT_TARGET = "aws:cloudwatch/eventTarget:EventTarget"
EVENT_BUS = "aws:cloudwatch/eventBus:EventBus"
SCHEDULE = "aws:scheduler/schedule:Schedule"
PIPE = "aws:pipes/pipe:Pipe"
TABLE = "aws:dynamodb/table:Table"
TABLE_POLICY = "aws:dynamodb/resourcePolicy:ResourcePolicy"
SCALING_TARGET = "aws:appautoscaling/target:Target"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
USER_POLICY = "aws:iam/userPolicy:UserPolicy"
GROUP_POLICY = "aws:iam/groupPolicy:GroupPolicy"
MANAGED_POLICY = "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
ATTACHMENTS = "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive"
POLICY_ATTACHMENT = "aws:iam/policyAttachment:PolicyAttachment"
KEY = "aws:kms/key:Key"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
KEY_GRANT = "aws:kms/grant:Grant"
KEY_ALIAS = "aws:kms/alias:Alias"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"

# What AWS or the provider assumes for a property that is not set. The CLI's provider check fills most of them in before
# a rule looks; a recorded run or a state file may not have them.
DEFAULTS: Mapping[tuple[str, str], Any] = {
    # https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SetQueueAttributes.html
    (QUEUE, "visibilityTimeoutSeconds"): 30,
    (QUEUE, "messageRetentionSeconds"): 345_600,
    (QUEUE, "fifoQueue"): False,
    (TOPIC, "fifoTopic"): False,
    # https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html
    (FUNCTION, "timeout"): 3,
    (FUNCTION, "packageType"): "Zip",
    # https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
    (MAPPING, "batchSize"): 10,
    (MAPPING, "maximumBatchingWindowInSeconds"): 0,
    (TABLE, "billingMode"): "PROVISIONED",
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
    (ALARM, "actionsEnabled"): True,
    (ALARM, "treatMissingData"): "missing",
    # https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateKey.html
    (KEY, "customerMasterKeySpec"): "SYMMETRIC_DEFAULT",
    (KEY, "deletionWindowInDays"): 30,
}
