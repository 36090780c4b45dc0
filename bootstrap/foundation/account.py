"""Where the bootstrap is deployed, and the ARNs of that place."""

from dataclasses import dataclass

import pulumi_aws as aws


@dataclass(frozen=True, kw_only=True)
class Account:
    """An AWS account in one region."""

    id: str
    """Twelve digits."""
    region: str
    partition: str

    @classmethod
    def current(cls) -> "Account":
        """The account and region of the credentials that the program runs with."""
        return cls(
            id=aws.get_caller_identity().account_id,
            region=aws.get_region().region,
            partition=aws.get_partition().partition,
        )

    def arn(self, service: str, resource: str, *, regional: bool = True) -> str:
        """The ARN of a resource of this account, or of a pattern of resources."""
        return f"arn:{self.partition}:{service}:{self.region if regional else ''}:{self.id}:{resource}"
