"""Encryption keys and their aliases."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tools.cloud.cloud import Cloud
from tools.cloud.resources.keeper import Values, present


@dataclass(frozen=True)
class Key:
    """A key; its id is the key's id. Deleting one schedules its deletion, as on AWS."""

    cloud: Cloud
    honours: ClassVar = (
        "customerMasterKeySpec deletionWindowInDays description enableKeyRotation isEnabled keyUsage policy tags"
    )

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        kms = self.cloud.client("kms")
        key = kms.create_key(
            **present(
                Policy=inputs.get("policy"),
                Description=inputs.get("description"),
                KeyUsage=inputs.get("keyUsage"),
                KeySpec=inputs.get("customerMasterKeySpec"),
            )
        )["KeyMetadata"]
        id_ = key["KeyId"]
        self._set_switches(id_, inputs)
        return id_, {"keyId": id_, "arn": key["Arn"], "multiRegion": False, "rotationPeriodInDays": 365}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        kms = self.cloud.client("kms")
        key = kms.describe_key(KeyId=id_)["KeyMetadata"]
        tags = kms.list_resource_tags(KeyId=id_).get("Tags", [])
        return {
            "keyId": id_,
            "arn": key["Arn"],
            "description": key.get("Description", ""),
            "enableKeyRotation": kms.get_key_rotation_status(KeyId=id_)["KeyRotationEnabled"],
            "isEnabled": key["Enabled"],
            "policy": kms.get_key_policy(KeyId=id_, PolicyName="default")["Policy"],
            "tags": {tag["TagKey"]: tag["TagValue"] for tag in tags},
        }

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        kms = self.cloud.client("kms")
        if inputs.get("policy") and inputs["policy"] != old.get("policy"):
            kms.put_key_policy(KeyId=id_, PolicyName="default", Policy=inputs["policy"])
        if inputs.get("description", "") != old.get("description", ""):
            kms.update_key_description(KeyId=id_, Description=inputs.get("description", ""))
        self._set_switches(id_, inputs)

    def delete(self, id_: str, state: Values) -> None:
        days = int(state.get("deletionWindowInDays") or 30)
        self.cloud.client("kms").schedule_key_deletion(KeyId=id_, PendingWindowInDays=days)

    def tag(self, id_: str, tags: dict[str, str], gone: list[str]) -> None:
        kms = self.cloud.client("kms")
        if gone:
            kms.untag_resource(KeyId=id_, TagKeys=gone)
        kms.tag_resource(KeyId=id_, Tags=[{"TagKey": tag, "TagValue": value} for tag, value in tags.items()])

    def _set_switches(self, id_: str, inputs: Values) -> None:
        kms = self.cloud.client("kms")
        if inputs.get("enableKeyRotation"):
            kms.enable_key_rotation(KeyId=id_)
        else:
            kms.disable_key_rotation(KeyId=id_)
        if inputs.get("isEnabled", True):
            kms.enable_key(KeyId=id_)
        else:
            kms.disable_key(KeyId=id_)


@dataclass(frozen=True)
class Alias:
    """Another name of a key; its id is the alias with its prefix."""

    cloud: Cloud
    honours: ClassVar = "name targetKeyId"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        alias = name if name.startswith("alias/") else f"alias/{name}"
        self.cloud.client("kms").create_alias(AliasName=alias, TargetKeyId=inputs["targetKeyId"])
        prefix = f"arn:aws:kms:{self.cloud.region}:{self.cloud.account}"
        return alias, {"arn": f"{prefix}:{alias}", "targetKeyArn": f"{prefix}:key/{inputs['targetKeyId']}"}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        key = self.cloud.client("kms").describe_key(KeyId=id_)["KeyMetadata"]
        return {"name": id_, "targetKeyId": key["KeyId"], "targetKeyArn": key["Arn"]}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        self.cloud.client("kms").update_alias(AliasName=id_, TargetKeyId=inputs["targetKeyId"])

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("kms").delete_alias(AliasName=id_)
