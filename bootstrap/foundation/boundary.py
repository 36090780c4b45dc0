"""The most that a role created by a stack's deploy role can do, whatever its own policies say."""

from typing import Any

from foundation.account import Stack
from foundation.grant import policy


def boundary(stack: Stack) -> dict[str, Any]:
    """The policy that bounds the roles of a stack's functions: what ProcessOrder does, on anything of the stack.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """

    def allow(sid: str, resources: str | list[str], *actions: str) -> dict[str, Any]:
        return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resources}

    queues, tables = stack.arn("sqs", "Order"), stack.arn("dynamodb", "table/Order")
    own_keys = {"Condition": {"StringEquals": stack.tags("ResourceTag")}}
    return policy(
        allow("Consume", queues, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
        allow("Write", tables, "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"),
        {**allow("Decrypt", stack.account.arn("kms", "key/*"), "kms:Decrypt"), **own_keys},
        allow("Log", stack.log_groups(), "logs:CreateLogStream", "logs:PutLogEvents"),
        allow("Trace", "*", "xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    )
