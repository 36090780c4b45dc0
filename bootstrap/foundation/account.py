"""Where the bootstrap is deployed, and the ARNs of that place and of what its stacks own."""

from collections.abc import Mapping
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


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack of the project `orders`, as the names and tags of what belongs to it."""

    name: str
    account: Account
    alone: bool
    """Whether it is the account's only stack: then every name is its own, also one without a suffix."""

    def arn(self, service: str, beginning: str, *, regional: bool = True) -> str:
        """The pattern of its resources whose names begin so; Pulumi.yaml makes each end in the stack and 7 digits."""
        return self.account.arn(service, f"{beginning}*" + ("" if self.alone else self._ending), regional=regional)

    def log_groups(self) -> list[str]:
        """The patterns of its log groups, which some actions know by an ARN that goes on after the name."""
        own = self.arn("logs", "log-group:ProcessOrder")
        return [own] if self.alone else [own, f"{own}:*"]

    @property
    def _ending(self) -> str:
        return f"-{self.name}-???????"

    def tags(self, kind: str) -> Mapping[str, str]:
        """What tells its own resources from another's; `kind` is ResourceTag or RequestTag."""
        return {f"aws:{kind}/project": "orders", f"aws:{kind}/stack": self.name}
