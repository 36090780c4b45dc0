"""What the local cloud can keep, by Pulumi type: how each is created, read, changed and deleted through boto3.

What a type is besides, its names, defaults and computed outputs, stands in `tools/recording/types.py`.
"""

from collections.abc import Mapping

from tools.cloud.resources.cloudwatch import Dashboard, LogGroup, LogMetricFilter, MetricAlarm
from tools.cloud.resources.dynamodb import Table
from tools.cloud.resources.functions import EventSourceMapping, Function
from tools.cloud.resources.iam import Role, RolePolicy
from tools.cloud.resources.keeper import Keeper, Values
from tools.cloud.resources.kms import Alias, Key
from tools.cloud.resources.sns import Topic, TopicPolicy, TopicSubscription
from tools.cloud.resources.sqs import Queue, QueuePolicy, RedriveAllowPolicy

__all__ = ["KEEPERS", "Keeper", "Values"]

KEEPERS: Mapping[str, type[Keeper]] = {
    "aws:cloudwatch/dashboard:Dashboard": Dashboard,
    "aws:cloudwatch/logGroup:LogGroup": LogGroup,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": LogMetricFilter,
    "aws:cloudwatch/metricAlarm:MetricAlarm": MetricAlarm,
    "aws:dynamodb/table:Table": Table,
    "aws:iam/role:Role": Role,
    "aws:iam/rolePolicy:RolePolicy": RolePolicy,
    "aws:kms/alias:Alias": Alias,
    "aws:kms/key:Key": Key,
    "aws:lambda/eventSourceMapping:EventSourceMapping": EventSourceMapping,
    "aws:lambda/function:Function": Function,
    "aws:sns/topic:Topic": Topic,
    "aws:sns/topicPolicy:TopicPolicy": TopicPolicy,
    "aws:sns/topicSubscription:TopicSubscription": TopicSubscription,
    "aws:sqs/queue:Queue": Queue,
    "aws:sqs/queuePolicy:QueuePolicy": QueuePolicy,
    "aws:sqs/redriveAllowPolicy:RedriveAllowPolicy": RedriveAllowPolicy,
}
"""Who keeps the resources of each type."""
