"""Rules about being told: alarms on dead letters, and logs that are kept and encrypted."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from math import ceil, floor
from typing import Any

from framework import aws
from framework.redrive import is_dead_letter_queue
from framework.rule import Config, Rule, Undecided, Verdict, advice, switch, whole
from framework.stack import Resource, Stack
from framework.values import MISSING, UNKNOWN, inside, items, number
from pulumi_policy import Severity

_DEPTH = "ApproximateNumberOfMessagesVisible"
_ABOVE = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric that an alarm watches."""

    namespace: Any
    name: Any
    queue: Any
    """The dimension QueueName."""
    period: Any
    """Seconds of one datapoint."""
    key: str
    """The alarm's property that states it."""


def metrics_of(alarm: Resource) -> list[Metric]:
    """Return what an alarm watches, stated plainly or by metric queries."""
    stated = [(alarm.get, "dimensions")]
    stated += [(partial(inside, query, "metric"), "metricQueries") for query in items(alarm.get("metricQueries"))]
    metrics = [
        Metric(
            namespace=read("namespace"),
            name=read("metricName"),
            queue=inside(read("dimensions"), "QueueName"),
            period=read("period"),
            key=key,
        )
        for read, key in stated
    ]
    return [metric for metric in metrics if metric.queue is not MISSING]


def dead_letters_raise_alarm(queue: Resource, stack: Stack, config: Config) -> Iterator[Verdict]:
    """Somebody is told when a dead letter arrives, by the metric that does count it."""
    if not is_dead_letter_queue(queue, stack):
        return
    alarms = _alarms_on(queue, stack)
    if not alarms:
        yield "has no alarm on the messages in it"
        return
    complaints = [list(_weaknesses(alarm, metric, config)) for alarm, metric in alarms]
    if all(complaints):
        for (alarm, _), found in zip(alarms, complaints, strict=True):
            yield f"has alarm {alarm.name}, which {' and '.join(found)}"
    elif all(found or _partly_unknown(*each) for found, each in zip(complaints, alarms, strict=True)):
        yield Undecided("alarm")


def _partly_unknown(alarm: Resource, metric: Metric) -> bool:
    deciding = ("threshold", "comparisonOperator", "evaluationPeriods", "datapointsToAlarm", "actionsEnabled")
    return UNKNOWN in (metric.name, metric.period, *(alarm.get(key) for key in deciding))


def _alarms_on(queue: Resource, stack: Stack) -> list[tuple[Resource, Metric]]:
    alarms = [
        *stack.pointing(queue, aws.ALARM, "dimensions", "QueueName"),
        *stack.pointing(queue, aws.ALARM, "metricQueries", "metric", "dimensions", "QueueName"),
    ]
    return [
        (alarm, metric)
        for alarm in dict.fromkeys(alarms)
        if not alarm.apart(queue)
        for metric in metrics_of(alarm)
        if queue in stack.named(alarm, aws.QUEUE, metric.queue, metric.key)
    ]


def _weaknesses(alarm: Resource, metric: Metric, config: Config) -> Iterator[str]:
    if metric.name == "NumberOfMessagesSent":
        yield f"watches NumberOfMessagesSent: a redrive does not count as sent, so use {_DEPTH}"
    elif metric.name not in (_DEPTH, UNKNOWN) or metric.namespace not in ("AWS/SQS", UNKNOWN):
        yield f"watches {metric.namespace} {metric.name}, not AWS/SQS {_DEPTH}"
    if alarm.get("comparisonOperator") not in (*_ABOVE, UNKNOWN):
        yield "does not fire above a threshold"
    yield from _slowness(alarm, metric, config)
    if alarm.get("actionsEnabled") is False or (config["requireActions"] and not items(alarm.get("alarmActions"))):
        yield "tells nobody (alarmActions, actionsEnabled)"
    if alarm.get("treatMissingData") == "breaching":
        yield "fires when there is no data"


def _slowness(alarm: Resource, metric: Metric, config: Config) -> Iterator[str]:
    """Say how many messages, and how many minutes of them, it takes until the alarm fires, where that is too much."""
    threshold = number(alarm.get("threshold"))
    if threshold is not None:
        beyond = alarm.get("comparisonOperator") == _ABOVE[0]
        messages = floor(threshold) + 1 if beyond else ceil(threshold)
        if messages > config["maxThreshold"]:
            yield f"fires at {messages} messages, more than {config['maxThreshold']}"
    datapoints = [number(alarm.get(key)) for key in ("datapointsToAlarm", "evaluationPeriods")]
    period, needed = number(metric.period), next((each for each in datapoints if each is not None), 1)
    if period is not None and period * needed > config["maxMinutes"] * 60:
        yield f"fires after {period * needed / 60:g} minutes, more than {config['maxMinutes']}"


def log_group_kept_and_encrypted(group: Resource, config: Config) -> Iterator[Verdict]:
    """Logs are kept long enough to be of use, not forever, and encrypted."""
    days = number(group.get("retentionInDays"))
    if group.get("retentionInDays") is UNKNOWN:
        yield Undecided("retentionInDays")
    elif not days:
        yield "keeps logs forever (retentionInDays)"
    elif days < config["minDays"]:
        yield f"keeps logs for {days:g} days, less than {config['minDays']}"
    if config["requireCmk"] and group.get("kmsKeyId") is MISSING:
        yield "has no kmsKeyId"


def function_declares_log_group(function: Resource, stack: Stack, _config: Config) -> Iterator[Verdict]:
    """The function writes to a log group of this stack, not to one that Lambda makes up."""
    logging = function.get("loggingConfig")
    group = inside(logging, "logGroup")
    if group is not MISSING:
        if logging is not UNKNOWN and not stack.named(function, aws.LOG_GROUP, group, "loggingConfig"):
            yield "logs to a group that is not in this stack"
        return
    name = function.get("name")
    if isinstance(name, str) and stack.find(aws.LOG_GROUP, f"/aws/lambda/{name}"):
        return
    if stack.pointing(function, aws.LOG_GROUP, "name"):
        return  # a name made from the function's own
    yield "has no log group in this stack, so Lambda makes one without retention or key"


RULES = (
    Rule(
        name="sqs-dlq-has-alarm",
        requires="Every dead-letter queue must have an alarm on the messages in it.",
        remedy=f"add a MetricAlarm on AWS/SQS {_DEPTH} for the queue, at 1 message or fewer, with alarmActions and "
        "treatMissingData notBreaching.",
        pillar="REL06",
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/dead-letter-queues-alarms-cloudwatch.html",
        on=(aws.QUEUE,),
        settings=(
            whole("maxThreshold", 1, "Most messages that it may take until the alarm fires."),
            whole("maxMinutes", 60, "Most minutes that it may take until the alarm fires."),
            switch("requireActions", "Whether the alarm must tell somebody.", default=True),
        ),
        check_in_stack=dead_letters_raise_alarm,
    ),
    Rule(
        name="log-group-retention-encryption",
        requires="A log group must have a retention and a key.",
        remedy="set retentionInDays to 30 or more, and kmsKeyId.",
        severity=Severity.MEDIUM,
        pillar="SEC08",
        maps_to=("Security Hub CloudWatch.16", "Checkov CKV_AWS_66", "Checkov CKV_AWS_158", "Checkov CKV_AWS_338"),
        link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
        on=(aws.LOG_GROUP,),
        settings=(
            whole("minDays", 30, "Fewest days that logs are kept.", 1),
            switch("requireCmk", "Whether a key of one's own is needed.", default=True),
        ),
        check=log_group_kept_and_encrypted,
    ),
    advice(
        name="lambda-log-group-declared",
        requires="Every function must log to a log group of its stack.",
        remedy="create a LogGroup before the function and pass its name in loggingConfig.logGroup.",
        pillar="OPS04",
        maps_to=("serverless-rules WS1004",),
        link="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html",
        on=(aws.FUNCTION,),
        check_in_stack=function_declares_log_group,
    ),
)
