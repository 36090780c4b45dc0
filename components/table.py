"""The table that holds each order in its newest version."""

from dataclasses import dataclass

import pulumi
from pulumi_aws import dynamodb

from components.account import Account


@dataclass(frozen=True, kw_only=True)
class TableArgs:
    account: Account
    key_arn: pulumi.Input[str]
    protected: bool = False
    """Refuse deletion, both by DynamoDB and by Pulumi."""


class Table(pulumi.ComponentResource):
    """Orders by `orderId`, billed by request, restorable to any second of the last 35 days."""

    def __init__(self, name: str, args: TableArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Table", name, {}, opts)
        table = dynamodb.Table(
            name,
            hash_key="orderId",
            attributes=[{"name": "orderId", "type": "S"}],
            billing_mode="PAY_PER_REQUEST",
            server_side_encryption={"enabled": True, "kms_key_arn": args.key_arn},
            point_in_time_recovery={"enabled": True},
            deletion_protection_enabled=args.protected,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protected),
        )
        self.arn = args.account.arn("dynamodb", pulumi.Output.concat("table/", table.name))
        self.name = table.name
        self.register_outputs({"arn": self.arn, "name": self.name})
