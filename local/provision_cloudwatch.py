"""Creates the log groups, log filters, alarms and dashboards of the program on the local cloud."""

from collections.abc import Callable, Mapping
from typing import Any

from local.cloud import Cloud

Inputs = Mapping[str, Any]


def _log_group(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    logs = cloud.client("logs")
    logs.create_log_group(logGroupName=name, kmsKeyId=inputs["kmsKeyId"])
    logs.put_retention_policy(logGroupName=name, retentionInDays=int(inputs["retentionInDays"]))
    return {"id": name, "name": name, "arn": f"arn:aws:logs:{cloud.region}:{cloud.account}:log-group:{name}"}


def _log_metric_filter(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    metric = inputs["metricTransformation"]
    cloud.client("logs").put_metric_filter(
        logGroupName=inputs["logGroupName"],
        filterName=name,
        filterPattern=inputs["pattern"],
        metricTransformations=[
            {
                "metricNamespace": metric["namespace"],
                "metricName": metric["name"],
                "metricValue": metric["value"],
                "unit": metric["unit"],
            }
        ],
    )
    return {"id": name, "name": name}


def _metric_alarm(cloud: Cloud, name: str, inputs: Inputs) -> dict[str, Any]:
    one_of_two = {"Statistic": inputs.get("statistic"), "ExtendedStatistic": inputs.get("extendedStatistic")}
    cloud.client("cloudwatch").put_metric_alarm(
        AlarmName=name,
        AlarmDescription=inputs["alarmDescription"],
        Namespace=inputs["namespace"],
        MetricName=inputs["metricName"],
        Dimensions=[{"Name": key, "Value": value} for key, value in inputs.get("dimensions", {}).items()],
        **{key: value for key, value in one_of_two.items() if value is not None},
        Period=int(inputs["period"]),
        EvaluationPeriods=int(inputs["evaluationPeriods"]),
        DatapointsToAlarm=int(inputs["datapointsToAlarm"]),
        Threshold=float(inputs["threshold"]),
        ComparisonOperator=inputs["comparisonOperator"],
        TreatMissingData=inputs["treatMissingData"],
        AlarmActions=inputs["alarmActions"],
        OKActions=inputs["okActions"],
    )
    return {"id": name, "name": name, "arn": f"arn:aws:cloudwatch:{cloud.region}:{cloud.account}:alarm:{name}"}


def _dashboard(cloud: Cloud, _name: str, inputs: Inputs) -> dict[str, Any]:
    name = inputs["dashboardName"]
    problems = cloud.client("cloudwatch").put_dashboard(DashboardName=name, DashboardBody=inputs["dashboardBody"])
    assert not problems.get("DashboardValidationMessages"), problems
    return {"id": name, "dashboardArn": f"arn:aws:cloudwatch::{cloud.account}:dashboard/{name}"}


CREATORS: dict[str, Callable[[Cloud, str, Inputs], dict[str, Any]]] = {
    "aws:cloudwatch/dashboard:Dashboard": _dashboard,
    "aws:cloudwatch/logGroup:LogGroup": _log_group,
    "aws:cloudwatch/logMetricFilter:LogMetricFilter": _log_metric_filter,
    "aws:cloudwatch/metricAlarm:MetricAlarm": _metric_alarm,
}
"""By Pulumi type."""
