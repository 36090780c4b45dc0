"""Tables."""

from dataclasses import dataclass
from typing import Any, ClassVar

from tools.cloud.cloud import Cloud
from tools.cloud.resources.keeper import Values, present
from tools.terminal import counted


@dataclass(frozen=True)
class Table:
    """A table; its id is its name."""

    cloud: Cloud
    honours: ClassVar = (
        "attributes billingMode deletionProtectionEnabled hashKey name pointInTimeRecovery rangeKey readCapacity "
        "serverSideEncryption tableClass tags ttl writeCapacity"
    )

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        keys = [(inputs["hashKey"], "HASH"), (inputs.get("rangeKey"), "RANGE")]
        self.cloud.client("dynamodb").create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys if key],
            AttributeDefinitions=[
                {"AttributeName": each["name"], "AttributeType": each["type"]} for each in inputs["attributes"]
            ],
            **_settings(inputs),
        )
        self._set_recovery_and_expiry(name, inputs, {})
        return name, {}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        dynamodb = self.cloud.client("dynamodb")
        table = dynamodb.describe_table(TableName=id_)["Table"]
        backups = dynamodb.describe_continuous_backups(TableName=id_)["ContinuousBackupsDescription"]
        recovery = backups.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus") == "ENABLED"
        keys = {each["KeyType"]: each["AttributeName"] for each in table["KeySchema"]}
        encryption = table.get("SSEDescription", {})
        return {
            **present(hashKey=keys["HASH"], rangeKey=keys.get("RANGE")),
            "name": id_,
            "attributes": [
                {"name": each["AttributeName"], "type": each["AttributeType"]} for each in table["AttributeDefinitions"]
            ],
            "billingMode": table.get("BillingModeSummary", {}).get("BillingMode", "PROVISIONED"),
            "deletionProtectionEnabled": table.get("DeletionProtectionEnabled", False),
            "pointInTimeRecovery": {"enabled": recovery},
            "serverSideEncryption": _encryption(encryption) if encryption else None,
        }

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        settings, before = _settings(inputs), _settings(old)
        if changed := {key: value for key, value in settings.items() if before.get(key) != value}:
            self.cloud.client("dynamodb").update_table(TableName=id_, **changed)
        self._set_recovery_and_expiry(id_, inputs, old)

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("dynamodb").delete_table(TableName=id_)

    def held(self, id_: str) -> str:
        pages = self.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=id_, Select="COUNT")
        count = sum(page["Count"] for page in pages)
        return counted(count, "stored order") if count else ""

    def _set_recovery_and_expiry(self, name: str, inputs: Values, old: Values) -> None:
        dynamodb = self.cloud.client("dynamodb")
        enabled = bool((inputs.get("pointInTimeRecovery") or {}).get("enabled"))
        if enabled != bool((old.get("pointInTimeRecovery") or {}).get("enabled")):
            dynamodb.update_continuous_backups(
                TableName=name, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": enabled}
            )
        if (ttl := inputs.get("ttl")) and ttl != old.get("ttl"):
            dynamodb.update_time_to_live(
                TableName=name,
                TimeToLiveSpecification={"AttributeName": ttl["attributeName"], "Enabled": ttl.get("enabled", False)},
            )


def _settings(inputs: Values) -> dict[str, Any]:
    """What a creation and an update of a table are told alike."""
    encryption = inputs.get("serverSideEncryption") or {}
    provisioned = inputs.get("billingMode", "PROVISIONED") == "PROVISIONED"
    capacity = {
        "ReadCapacityUnits": int(inputs.get("readCapacity") or 1),
        "WriteCapacityUnits": int(inputs.get("writeCapacity") or 1),
    }
    return present(
        BillingMode=inputs.get("billingMode", "PROVISIONED"),
        ProvisionedThroughput=capacity if provisioned else None,
        SSESpecification=present(Enabled=True, SSEType="KMS", KMSMasterKeyId=encryption.get("kmsKeyArn"))
        if encryption.get("enabled")
        else None,
        TableClass=inputs.get("tableClass"),
        DeletionProtectionEnabled=bool(inputs.get("deletionProtectionEnabled", False)),
    )


def _encryption(told: Values) -> dict[str, Any]:
    return {"enabled": told.get("Status") == "ENABLED", **present(kmsKeyArn=told.get("KMSMasterKeyArn"))}
