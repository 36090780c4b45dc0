"""Lets SNS write traces: one permission per account and region, which no stack may own alone."""

import json

from pulumi_aws import xray

from foundation.account import Account
from foundation.grant import policy


def trace_topics(name: str, account: Account) -> xray.ResourcePolicy:
    """Let the account's topics send trace segments; without it, a topic's active tracing stays without effect.

    https://docs.aws.amazon.com/sns/latest/dg/sns-active-tracing.html
    """
    document = policy(
        {
            "Sid": "TopicsTrace",
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": ["xray:PutTraceSegments", "xray:GetSamplingRules", "xray:GetSamplingTargets"],
            "Resource": "*",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": account.id},
                "StringLike": {"aws:SourceArn": account.arn("sns", "*")},
            },
        }
    )
    return xray.ResourcePolicy(name, policy_name=name, policy_document=json.dumps(document))
