"""The alarms on what the function logs watch what the log filters count of it."""

import json
import re
import time
from typing import Any

from tests.ops.cloud import hand_over, wait_for
from tools.cloud.deployment import Deployment


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
    watched = {"OrderAlarms-orders-rejected": 1, "OrderAlarms-orders-failed": 0}
    alarms = deployment.client("cloudwatch").describe_alarms(AlarmNames=list(watched))["MetricAlarms"]
    assert len(alarms) == 2
    for alarm in alarms:
        count = watched[alarm["AlarmName"]]
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
