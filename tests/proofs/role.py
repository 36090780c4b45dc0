"""The function's role with its policies, or without one action of them, and clients that act under it."""

import contextlib
import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from tools.cloud.deployment import Deployment
from tools.cloud.resources.iam import RolePolicy
from tools.ops.stack import local_clients

ROLE = "ProcessOrder-role"
PROBE = """import os

def handler(event, context):
    return {name: os.environ["AWS_" + name] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN")}
"""
DENIED = ("AccessDenied", "AccessDeniedException", "AuthorizationError", "AuthorizationErrorException")


@dataclass(frozen=True, kw_only=True)
class FunctionRole:
    """The role, and the credentials that the function has under it."""

    deployment: Deployment
    arn: str
    credentials: dict[str, str]

    def client(self, service: str) -> Any:
        """A client that acts as the function does."""
        cloud = self.deployment.cloud
        keys = (self.credentials[name] for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"))
        return local_clients(cloud.endpoint, cloud.region, str(cloud.ca_bundle), *keys)(service)

    def policies(self) -> dict[str, dict[str, Any]]:
        """The documents of its policies, by id, without what only the local cloud asks for."""
        names = self.deployment.client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"]
        held = RolePolicy(self.deployment.cloud)
        return {f"{ROLE}:{name}": json.loads(held.read(f"{ROLE}:{name}", {})["policy"]) for name in names}

    def actions(self) -> set[str]:
        """Every action that it has."""
        documents = self.policies().values()
        return {action for each in documents for statement in each["Statement"] for action in statement["Action"]}

    @contextlib.contextmanager
    def without(self, action: str) -> Iterator[None]:
        """Take one action from it for as long as the block runs."""
        held, before = RolePolicy(self.deployment.cloud), self.policies()
        for id_, document in before.items():
            left = [
                {**statement, "Action": [each for each in statement["Action"] if each != action]}
                for statement in document["Statement"]
            ]
            if statements := [statement for statement in left if statement["Action"]]:
                held.update(id_, {"policy": json.dumps({**document, "Statement": statements})}, {})
            else:
                held.delete(id_, {})
        try:
            yield
        finally:
            for id_, document in before.items():
                held.update(id_, {"policy": json.dumps(document)}, {})

    def allows(self, action: str, resource: str) -> bool:
        """What IAM's simulator says, where the local cloud cannot make the call itself."""
        answer = self.deployment.client("iam").simulate_principal_policy(
            PolicySourceArn=self.arn, ActionNames=[action], ResourceArns=[resource]
        )
        return bool(answer["EvaluationResults"][0]["EvalDecision"] == "allowed")


def role_of(deployment: Deployment) -> FunctionRole:
    """The function's role; a probe under it tells its credentials."""
    arn, functions = deployment.client("iam").get_role(RoleName=ROLE)["Role"]["Arn"], deployment.client("lambda")
    name, code = f"Probe-{uuid.uuid4().hex[:6]}", io.BytesIO()
    with zipfile.ZipFile(code, "w") as target:
        target.writestr("probe.py", PROBE)
    functions.create_function(
        FunctionName=name, Code={"ZipFile": code.getvalue()}, Handler="probe.handler", Runtime="python3.12", Role=arn
    )
    credentials = json.load(functions.invoke(FunctionName=name, Payload=b"{}")["Payload"])
    functions.delete_function(FunctionName=name)
    return FunctionRole(deployment=deployment, arn=arn, credentials=credentials)


def denied(call: Callable[[], Any]) -> bool:
    """Whether a call is refused for lack of permission, and for nothing else."""
    try:
        call()
    except ClientError as error:
        return error.response["Error"]["Code"] in DENIED
    return False
