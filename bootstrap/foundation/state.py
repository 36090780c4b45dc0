"""Where Pulumi keeps the state of the stacks, and the key of their secrets."""

import json
from typing import Any

import pulumi
from pulumi_aws import kms, s3

from foundation.account import Account, Stack
from foundation.grant import Grant, policy

OLD_VERSIONS_DAYS = 90
"""How long a state that has been replaced can be brought back."""


class State(pulumi.ComponentResource):
    """A private, versioned bucket and the key that encrypts it; both are protected from deletion."""

    def __init__(self, name: str, account: Account, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("bootstrap:index:State", name, {}, opts)
        kept = pulumi.ResourceOptions(parent=self, protect=True)
        child = pulumi.ResourceOptions(parent=self)
        key = kms.Key(
            f"{name}-key",
            description="State of the order stacks and the secrets in it",
            enable_key_rotation=True,
            deletion_window_in_days=30,
            policy=json.dumps(_key_policy(account)),
            opts=kept,
        )
        kms.Alias(f"{name}-alias", target_key_id=key.key_id, opts=child)
        bucket = s3.Bucket(name, opts=kept)
        private = s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        s3.BucketPolicy(
            f"{name}-policy",
            bucket=bucket.id,
            policy=pulumi.Output.json_dumps(_tls_only(bucket.arn)),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[private]),  # S3 refuses the two at the same time
        )
        _keep_versions(name, bucket, child)
        _encrypt(name, bucket, key, child)
        self.bucket_arn, self.key_arn = bucket.arn, key.arn
        self.backend_url = pulumi.Output.format("s3://{0}?region={1}", bucket.id, account.region)
        self._secrets = pulumi.Output.format("awskms://{0}?region={1}", key.key_id, account.region)
        self.register_outputs({"backendUrl": self.backend_url})

    def secrets_provider(self, project: str, stack: str) -> pulumi.Output[str]:
        """What `pulumi stack init --secrets-provider` takes; what one stack's encrypts, another's cannot decrypt."""
        return pulumi.Output.concat(self._secrets, f"&context_stack={project}/{stack}")


def of_state(stack: Stack, state: State) -> list[Grant]:
    """The stack's state and the secrets in it, and of everything else in the bucket only the names.

    A preview takes no lock, so it writes nothing. https://www.pulumi.com/docs/iac/concepts/state-and-backends/
    The secrets of a stack are encrypted for its name alone: https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html
    """

    def objects(*paths: str) -> list[pulumi.Input[str]]:
        return [pulumi.Output.concat(state.bucket_arn, "/.pulumi/", path) for path in paths]

    own = objects(f"stacks/orders/{stack.name}.json*", f"*/orders/{stack.name}/*")
    through_s3 = {"kms:ViaService": f"s3.{stack.account.region}.amazonaws.com"}
    return [
        Grant("StateList", state.bucket_arn, read="s3:ListBucket"),
        Grant("StateFormat", objects("meta.yaml"), read="s3:GetObject"),
        Grant("State", own, read="s3:GetObject", write="s3:DeleteObject s3:PutObject"),
        Grant(
            "StateKey",
            state.key_arn,
            read="kms:Decrypt",
            write="kms:GenerateDataKey",
            condition={"StringEquals": through_s3},
        ),
        Grant(
            "Secrets",
            state.key_arn,
            read="kms:Decrypt",
            write="kms:Encrypt",
            condition={"StringEquals": {"kms:EncryptionContext:stack": f"orders/{stack.name}"}},
        ),
    ]


def _encrypt(name: str, bucket: s3.Bucket, key: kms.Key, opts: pulumi.ResourceOptions) -> None:
    by_key: Any = {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}
    s3.BucketServerSideEncryptionConfiguration(
        f"{name}-encryption",
        bucket=bucket.id,
        # With a bucket key, one request to KMS is enough for many objects.
        rules=[{"apply_server_side_encryption_by_default": by_key, "bucket_key_enabled": True}],
        opts=opts,
    )


def _keep_versions(name: str, bucket: s3.Bucket, opts: pulumi.ResourceOptions) -> None:
    versioning = s3.BucketVersioning(
        f"{name}-versions", bucket=bucket.id, versioning_configuration={"status": "Enabled"}, opts=opts
    )
    s3.BucketLifecycleConfiguration(
        f"{name}-lifecycle",
        bucket=bucket.id,
        rules=[
            {
                "id": "old-versions",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "noncurrent_version_expiration": {"noncurrent_days": OLD_VERSIONS_DAYS},
            }
        ],
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[versioning])),
    )


def _key_policy(account: Account) -> dict[str, object]:
    return policy(
        {
            "Sid": "AccountAdministersKey",
            "Effect": "Allow",
            "Principal": {"AWS": account.arn("iam", "root", regional=False)},
            "Action": "kms:*",
            "Resource": "*",
        }
    )


def _tls_only(bucket_arn: pulumi.Output[str]) -> dict[str, object]:
    return policy(
        {
            "Sid": "TlsOnly",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [bucket_arn, pulumi.Output.concat(bucket_arn, "/*")],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    )
