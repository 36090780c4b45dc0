"""What the bootstrap creates, on the local cloud: buckets and policies as such, the rest as no more than a name."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, ClassVar

from tools.cloud.cloud import Cloud
from tools.cloud.resources import Keeper, Values
from tools.cloud.resources.iam import BATCH
from tools.recording import types
from tools.recording.row import Type


@dataclass(frozen=True)
class Told:
    """A resource of which the local cloud has nothing but that it was created; its id is its name."""

    cloud: Cloud
    honours: ClassVar = ""

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        return name, {"arn": f"arn:aws:told:::{name}"}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        return dict(state)

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        """Nothing to do."""

    def delete(self, id_: str, state: Values) -> None:
        """Nothing to do."""


class Bucket(Told):
    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        self.cloud.client("s3").create_bucket(
            Bucket=name, CreateBucketConfiguration={"LocationConstraint": self.cloud.region}
        )
        return name, {"arn": f"arn:aws:s3:::{name}", "bucket": name}

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("s3").delete_bucket(Bucket=id_)


class Versioning(Told):
    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        status = inputs["versioningConfiguration"]["status"]
        self.cloud.client("s3").put_bucket_versioning(
            Bucket=inputs["bucket"], VersioningConfiguration={"Status": status}
        )
        return name, {}


class Policy(Told):
    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        document = json.loads(inputs["policy"])
        document["Statement"].append(BATCH)
        made = self.cloud.client("iam").create_policy(PolicyName=name, PolicyDocument=json.dumps(document))
        return made["Policy"]["Arn"], {"arn": made["Policy"]["Arn"]}


KEEPERS: dict[str, type[Keeper]] = {
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": Told,
    "aws:iam/policy:Policy": Policy,
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": Told,
    "aws:s3/bucket:Bucket": Bucket,
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": Told,
    "aws:s3/bucketPolicy:BucketPolicy": Told,
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": Told,
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": Told,
    "aws:s3/bucketVersioning:BucketVersioning": Versioning,
    "aws:xray/resourcePolicy:ResourcePolicy": Told,
}
TYPES = {
    token: dataclasses.replace(types.TYPES[token], tagged=False)  # nothing keeps tags of what is no more than a name
    for token in ("aws:iam/openIdConnectProvider:OpenIdConnectProvider", "aws:iam/policy:Policy")
} | {"aws:s3/bucket:Bucket": Type(arn="arn:aws:s3:::{name}", named="bucket", computed="arn", tagged=False)}
