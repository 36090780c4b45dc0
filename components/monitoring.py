"""What tells the operators how the pipeline is: order counts, alarms, the topic they notify and the dashboard."""

import re
from dataclasses import dataclass

import pulumi
from pulumi_aws import cloudwatch, sns

from components.account import Account
from components.alarms import PERIOD, Alarm, Thresholds, alarms
from components.dashboard import OUTCOMES, dashboard_body
from components.metrics import Pipeline
from components.processor import Processor
from components.queue import Queue, policy_document, tls_only
from components.table import Table
from components.topic import Topic


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    account: Account
    """The only account whose alarms may notify."""
    key_arn: pulumi.Input[str]
    """Customer-managed KMS key, which must admit CloudWatch."""
    scope: str
    """Project and stack, `orders/prod`: keeps the order counts and the dashboard apart from another stack's."""
    topic: Topic
    queue: Queue
    processor: Processor
    table: Table
    thresholds: Thresholds
    runbook: str
    """Path or URL of the runbook; an alarm's description adds its own section."""
    email: pulumi.Input[str] | None = None
    """Address that is notified, once it has confirmed the subscription."""


class Monitoring(pulumi.ComponentResource):
    """Alarms over every step of the pipeline, each with its section of the runbook."""

    topic_arn: pulumi.Output[str]
    dashboard_name: pulumi.Output[str]

    def __init__(self, name: str, args: MonitoringArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Monitoring", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        topic = sns.Topic(name, kms_master_key_id=args.key_arn, opts=child)
        arn = args.account.arn("sns", topic.name)
        sns.TopicPolicy(f"{name}-policy", arn=topic.arn, policy=_topic_policy(arn, args.account), opts=child)
        if args.email is not None:
            sns.TopicSubscription(f"{name}-email", topic=arn, protocol="email", endpoint=args.email, opts=child)

        pipeline = Pipeline(
            topic=args.topic.name,
            subscription_dead_letter_queue=args.topic.dead_letter_queue_name,
            queue=args.queue.name,
            dead_letter_queue=args.queue.dead_letter_queue_name,
            function=args.processor.function_name,
            table=args.table.name,
            namespace=args.scope,
        )
        for outcome in OUTCOMES:
            _count(f"{name}-{outcome}", outcome, pipeline, args.processor.log_group_name, child)
        made = [
            _metric_alarm(f"{name}-{alarm.role}", alarm, arn, args.runbook, child)
            for alarm in alarms(pipeline, args.thresholds)
        ]
        alarm_arns = [args.account.arn("cloudwatch", pulumi.Output.concat("alarm:", alarm.name)) for alarm in made]
        dashboard = cloudwatch.Dashboard(
            f"{name}-dashboard",
            # The provider does not name it; dashboards share one list per account, whatever their region.
            dashboard_name=re.sub(r"[^A-Za-z0-9_-]", "-", args.scope),
            dashboard_body=dashboard_body(
                args.scope,
                args.account.region,
                pipeline,
                args.thresholds,
                alarm_arns,
            ),
            opts=child,
        )
        self.topic_arn, self.dashboard_name = arn, dashboard.dashboard_name
        self.register_outputs({"topicArn": self.topic_arn, "dashboardName": self.dashboard_name})


def _count(
    name: str, outcome: str, pipeline: Pipeline, log_group: pulumi.Input[str], opts: pulumi.ResourceOptions
) -> None:
    """Turn one number of the handler's summary line into a time series; the handler itself publishes none."""
    metric = pipeline.orders(outcome)
    cloudwatch.LogMetricFilter(
        name,
        log_group_name=log_group,
        pattern=f'{{ $.message = "batch processed" && $.{outcome} >= 0 }}',
        metric_transformation=cloudwatch.LogMetricFilterMetricTransformationArgs(
            namespace=metric.namespace, name=metric.name, value=f"$.{outcome}", unit="Count"
        ),
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
