"""A role with the function's own policy, or with a part of it, and the credentials to act under it."""

import io
import json
import uuid
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from components.package import process_order_archive
from tools.cloud.cloud import loopback_client
from tools.cloud.deployment import Deployment
from tools.cloud.provider import create
from tools.cloud.resources.functions import archive_bytes

ROLE, POLICY = "ProcessOrder-role", "ProcessOrder-permissions"
EMULATED = "dynamodb:BatchExecuteStatement"
"""The one action that only the local cloud asks for; see tools/cloud/resources/iam.py."""
PROBE = """import os

def handler(event, context):
    return {name: os.environ["AWS_" + name] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")}
"""
DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException")


@dataclass
class Role:
    """A role with the function's policy, or with that policy without one action, and clients that act under it."""

    deployment: Deployment
    name: str
    arn: str
    function: str
    """ProcessOrder under this role."""
    credentials: dict[str, str]
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        cloud = self.deployment.cloud
        if service not in self._clients:
            self._clients[service] = loopback_client(
                service,
                endpoint=cloud.endpoint,
                region=cloud.region,
                ca_bundle=str(cloud.ca_bundle),
                access_key_id=self.credentials["ACCESS_KEY_ID"],
                secret_access_key=self.credentials["SECRET_ACCESS_KEY"],
                session_token=self.credentials["SESSION_TOKEN"],
            )
        return self._clients[service]

    def hold(self, *, without: str = "") -> None:
        """Take the function's policy, all of it or without one action."""
        statements = [
            {**statement, "Action": [action for action in statement["Action"] if action != without]}
            for statement in _statements(self.deployment)
        ]
        policy = {"Version": "2012-10-17", "Statement": [statement for statement in statements if statement["Action"]]}
        inputs = {"role": self.name, "policy": json.dumps(policy)}
        create(self.deployment.cloud, "aws:iam/rolePolicy:RolePolicy", "permissions", inputs, {})

    def allows(self, action: str, resource: str) -> bool:
        """What IAM's simulator says, where the local cloud cannot make the call itself."""
        answer = self.deployment.client("iam").simulate_principal_policy(
            PolicySourceArn=self.arn, ActionNames=[action], ResourceArns=[resource]
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


def policy_actions(deployment: Deployment) -> set[str]:
    """Every action of the function's policy, without the one that only the local cloud asks for."""
    return {action for statement in _statements(deployment) for action in statement["Action"]}


def _statements(deployment: Deployment) -> list[dict[str, Any]]:
    iam, found = deployment.client("iam"), []
    for name in iam.list_role_policies(RoleName=ROLE)["PolicyNames"]:
        document = iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"]
        found += (document if isinstance(document, dict) else json.loads(document))["Statement"]
    return [statement for statement in found if statement["Action"] != EMULATED]


def make_role(deployment: Deployment) -> Role:
    """ProcessOrder and a probe for its credentials under a role of their own."""
    name = f"Limited-{uuid.uuid4().hex[:6]}"
    iam, functions = deployment.client("iam"), deployment.client("lambda")
    trust = json.dumps(iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"])
    _, made = create(deployment.cloud, "aws:iam/role:Role", name, {"assumeRolePolicy": trust}, {})
    arn = made["arn"]
    probe = io.BytesIO()
    with zipfile.ZipFile(probe, "w") as target:
        target.writestr("probe.py", PROBE)
    for function, handler, code in (
        (name, "process_order.lambda_function.lambda_handler", archive_bytes(process_order_archive())),
        (f"{name}-probe", "probe.handler", probe.getvalue()),
    ):
        functions.create_function(
            FunctionName=function,
            Code={"ZipFile": code},
            Handler=handler,
            Runtime="python3.12",
            Role=arn,
            Timeout=5,
            Environment={"Variables": {"TABLE_NAME": deployment.outputs["tableName"]}},
        )
    credentials = json.load(functions.invoke(FunctionName=f"{name}-probe", Payload=b"{}")["Payload"])
    return Role(deployment=deployment, name=name, arn=arn, function=name, credentials=credentials)


def denied(call: Callable[[], Any]) -> bool:
    """Whether a call is refused for lack of permission, and for nothing else."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in DENIED
    return False
