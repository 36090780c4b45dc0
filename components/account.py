"""Where the stack is deployed: account, region and partition."""

from dataclasses import dataclass

import pulumi
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

    def arn(self, service: str, resource: pulumi.Input[str]) -> pulumi.Output[str]:
        """The ARN of a resource by its physical name, such as `table/Orders`.

        A name is known in preview, an ARN that the provider tells is not: so policies can be read before anything
        exists. Whoever uses the ARN still depends on the resource, because its name does.
        """
        return pulumi.Output.concat(f"arn:{self.partition}:{service}:{self.region}:{self.id}:", resource)
