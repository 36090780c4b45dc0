"""Roles and their policies."""

import json
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import unquote

from botocore.exceptions import ClientError

from tools.cloud.cloud import Cloud
from tools.cloud.resources.keeper import Values, is_gone, present


@dataclass(frozen=True)
class Role:
    """A role; its id is its name."""

    cloud: Cloud
    honours: ClassVar = (
        "assumeRolePolicy description forceDetachPolicies maxSessionDuration name path permissionsBoundary tags"
    )

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        role = self.cloud.client("iam").create_role(
            RoleName=name,
            AssumeRolePolicyDocument=inputs["assumeRolePolicy"],
            **present(
                Path=inputs.get("path"),
                Description=inputs.get("description"),
                MaxSessionDuration=inputs.get("maxSessionDuration"),
                PermissionsBoundary=self._boundary(inputs),
            ),
        )["Role"]
        return name, {"arn": role["Arn"], "uniqueId": role["RoleId"], "createDate": role["CreateDate"].isoformat()}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        role = self.cloud.client("iam").get_role(RoleName=id_)["Role"]
        document = role["AssumeRolePolicyDocument"]
        return {
            "name": id_,
            "arn": role["Arn"],
            "assumeRolePolicy": document if isinstance(document, str) else json.dumps(document),
            **present(
                path=role.get("Path"),
                description=role.get("Description") or None,
                maxSessionDuration=role.get("MaxSessionDuration"),
            ),
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
            or (None if self._boundary(state) else state.get("permissionsBoundary")),
        }

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        iam = self.cloud.client("iam")
        iam.update_assume_role_policy(RoleName=id_, PolicyDocument=inputs["assumeRolePolicy"])
        description, duration = inputs.get("description", ""), inputs.get("maxSessionDuration")
        iam.update_role(RoleName=id_, Description=description, **present(MaxSessionDuration=duration))
        boundary = self._boundary(inputs)
        if boundary != self._boundary(old):
            if boundary:
                iam.put_role_permissions_boundary(RoleName=id_, PermissionsBoundary=boundary)
            else:
                iam.delete_role_permissions_boundary(RoleName=id_)

    def delete(self, id_: str, state: Values) -> None:
        self.cloud.client("iam").delete_role(RoleName=id_)

    def _boundary(self, inputs: Values) -> str | None:
        """The boundary, if its policy is here: that of a stack's own account is not, and bounds nothing here."""
        arn: str | None = inputs.get("permissionsBoundary")
        try:
            return self.cloud.client("iam").get_policy(PolicyArn=arn)["Policy"]["Arn"] if arn else None
        except ClientError as error:
            if not is_gone(error):
                raise
            return None


@dataclass(frozen=True)
class RolePolicy:
    """A policy inside a role; its id is `role:name`."""

    cloud: Cloud
    honours: ClassVar = "name policy role"

    def create(self, name: str, inputs: Values) -> tuple[str, dict[str, Any]]:
        id_ = f"{inputs['role']}:{name}"
        self.update(id_, inputs, {})
        return id_, {}

    def read(self, id_: str, state: Values) -> dict[str, Any]:
        role, _, name = id_.partition(":")
        told = self.cloud.client("iam").get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        document = json.loads(unquote(told)) if isinstance(told, str) else told
        document["Statement"] = [each for each in document["Statement"] if each != BATCH]
        return {"role": role, "name": name, "policy": json.dumps(document)}

    def update(self, id_: str, inputs: Values, old: Values) -> None:
        role, _, name = id_.partition(":")
        self.cloud.client("iam").put_role_policy(
            RoleName=role, PolicyName=name, PolicyDocument=_with_batch_action(inputs["policy"])
        )

    def delete(self, id_: str, state: Values) -> None:
        role, _, name = id_.partition(":")
        self.cloud.client("iam").delete_role_policy(RoleName=role, PolicyName=name)


BATCH = {"Effect": "Allow", "Action": "dynamodb:BatchExecuteStatement", "Resource": "*"}
"""What MiniStack asks for a PartiQL batch, an action that AWS does not have.

AWS asks for PartiQLInsert or PartiQLUpdate on the table, per statement.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
"""


def _with_batch_action(policy: str) -> str:
    """Let a policy that allows both kinds of statement in a PartiQL batch allow the batch on MiniStack."""
    document = json.loads(policy)
    listed = [each.get("Action", []) for each in document["Statement"]]
    actions = {action for each in listed for action in ([each] if isinstance(each, str) else each)}
    if {"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate"} <= actions:
        document["Statement"].append(BATCH)
    return json.dumps(document)
