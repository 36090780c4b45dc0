"""Where the stack is deployed: account, region and partition."""

from dataclasses import dataclass

import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class Account:
    """An AWS account in one region."""

    id: str
    """Twelve digits."""
    region: str
    partition: str
    """`aws`, or another partition such as `aws-us-gov`."""

    @classmethod
    def current(cls) -> "Account":
        """The account and region of the credentials that the program runs with."""
        return cls(
            id=aws.get_caller_identity().account_id,
            region=aws.get_region().region,
            partition=aws.get_partition().partition,
        )

    @property
    def root_arn(self) -> str:
        """The principal that stands for the account: whoever its IAM policies allow."""
        return f"arn:{self.partition}:iam::{self.id}:root"
