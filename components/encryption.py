"""The customer-managed key that encrypts everything an order passes through."""

import pulumi
from pulumi_aws import kms

from components.account import Account
from components.policies import policy_document


class Encryption(pulumi.ComponentResource):
    """A key that the account administers; SNS, CloudWatch and CloudWatch Logs may use it for this account only."""

    def __init__(
        self, name: str, account: Account, *, protected: bool = False, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("orders:index:Encryption", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        key = kms.Key(
            name,
            description="Orders at rest: topic, queues, table, function environment and logs",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=_key_policy(account),
            # Without its key whatever it encrypts is lost, backups included.
            opts=pulumi.ResourceOptions(parent=self, protect=protected),
        )
        kms.Alias(f"{name}-alias", target_key_id=key.key_id, opts=child)
        self.arn = key.arn
        self.register_outputs({"arn": self.arn})


def _key_policy(account: Account) -> pulumi.Output[str]:
    account_only = {"StringEquals": {"aws:SourceAccount": account.id}}
    log_groups = f"arn:{account.partition}:logs:{account.region}:{account.id}:log-group:*"
    return policy_document(
        {
            "Sid": "AccountAdministersKey",
            "Effect": "Allow",
            "Principal": {"AWS": account.root_arn},
            "Action": "kms:*",
            "Resource": "*",
        },
        # SNS encrypts what it delivers to the queues; without this statement it drops messages silently.
        # https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html
        _service_statement("TopicDelivers", "sns.amazonaws.com", account_only),
        # An alarm publishes to an encrypted topic as cloudwatch.amazonaws.com.
        _service_statement("AlarmsNotify", "cloudwatch.amazonaws.com", account_only),
        # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
        _service_statement(
            "LogGroupsEncrypt",
            f"logs.{account.region}.amazonaws.com",
            {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": log_groups}},
            ("kms:Encrypt", "kms:ReEncrypt*", "kms:DescribeKey"),
        ),
    )


def _service_statement(
    sid: str, service: str, condition: dict[str, dict[str, str]], more_actions: tuple[str, ...] = ()
) -> dict[str, object]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["kms:GenerateDataKey*", "kms:Decrypt", *more_actions],
        "Resource": "*",
        "Condition": condition,
    }
