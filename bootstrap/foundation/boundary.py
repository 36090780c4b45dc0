"""The most that a role created by the deploy role can do, whatever its own policies say."""

from typing import Any

from foundation.account import Account
from foundation.permissions import OF_ORDERS


def boundary(account: Account) -> dict[str, Any]:
    """The policy that bounds the roles of the stacks' functions: what ProcessOrder does, on anything of a stack.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
    """

    def allow(sid: str, resource: str, *actions: str) -> dict[str, Any]:
        return {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resource}

    queues, tables, logs = (
        account.arn("sqs", "Order*"),
        account.arn("dynamodb", "table/Order*"),
        account.arn("logs", "log-group:ProcessOrder*"),
    )
    return {
        "Version": "2012-10-17",
        "Statement": [
            allow("Consume", queues, "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"),
            allow("Write", tables, "dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"),
            {**allow("Decrypt", account.arn("kms", "key/*"), "kms:Decrypt"), "Condition": {"StringEquals": OF_ORDERS}},
            allow("Log", logs, "logs:CreateLogStream", "logs:PutLogEvents"),
            allow("Trace", "*", "xray:PutTraceSegments", "xray:PutTelemetryRecords"),
        ],
    }
