"""Log groups, log filters, alarms and dashboards."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.resources.keeper import Values, lowered, present


@dataclass(frozen=True)
class LogGroup:
    """A log group; its id is its name."""

    cloud: Cloud
    honours: ClassVar = "kmsKeyId logGroupClass name retentionInDays skipDestroy tags"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        given = present(kmsKeyId=inputs.get("kmsKeyId"), logGroupClass=inputs.get("logGroupClass"))
        self.cloud.client("logs").create_log_group(logGroupName=name, **given)
        self.update(name, inputs, {})
        return name, {"logGroupClass": "STANDARD"}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        for each in self.cloud.client("logs").describe_log_groups(logGroupNamePrefix=id_)["logGroups"]:
            if each["logGroupName"] == id_:
                days, key = each.get("retentionInDays", 0), each.get("kmsKeyId")
                return {"name": id_, "retentionInDays": days, "kmsKeyId": key}
        return {}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        logs = self.cloud.client("logs")
        if days := inputs.get("retentionInDays"):
            logs.put_retention_policy(logGroupName=id_, retentionInDays=int(days))
        elif old.get("retentionInDays"):
            logs.delete_retention_policy(logGroupName=id_)

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("logs").delete_log_group(logGroupName=id_)

    def held(self, id_: str) -> str:
        return "its lines" if self.cloud.client("logs").filter_log_events(logGroupName=id_, limit=1)["events"] else ""


METRIC = {
    "name": "metricName",
    "namespace": "metricNamespace",
    "value": "metricValue",
    "unit": "unit",
    "defaultValue": "defaultValue",
    "dimensions": "dimensions",
}
"""A filter's metric: Pulumi's names, and those of CloudWatch Logs."""


@dataclass(frozen=True)
class LogMetricFilter:
    """A count made of log lines; its id is its name."""

    cloud: Cloud
    honours: ClassVar = "logGroupName metricTransformation name pattern"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        self.update(name, inputs, {})
        return name, {}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        wanted = {"logGroupName": state["logGroupName"], "filterNamePrefix": id_}
        for each in self.cloud.client("logs").describe_metric_filters(**wanted)["metricFilters"]:
            if each["filterName"] == id_:
                [metric] = each["metricTransformations"]
                told = present(**{key: metric.get(name) for key, name in METRIC.items()})
                return {"name": id_, "pattern": each["filterPattern"], "metricTransformation": told}
        return {}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        metric = {name: inputs["metricTransformation"].get(key) for key, name in METRIC.items()}
        self.cloud.client("logs").put_metric_filter(
            logGroupName=inputs["logGroupName"],
            filterName=id_,
            filterPattern=inputs["pattern"],
            metricTransformations=[present(**metric)],
        )

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("logs").delete_metric_filter(logGroupName=state["logGroupName"], filterName=id_)


@dataclass(frozen=True)
class MetricAlarm:
    """An alarm; its id is its name."""

    cloud: Cloud
    honours: ClassVar = (
        "actionsEnabled alarmActions alarmDescription comparisonOperator datapointsToAlarm dimensions "
        "evaluationPeriods extendedStatistic insufficientDataActions metricName name namespace okActions period "
        "statistic tags threshold treatMissingData unit"
    )

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        self.update(name, inputs, {})
        return name, {}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        for each in self.cloud.client("cloudwatch").describe_alarms(AlarmNames=[id_])["MetricAlarms"]:
            told = lowered(each)
            dimensions = {each["name"]: each["value"] for each in told.get("dimensions", [])}
            told |= {"name": id_, "okActions": told.get("oKActions"), "dimensions": dimensions}
            return {key: told.get(key) for key in self.honours.split()}
        return {}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        own = set(self.honours.split()) - {"name", "okActions", "tags"}
        settings = {key[0].upper() + key[1:]: inputs.get(key) for key in own}
        dimensions = [{"Name": key, "Value": value} for key, value in (inputs.get("dimensions") or {}).items()]
        settings |= {"OKActions": inputs.get("okActions"), "Dimensions": dimensions}
        self.cloud.client("cloudwatch").put_metric_alarm(AlarmName=id_, **present(**settings))

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("cloudwatch").delete_alarms(AlarmNames=[id_])


@dataclass(frozen=True)
class Dashboard:
    """A dashboard; its id is its name."""

    cloud: Cloud
    honours: ClassVar = "dashboardBody dashboardName"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        id_ = inputs["dashboardName"]
        self.update(id_, inputs, {})
        return id_, {"dashboardArn": f"arn:aws:cloudwatch::{self.cloud.account}:dashboard/{id_}"}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        told = self.cloud.client("cloudwatch").get_dashboard(DashboardName=id_)
        return {"dashboardName": id_, "dashboardBody": told["DashboardBody"]}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        answer = self.cloud.client("cloudwatch").put_dashboard(DashboardName=id_, DashboardBody=inputs["dashboardBody"])
        if problems := answer.get("DashboardValidationMessages"):
            raise CloudError(f"dashboard {id_} must have a body that CloudWatch takes, got: {problems}")

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("cloudwatch").delete_dashboards(DashboardNames=[id_])
