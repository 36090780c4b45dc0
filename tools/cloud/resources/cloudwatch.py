"""Log groups, log filters, alarms and dashboards."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.resources.keeper import Values, from_tags, lowered, present, to_tags


@dataclass(frozen=True)
class LogGroup:
    """A log group; its id is its name."""

    cloud: Cloud
    honours: ClassVar = "kmsKeyId logGroupClass name retentionInDays skipDestroy tags"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        self.cloud.client("logs").create_log_group(
            logGroupName=name,
            **present(
                kmsKeyId=inputs.get("kmsKeyId"),
                logGroupClass=inputs.get("logGroupClass"),
            ),
        )
        self.update(name, inputs, {})
        return name, {"arn": self._arn(name), "logGroupClass": "STANDARD"}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        logs = self.cloud.client("logs")
        found = logs.describe_log_groups(logGroupNamePrefix=id_).get("logGroups", [])
        groups = [group for group in found if group["logGroupName"] == id_]
        if not groups:
            return {}
        tags = logs.list_tags_for_resource(resourceArn=self._arn(id_)).get("tags", {})
        return {
            "name": id_,
            "arn": self._arn(id_),
            "kmsKeyId": groups[0].get("kmsKeyId"),
            "retentionInDays": groups[0].get("retentionInDays", 0),
            "tags": tags,
        }

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        logs = self.cloud.client("logs")
        if days := inputs.get("retentionInDays"):
            logs.put_retention_policy(logGroupName=id_, retentionInDays=int(days))
        elif old.get("retentionInDays"):
            logs.delete_retention_policy(logGroupName=id_)

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("logs").delete_log_group(logGroupName=id_)

    def held(self, id_: str) -> str:
        lines = self.cloud.client("logs").filter_log_events(logGroupName=id_, limit=1)["events"]
        return "the log in it is lost" if lines else ""

    def tag(self, id_: str, tags: dict[str, str], gone: list[str]) -> None:
        if gone:
            self.cloud.client("logs").untag_resource(resourceArn=self._arn(id_), tagKeys=gone)
        self.cloud.client("logs").tag_resource(resourceArn=self._arn(id_), tags=tags)

    def _arn(self, name: str) -> str:
        return f"arn:aws:logs:{self.cloud.region}:{self.cloud.account}:log-group:{name}"


@dataclass(frozen=True)
class LogMetricFilter:
    """A count made of log lines; its id is its name."""

    cloud: Cloud
    honours: ClassVar = "logGroupName metricTransformation name pattern"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        self.update(name, inputs, {})
        return name, {}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        found = self.cloud.client("logs").describe_metric_filters(
            logGroupName=state["logGroupName"], filterNamePrefix=id_
        )["metricFilters"]
        for each in found:
            if each["filterName"] == id_:
                metric = each["metricTransformations"][0]
                transformation = {
                    "namespace": metric["metricNamespace"],
                    "name": metric["metricName"],
                    "value": metric["metricValue"],
                    **present(unit=metric.get("unit"), defaultValue=metric.get("defaultValue")),
                }
                return {"name": id_, "pattern": each["filterPattern"], "metricTransformation": transformation}
        return {}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        metric = inputs["metricTransformation"]
        default = metric.get("defaultValue")
        self.cloud.client("logs").put_metric_filter(
            logGroupName=inputs["logGroupName"],
            filterName=id_,
            filterPattern=inputs["pattern"],
            metricTransformations=[
                present(
                    metricNamespace=metric["namespace"],
                    metricName=metric["name"],
                    metricValue=metric["value"],
                    unit=metric.get("unit"),
                    defaultValue=None if default is None else float(default),
                    dimensions=metric.get("dimensions"),
                )
            ],
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
        return name, {"arn": self._arn(name)}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        cloudwatch = self.cloud.client("cloudwatch")
        found = cloudwatch.describe_alarms(AlarmNames=[id_])["MetricAlarms"]
        if not found:
            return {}
        told = lowered(found[0])
        dimensions = {each["name"]: each["value"] for each in told.pop("dimensions", [])}
        names = {"oKActions": "okActions", "alarmArn": "arn", "alarmName": "name"}
        values = {names.get(key, key): value for key, value in told.items()}
        tags = cloudwatch.list_tags_for_resource(ResourceARN=self._arn(id_)).get("Tags", [])
        return {
            **{key: values.get(key) for key in self.honours.split()},
            "dimensions": dimensions,
            "tags": from_tags(tags),
        }

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        own = set(self.honours.split()) - {"name", "okActions", "tags"}
        settings = {key[0].upper() + key[1:]: inputs.get(key) for key in own}
        dimensions = [{"Name": key, "Value": value} for key, value in (inputs.get("dimensions") or {}).items()]
        settings |= {"OKActions": inputs.get("okActions"), "Dimensions": dimensions}
        settings["Threshold"] = float(inputs.get("threshold") or 0)
        self.cloud.client("cloudwatch").put_metric_alarm(AlarmName=id_, **present(**settings))

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("cloudwatch").delete_alarms(AlarmNames=[id_])

    def tag(self, id_: str, tags: dict[str, str], gone: list[str]) -> None:
        cloudwatch = self.cloud.client("cloudwatch")
        if gone:
            cloudwatch.untag_resource(ResourceARN=self._arn(id_), TagKeys=gone)
        cloudwatch.tag_resource(ResourceARN=self._arn(id_), Tags=to_tags(tags))

    def _arn(self, name: str) -> str:
        return f"arn:aws:cloudwatch:{self.cloud.region}:{self.cloud.account}:alarm:{name}"


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
