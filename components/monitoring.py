"""What tells the operators how the pipeline is: order counts, alarms, the topic they notify and the dashboard."""

import re
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, sns

from components.account import Account
from components.alarms import PERIOD, Alarm, alarms
from components.dashboard import OUTCOMES, dashboard_body
from components.metrics import Metric, of_orders
from components.pipeline import Pipeline
from components.policies import policy_document, tls_only
from config import StackConfig


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    account: Account
    """The only account whose alarms may notify."""
    key_arn: pulumi.Input[str]
    """Customer-managed KMS key, which must admit CloudWatch."""
    pipeline: Pipeline
    settings: StackConfig
    """Thresholds of the alarms, and where the runbook is."""
    email: pulumi.Input[str] | None = None
    """Address that is notified, once it has confirmed the subscription."""


class Monitoring(pulumi.ComponentResource):
    """Alarms over every step of the pipeline, each with its section of the runbook."""

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Monitoring", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = sns.Topic(name, kms_master_key_id=args.key_arn, opts=child)
        arn = args.account.arn("sns", topic.name)
        sns.TopicPolicy(f"{name}-policy", arn=topic.arn, policy=_topic_policy(arn, args.account), opts=child)
        if args.email is not None:
            sns.TopicSubscription(f"{name}-email", topic=arn, protocol="email", endpoint=args.email, opts=child)

        scope, logs = args.pipeline.scope, args.pipeline.processor.log_group_name
        for outcome in OUTCOMES:
            _count(f"{name}-{outcome}", of_orders(scope, outcome), logs, child)
        made = [
            _metric_alarm(f"{name}-{alarm.name}", alarm, arn, args.settings.alarm_runbook, child)
            for alarm in alarms(args.pipeline, args.settings)
        ]
        alarm_arns = [args.account.arn("cloudwatch", pulumi.Output.concat("alarm:", alarm.name)) for alarm in made]
        dashboard = cloudwatch.Dashboard(
            f"{name}-dashboard",
            # The provider does not name it; dashboards share one list per account, whatever their region.
            dashboard_name=re.sub(r"[^A-Za-z0-9_-]", "-", scope),
            dashboard_body=dashboard_body(args.pipeline, args.settings, args.account.region, alarm_arns),
            opts=child,
        )
        self.topic_arn, self.dashboard_name = arn, dashboard.dashboard_name
        self.register_outputs({"topicArn": self.topic_arn, "dashboardName": self.dashboard_name})


def _count(name: str, metric: Metric, log_group: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
    """Turn one number of the handler's summary line into a time series; the handler itself publishes none."""
    cloudwatch.LogMetricFilter(
        name,
        log_group_name=log_group,
        pattern=f'{{ $.message = "batch processed" && $.{metric.name} >= 0 }}',
        metric_transformation={
            "namespace": metric.namespace,
            "name": metric.name,
            "value": f"$.{metric.name}",
            "unit": "Count",
        },
        opts=opts,
    )


def _metric_alarm(
    name: str, alarm: Alarm, topic_arn: pulumi.Input[str], runbook: str, opts: pulumi.ResourceOptions
) -> cloudwatch.MetricAlarm:
    percentile = alarm.metric.statistic.startswith("p")
    return cloudwatch.MetricAlarm(
        name,
        alarm_description=f"{alarm.says} Runbook: {runbook}#{alarm.role}",
        namespace=alarm.metric.namespace,
        metric_name=alarm.metric.name,
        dimensions=alarm.metric.dimensions or None,
        statistic=None if percentile else alarm.metric.statistic,
        extended_statistic=alarm.metric.statistic if percentile else None,
        period=PERIOD,
        evaluation_periods=alarm.periods,
        datapoints_to_alarm=alarm.datapoints,
        comparison_operator="GreaterThanThreshold",
        threshold=alarm.threshold,
        # AWS publishes nothing for a pipeline at rest, and most counts only when there is something to count.
        treat_missing_data="notBreaching",
        alarm_actions=[topic_arn],
        ok_actions=[topic_arn],
        opts=opts,
    )


def _topic_policy(topic_arn: pulumi.Input[str], account: Account) -> pulumi.Output[str]:
    return policy_document(
        {
            "Sid": "AlarmsNotify",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "sns:Publish",
            "Resource": topic_arn,
            "Condition": {"StringEquals": {"aws:SourceAccount": account.id}},
        },
        tls_only(topic_arn, "sns:Publish"),
    )
