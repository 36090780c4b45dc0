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
        given = present(
            Policy=inputs.get("policy"),
            Description=inputs.get("description"),
            KeyUsage=inputs.get("keyUsage"),
            KeySpec=inputs.get("customerMasterKeySpec"),
        )
        id_ = kms.create_key(**given)["KeyMetadata"]["KeyId"]
        self._set_switches(id_, inputs)
        return id_, {"keyId": id_, "multiRegion": False, "rotationPeriodInDays": 365}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        kms = self.cloud.client("kms")
        key = kms.describe_key(KeyId=id_)["KeyMetadata"]
        return {
            "keyId": id_,
            "description": key.get("Description", ""),
            "enableKeyRotation": kms.get_key_rotation_status(KeyId=id_)["KeyRotationEnabled"],
            "isEnabled": key["Enabled"],
            "policy": kms.get_key_policy(KeyId=id_, PolicyName="default")["Policy"],
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

    def _set_switches(self, id_: str, inputs: Values) -> None:
        kms = self.cloud.client("kms")
        (kms.enable_key_rotation if inputs.get("enableKeyRotation") else kms.disable_key_rotation)(KeyId=id_)
        (kms.enable_key if inputs.get("isEnabled", True) else kms.disable_key)(KeyId=id_)


@dataclass(frozen=True)
class Alias:
    """Another name of a key; its id is the alias with its prefix."""

    cloud: Cloud
    honours: ClassVar = "name targetKeyId"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        self.cloud.client("kms").create_alias(AliasName=name, TargetKeyId=inputs["targetKeyId"])
        return name, {"targetKeyArn": self.read(name, {})["targetKeyArn"]}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        key = self.cloud.client("kms").describe_key(KeyId=id_)["KeyMetadata"]
        return {"name": id_, "targetKeyId": key["KeyId"], "targetKeyArn": key["Arn"]}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        self.cloud.client("kms").update_alias(AliasName=id_, TargetKeyId=inputs["targetKeyId"])

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("kms").delete_alias(AliasName=id_)
