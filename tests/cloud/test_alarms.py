"""The deployed alarms ring, stop and notify on the local cloud, which evaluates them but publishes no series itself."""

import json
import re
import time
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from tests.defaults import LOCAL
from tests.ops.cloud import hand_over, wait_for
from tools.cloud.deploy import deployed
from tools.cloud.deployment import Deployment

PATIENCE = 30.0
"""Seconds after which a test gives up waiting for something that takes a few."""


@pytest.fixture
def own() -> Iterator[Deployment]:
    """A cloud for one test: a value that is once measured cannot be taken back."""
    with deployed(config=LOCAL) as deployment:
        yield deployment


@pytest.fixture
def pager(own: Deployment) -> str:
    """The URL of a queue that is notified as an operator's address would be."""
    sqs, topic = own.client("sqs"), own.outputs["alarmTopicArn"]
    url = str(sqs.create_queue(QueueName="pager")["QueueUrl"])
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    own.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    return url


def pages(deployment: Deployment, pager: str, names: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The next notification of each of these alarms, by name."""
    sqs, received = deployment.client("sqs"), dict[str, dict[str, Any]]()
    deadline = time.monotonic() + PATIENCE
    while not received.keys() >= set(names) and time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=pager, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            sqs.delete_message(QueueUrl=pager, ReceiptHandle=message["ReceiptHandle"])
            page = json.loads(json.loads(message["Body"])["Message"])
            received[page["AlarmName"]] = page
    return {name: received[name] for name in names}


def alarms(deployment: Deployment) -> dict[str, dict[str, Any]]:
    answer = deployment.client("cloudwatch").describe_alarms()
    return {alarm["AlarmName"]: alarm for alarm in answer["MetricAlarms"]}


def measure(deployment: Deployment, alarm: dict[str, Any], value: float) -> None:
    """Publish a value of the alarm's series, as AWS does every minute; only an emulator lets us do it for AWS."""
    datum = {"MetricName": alarm["MetricName"], "Dimensions": alarm["Dimensions"], "Value": value}
    deployment.client("cloudwatch").put_metric_data(Namespace=alarm["Namespace"], MetricData=[datum])


def test_every_alarm_rings_above_its_threshold_and_says_so_and_when_it_is_over(own: Deployment, pager: str) -> None:
    for alarm in alarms(own).values():
        measure(own, alarm, alarm["Threshold"])
    assert {alarm["StateValue"] for alarm in alarms(own).values()} == {"OK"}
    names = set(alarms(own))
    assert {page["NewStateValue"] for page in pages(own, pager, names).values()} == {"OK"}

    for alarm in alarms(own).values():
        measure(own, alarm, alarm["Threshold"] + 1)
    for name, page in pages(own, pager, names).items():
        assert page["NewStateValue"] == "ALARM"
        assert page["AlarmDescription"].endswith(f"docs/runbook.md#{name.removeprefix('OrderAlarms-')}")

    for name in names:
        own.client("cloudwatch").set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a test")
    assert {page["NewStateValue"] for page in pages(own, pager, names).values()} == {"OK"}


def test_what_the_log_filters_count_of_a_batch_is_what_the_alarms_watch(deployment: Deployment) -> None:
    """The local cloud only keeps the filters; CloudWatch Logs would publish this.

    https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
    """
    line, counted = summary_of_one_rejected(deployment), dict[tuple[str, str], int]()
    group = deployment.outputs["logGroupName"]
    for each in deployment.client("logs").describe_metric_filters(logGroupName=group)["metricFilters"]:
        wanted = re.fullmatch(r'\{ \$\.message = "(.+)" && \$\.(\w+) >= 0 \}', each["filterPattern"])
        assert wanted
        if line["message"] == wanted[1] and line[wanted[2]] >= 0:
            [metric] = each["metricTransformations"]
            series = metric["metricNamespace"], metric["metricName"]
            counted[series] = line[metric["metricValue"].removeprefix("$.")]
    for name, count in (("orders-rejected", 1), ("orders-failed", 0)):
        alarm = alarms(deployment)[f"OrderAlarms-{name}"]
        assert (counted[alarm["Namespace"], alarm["MetricName"]], alarm["Threshold"]) == (count, 0)


def summary_of_one_rejected(deployment: Deployment) -> dict[str, Any]:
    """What the function logs of a batch of one message, which breaks the contract."""
    started = int(time.time() * 1000)
    hand_over(deployment, {"orderId": "O1"})

    def look() -> list[dict[str, Any]]:
        events = deployment.client("logs").filter_log_events(
            logGroupName=deployment.outputs["logGroupName"], startTime=started
        )["events"]
        lines = [json.loads(each["message"]) for each in events if "batch processed" in each["message"]]
        return [line for line in lines if line["records"] == line["rejected"] == 1]

    return dict(wait_for(look, "a summary")[0])
