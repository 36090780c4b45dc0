"""Cases of the rules about being told and keeping: alarms, logs and tables."""

from typing import Any

from framework import aws

from tests.policy.case import (
    DEAD_LETTER_ALARM,
    TOPIC,
    Case,
    alarmed,
    dead,
    fails,
    function,
    logs,
    malformed,
    passes,
    table,
    unknown,
)
from tests.policy.cases_queues import UNKNOWN, queue
from tests.policy.pipeline import Change, Ref, added, given, without

QUERY = {
    "id": "depth",
    "metric": {
        "namespace": "AWS/SQS",
        "metricName": "ApproximateNumberOfMessagesVisible",
        "dimensions": {"QueueName": Ref("OrderQueue-dlq", "name")},
    },
}
BY_QUERY: dict[str, Any] = {"namespace": None, "metricName": None, "dimensions": None, "metricQueries": [QUERY]}
OF_ORDERS = {"QueueName": Ref("OrderQueue", "name")}
TWINS = (
    dead(name="dead", region="eu-west-1"),
    queue("there", name="dead", region="us-east-1", kmsMasterKeyId=None),
    added(aws.EVENT_BUS, "bus", deadLetterConfig={"arn": Ref("there")}),
)
DAY = 86_400


def dead_alarm(**inputs: Any) -> Change:
    return given(DEAD_LETTER_ALARM, **inputs)


CASES: dict[str, list[Case]] = {
    "sqs-dlq-has-alarm": [
        passes("a metric query", dead_alarm(**BY_QUERY)),
        passes("one good alarm among several", alarmed("OrderQueue-dlq", threshold=100)),
        passes("a higher threshold if the team says so", dead_alarm(threshold=4), maxThreshold=5),
        passes("no action if the team says so", dead_alarm(alarmActions=None), requireActions=False),
        passes("at the first", dead_alarm(threshold=1, comparisonOperator="GreaterThanOrEqualToThreshold")),
        passes("after an hour", dead_alarm(period=1200, evaluationPeriods=3)),
        passes("after one minute of seven days", dead_alarm(period=60, evaluationPeriods=10_080, datapointsToAlarm=1)),
        passes("after a day if the team says so", dead_alarm(period=DAY, evaluationPeriods=1), maxMinutes=1440),
        fails("none", without(DEAD_LETTER_ALARM)),
        fails("the metric that does not count redriven messages", dead_alarm(metricName="NumberOfMessagesSent")),
        fails("the wrong way round", dead_alarm(comparisonOperator="LessThanThreshold")),
        fails("above the first", dead_alarm(threshold=1)),
        fails("after seven days", dead_alarm(period=DAY, evaluationPeriods=7, datapointsToAlarm=None)),
        fails("in another region", dead_alarm(region="us-east-1"), dead(region="eu-west-1")),
        fails(
            "on a queue of the same name in another region",
            *TWINS,
            dead_alarm(region="us-east-1", dimensions={"QueueName": "dead"}),
        ),
        fails("nobody is told", dead_alarm(alarmActions=[])),
        fails("actions switched off", dead_alarm(actionsEnabled=False)),
        fails("missing data", dead_alarm(treatMissingData="breaching")),
        fails("another queue", dead_alarm(dimensions=OF_ORDERS)),
        unknown("the queue's name is unknown but depended on", dead_alarm(dimensions=OF_ORDERS), breaks=True),
        *(
            unknown(f"the {name} is unknown", dead_alarm(**{name: UNKNOWN}), waits=True)
            for name in ("metricName", "threshold", "period", "actionsEnabled")
        ),
        malformed("dimensions that are a text", dead_alarm(dimensions="dead")),
    ],
    "log-group-retention-encryption": [
        passes("shorter if the team says so", logs(retentionInDays=7), minDays=7),
        passes("no key if the team says so", logs(kmsKeyId=None), requireCmk=False),
        fails("forever", logs(retentionInDays=None)),
        fails("29 days", logs(retentionInDays=29)),
        fails("no key", logs(kmsKeyId=None)),
        unknown("the retention is unknown", logs(retentionInDays=UNKNOWN), waits=True),
        malformed("not a number", logs(retentionInDays="long")),
    ],
    "lambda-log-group-declared": [
        passes(
            "by Lambda's own name",
            function(loggingConfig=None, name="ProcessOrder"),
            logs(name="/aws/lambda/ProcessOrder"),
        ),
        passes(
            "by a name made from the function's", function(loggingConfig=None), logs(name=Ref("ProcessOrder", "name"))
        ),
        fails("none", function(loggingConfig=None)),
        fails("a group elsewhere", function(loggingConfig={"logGroup": "/shared"})),
        unknown("the group is unknown but depended on"),
        malformed("a text", function(loggingConfig="logs")),
    ],
    "dynamodb-table-protected": [
        passes("protected in production", table(deletionProtectionEnabled=True), stack="prod"),
        passes("the key of AWS if the team says so", table(serverSideEncryption=None), requireCmk=False),
        passes("no recovery if the team says so", table(pointInTimeRecovery=None), requirePitr=False),
        fails("no recovery", table(pointInTimeRecovery=None)),
        fails("no key", table(serverSideEncryption={"enabled": True})),
        fails("encryption not set", table(serverSideEncryption=None)),
        fails("deletable in production", stack="prod"),
        unknown("the recovery is unknown", table(pointInTimeRecovery={"enabled": TOPIC}), breaks=True, waits=True),
        malformed("a text", table(pointInTimeRecovery="yes")),
    ],
    "dynamodb-capacity-follows-load": [
        passes(
            "scaled",
            table(billingMode="PROVISIONED", name="Orders"),
            added(aws.SCALING_TARGET, "scaling", resourceId="table/Orders"),
        ),
        passes(
            "scaled by a name that is unknown in preview",
            table(billingMode="PROVISIONED"),
            added(aws.SCALING_TARGET, "scaling", resourceId=UNKNOWN),
        ),
        fails("fixed", table(billingMode="PROVISIONED")),
        fails("fixed by default", table(billingMode=None)),
        unknown("the mode is unknown", table(billingMode=TOPIC)),
        malformed("a number", table(billingMode=1), breaks=False),
    ],
}
