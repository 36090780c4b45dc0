"""Rules about being told: alarms on dead letters, and logs that are kept and encrypted."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from framework.redrive import is_dead_letter_queue
from framework.rule import Config, Rule, Undecided, Verdict, switch, whole
from framework.stack import ALARM, FUNCTION, LOG_GROUP, QUEUE, Resource, Stack
from framework.values import MISSING, UNKNOWN, inside, items, number
from pulumi_policy import EnforcementLevel, Severity

_DEPTH = "ApproximateNumberOfMessagesVisible"
_ABOVE = ("GreaterThanThreshold", "GreaterThanOrEqualToThreshold")


@dataclass(frozen=True, kw_only=True)
class Metric:
    """One metric that an alarm watches."""

    namespace: Any
    name: Any
    queue: Any
    """The dimension QueueName."""
    key: str
    """The alarm's property that states it."""


def metrics_of(alarm: Resource) -> list[Metric]:
    """Return what an alarm watches, stated plainly or by metric queries."""
    metrics = [_metric(alarm.get("namespace"), alarm.get("metricName"), alarm.get("dimensions"), "dimensions")]
    for query in items(alarm.get("metricQueries")):
        metric = inside(query, "metric")
        values = [inside(metric, key) for key in ("namespace", "metricName", "dimensions")]
        metrics.append(_metric(values[0], values[1], values[2], "metricQueries"))
    return [metric for metric in metrics if metric.queue is not MISSING]


def _metric(namespace: Any, name: Any, dimensions: Any, key: str) -> Metric:
    return Metric(namespace=namespace, name=name, queue=inside(dimensions, "QueueName"), key=key)


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


def _alarms_on(queue: Resource, stack: Stack) -> list[tuple[Resource, Metric]]:
    alarms = [
        *stack.pointing(queue, ALARM, "dimensions", "QueueName"),
        *stack.pointing(queue, ALARM, "metricQueries", "metric", "dimensions", "QueueName"),
    ]
    return [
        (alarm, metric)
        for alarm in dict.fromkeys(alarms)
        for metric in metrics_of(alarm)
        if queue in stack.named(alarm, QUEUE, metric.queue, metric.key)
    ]


def _weaknesses(alarm: Resource, metric: Metric, config: Config) -> Iterator[str]:
    if metric.name == "NumberOfMessagesSent":
        yield f"watches NumberOfMessagesSent: a redrive does not count as sent, so use {_DEPTH}"
    elif metric.name not in (_DEPTH, UNKNOWN) or metric.namespace not in ("AWS/SQS", UNKNOWN):
        yield f"watches {metric.namespace} {metric.name}, not AWS/SQS {_DEPTH}"
    if alarm.get("comparisonOperator") not in (*_ABOVE, UNKNOWN):
        yield "does not fire above a threshold"
    threshold = number(alarm.get("threshold"))
    if threshold is not None and threshold > config["maxThreshold"]:
        yield f"fires at {threshold:g} messages, more than {config['maxThreshold']}"
    if alarm.get("actionsEnabled") is False or (config["requireActions"] and not _acts(alarm)):
        yield "tells nobody (alarmActions, actionsEnabled)"
    if alarm.get("treatMissingData") == "breaching":
        yield "fires when there is no data"


def _acts(alarm: Resource) -> bool:
    return bool(items(alarm.get("alarmActions")))


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
        if stack.named(function, LOG_GROUP, group, "loggingConfig") or logging is UNKNOWN:
            return
        yield "logs to a group that is not in this stack"
        return
    name = function.get("name")
    if isinstance(name, str) and stack.find(LOG_GROUP, f"/aws/lambda/{name}"):
        return
    if stack.pointing(function, LOG_GROUP, "name"):
        return  # a name made from the function's own
    yield "has no log group in this stack, so Lambda makes one without retention or key"


RULES = (
    Rule(
        name="sqs-dlq-has-alarm",
        requires="Every dead-letter queue must have an alarm on the messages in it.",
        why="A dead letter is an order that nobody has processed; without an alarm nobody knows until a customer "
        "calls.",
        remedy=f"add a MetricAlarm on AWS/SQS {_DEPTH} for the queue, at 1 message or fewer, with alarmActions and "
        "treatMissingData notBreaching.",
        level=EnforcementLevel.MANDATORY,
        severity=Severity.HIGH,
        pillar="REL06",
        maps_to=("Security Hub CloudWatch.15", "Security Hub CloudWatch.17", "Checkov CKV_AWS_319"),
        link="https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/dead-letter-queues-alarms-cloudwatch.html",
        on=(QUEUE,),
        settings=(
            whole("maxThreshold", 1, "Highest threshold of the alarm, in messages."),
            switch("requireActions", "Whether the alarm must tell somebody.", default=True),
        ),
        check_in_stack=dead_letters_raise_alarm,
    ),
    Rule(
        name="log-group-retention-encryption",
        requires="A log group must have a retention and a key.",
        why="Logs name orders and customers: forever is too long, a few days too short to find a fault in.",
        remedy="set retentionInDays to 30 or more, and kmsKeyId.",
        level=EnforcementLevel.MANDATORY,
        severity=Severity.MEDIUM,
        pillar="SEC08",
        maps_to=("Security Hub CloudWatch.16", "Checkov CKV_AWS_66", "Checkov CKV_AWS_158", "Checkov CKV_AWS_338"),
        link="https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
        on=(LOG_GROUP,),
        settings=(
            whole("minDays", 30, "Fewest days that logs are kept.", 1),
            switch("requireCmk", "Whether a key of one's own is needed.", default=True),
        ),
        check=log_group_kept_and_encrypted,
    ),
    Rule(
        name="lambda-log-group-declared",
        requires="Every function must log to a log group of its stack.",
        why="A group that Lambda makes up keeps logs forever, unencrypted, and outlives the stack.",
        remedy="create a LogGroup before the function and pass its name in loggingConfig.logGroup.",
        level=EnforcementLevel.ADVISORY,
        severity=Severity.MEDIUM,
        pillar="OPS04",
        maps_to=("serverless-rules WS1004",),
        link="https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html",
        on=(FUNCTION,),
        check_in_stack=function_declares_log_group,
    ),
)
