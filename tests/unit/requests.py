"""What Pulumi and its AWS provider ask of AWS about the resources of a stack, for the tests of who may."""

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tools.recording.graph import ACCOUNT, Graph, Resource, record

STACKS = ("dev", "staging", "prod")
STATE_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/orders-state-key"


@functools.cache
def stack(name: str) -> Graph:
    return record(stack=name)


CALLS: Mapping[str, Any] = json.loads(Path(__file__).with_name("calls.json").read_text())
"""By type, what the provider calls over the life of a resource, and `on` what; what it `creates` has no tags yet.

Read off the service authorization reference and the provider's sources, and written down there apart from what the
roles are granted.
"""


def boundary_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/orders-{name}-boundary"


def tags(name: str, kind: str = "ResourceTag") -> dict[str, str]:
    return {f"aws:{kind}/project": "orders", f"aws:{kind}/stack": name}


CARRIED: dict[str, tuple[str, ...]] = {
    "reads": ("aws:ResourceTag",),
    "creates": ("aws:RequestTag",),
    "changes": ("aws:ResourceTag",),
    "deletes": ("aws:ResourceTag",),
}
"""The tags that requests of each kind carry: what is created has none yet, and only it is sent all of them."""


def request(kind: str, name: str, suffix: str | None = None) -> dict[str, str]:
    """What a request of a kind carries. The provider sends the tags that differ, never `project` and `stack`.

    https://github.com/hashicorp/terraform-provider-aws: updateTags in every service's tags_gen.go
    """
    carried = {
        key: value for key, value in context(name, suffix).items() if "Tag/" not in key or key.startswith(CARRIED[kind])
    }
    return carried | ({"aws:RequestTag/owner": "another-team"} if kind == "changes" else {})


def context(name: str, suffix: str | None = None) -> dict[str, str]:
    """All that a caller could put into a request about something of a stack."""
    end = f"-{name}-1a2b3c4" if suffix is None else suffix
    return {
        **tags(name),
        **tags(name, "RequestTag"),
        "iam:PermissionsBoundary": boundary_arn(name),
        "iam:PassedToService": "lambda.amazonaws.com",
        "lambda:FunctionArn": f"arn:aws:lambda:eu-west-1:{ACCOUNT}:function:ProcessOrder{end}",
        "sns:Protocol": "sqs",
        "sns:Endpoint": f"arn:aws:sqs:eu-west-1:{ACCOUNT}:OrderQueue{end}",
        "kms:EncryptionContext:stack": f"orders/{name}",
    }


def arn(resource: Resource, name: str, suffix: str | None = None) -> str:
    """Its ARN in a stack, as Pulumi.yaml ends the name; what AWS names itself has no such end."""
    queue = str(resource.properties.get("queueUrl")).rpartition("/")[2]
    told = {**resource.properties, "arn": resource.outputs["arn"], "queue": queue, "name": resource.name}
    bare: str = CALLS[resource.type]["on"].format(**told, account=ACCOUNT)
    own = bare == "*" or ":key/" in bare or ":event-source-mapping:" in bare or ":dashboard/" in bare
    return bare if own else bare + (f"-{name}-1a2b3c4" if suffix is None else suffix)


def custom(name: str) -> list[Resource]:
    """The resources of a stack that exist at AWS."""
    return [resource for resource in stack(name).resources if resource.custom]


def state_of(name: str) -> list[str]:
    """Where the state's bucket has something of a stack, below `.pulumi/`."""
    return [
        f"stacks/orders/{name}.json",
        f"stacks/orders/{name}.json.bak",
        f"history/orders/{name}/{name}-1.history.json",
        f"backups/orders/{name}/{name}.1.json",
        f"locks/organization/orders/{name}/1.json",
    ]
