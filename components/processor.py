"""A function that empties a queue, and all it needs: log group, role and event source mapping."""

from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi_aws import cloudwatch, iam, lambda_

from components.account import Account
from components.policies import policy_document
from components.table import Table
from config import StackConfig

_TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


@dataclass(frozen=True, kw_only=True)
class ProcessorArgs:
    account: Account
    code: pulumi.Archive
    handler: str
    """Dotted path of the handler in the archive."""
    queue_arn: pulumi.Input[str]
    key_arn: pulumi.Input[str]
    """Customer-managed KMS key of the queue, the table, the log group and the environment."""
    settings: StackConfig
    """Limits, runtime and logging; another function may differ: `dataclasses.replace(stack, function_timeout=60)`."""
    table: Table | None = None
    """Table the function writes, if any; its name is in TABLE_NAME."""


class Processor(pulumi.ComponentResource):
    """A function that empties one queue and may write one table, with exactly the permissions that takes."""

    def __init__(self, name: str, args: ProcessorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Processor", name, {}, opts)
        settings = args.settings
        child = pulumi.ResourceOptions(parent=self)
        # Made before the function, which would otherwise make one without retention or encryption.
        logs = cloudwatch.LogGroup(
            f"{name}-logs", retention_in_days=settings.log_retention, kms_key_id=args.key_arn, opts=child
        )
        role = iam.Role(
            f"{name}-role",
            assume_role_policy=policy_document(_TRUST),
            permissions_boundary=settings.permissions_boundary or None,
            opts=child,
        )
        permissions = iam.RolePolicy(
            f"{name}-permissions", role=role.name, policy=_permissions(args, logs.name), opts=child
        )
        # A key has no name that its ARN could be told from: apart, so that the rest is known in preview.
        decryption = iam.RolePolicy(
            f"{name}-decryption",
            role=role.name,
            policy=policy_document(_allow("Decrypt", args.key_arn, "kms:Decrypt")),
            opts=child,
        )
        ready = pulumi.ResourceOptions(parent=self, depends_on=[permissions, decryption])
        function = lambda_.Function(
            name,
            code=args.code,
            handler=args.handler,
            runtime=settings.runtime,
            architectures=[settings.architecture],
            role=role.arn,
            timeout=settings.function_timeout,
            memory_size=settings.function_memory,
            environment={"variables": {"TABLE_NAME": args.table.name}} if args.table else None,
            kms_key_arn=args.key_arn,
            logging_config={
                "log_format": "JSON",
                "log_group": logs.name,
                "application_log_level": settings.log_level,
                "system_log_level": "INFO",
            },
            tracing_config={"mode": "Active"},
            opts=ready,
        )
        lambda_.EventSourceMapping(
            f"{name}-mapping",
            event_source_arn=args.queue_arn,
            function_name=function.name,
            batch_size=settings.batch_size,
            maximum_batching_window_in_seconds=settings.batching_window,
            function_response_types=["ReportBatchItemFailures"],
            # Not reserved concurrency: pollers ignore it, and every throttled batch burns a receive of its messages.
            # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
            scaling_config={"maximum_concurrency": settings.maximum_concurrency},
            opts=pulumi.ResourceOptions.merge(ready, pulumi.ResourceOptions(protect=settings.protect_data)),
        )
        self.function_name, self.log_group_name = function.name, logs.name
        self.label, self.timeout = name, settings.function_timeout
        self.register_outputs({"functionName": self.function_name, "logGroupName": self.log_group_name})


def _permissions(args: ProcessorArgs, log_group: pulumi.Output[str]) -> pulumi.Output[str]:
    log_streams = args.account.arn("logs", pulumi.Output.concat("log-group:", log_group, ":*"))
    # https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
    writing = (
        [_allow("Write", args.table.arn, "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate")] if args.table else []
    )
    return policy_document(
        # What an event source mapping asks of the role.
        # https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html
        _allow("Consume", args.queue_arn, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        *writing,
        _allow("Log", log_streams, "logs:CreateLogStream", "logs:PutLogEvents"),
        # X-Ray has no resource that these actions could be limited to.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html
        _allow("Trace", "*", "xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    )


def _allow(sid: str, resource: pulumi.Input[str], *actions: str) -> dict[str, Any]:
    return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}
