"""The recorded bootstrap, for the tests of its parts."""

import functools
import json
from typing import Any

from tools.recording.graph import Graph, Resource, program, record
from tools.root import ROOT

BOOTSTRAP = ROOT / "bootstrap"
ROLE_POLICY, MANAGED_POLICY = "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"


def bootstrap(preview: bool = False, **config: str) -> Graph:
    values = {"bootstrap:repository": "acme/orders"} | {f"bootstrap:{key}": text for key, text in config.items()}
    run = functools.partial(program, BOOTSTRAP)
    return record(stack="main", root=BOOTSTRAP, program=run, preview=preview, config=values)


@functools.cache
def deployed(stacks: str = '["dev", "staging", "prod"]') -> Graph:
    return bootstrap(stacks=stacks)


def document(resource: Resource, key: str = "policy") -> Any:
    parsed = json.loads(resource.properties[key])
    assert parsed["Version"] == "2012-10-17"
    return parsed


@functools.cache
def statements(role: str, *, alone: bool = False) -> list[dict[str, Any]]:
    """Everything that the policies of a role such as `prod-deploy` say; `alone` in an account without other stacks."""
    graph = deployed(json.dumps([role.split("-")[0]])) if alone else deployed()
    policies = [policy for policy in graph.all(ROLE_POLICY).values() if policy.properties["role"] == f"orders-{role}"]
    return [statement for policy in policies for statement in document(policy)["Statement"]]


def boundary(stack: str = "prod") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(deployed().one(MANAGED_POLICY, f"orders-{stack}-boundary"))["Statement"]
    return found
