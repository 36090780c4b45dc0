"""The recorded bootstrap, for the tests of its parts."""

import functools
import json
from typing import Any

from recording.graph import ROOT, Graph, Resource, program, record

BOOTSTRAP = ROOT / "bootstrap"
ROLE_POLICY, MANAGED_POLICY = "aws:iam/rolePolicy:RolePolicy", "aws:iam/policy:Policy"


def bootstrap(preview: bool = False, **config: str) -> Graph:
    values = {"bootstrap:repository": "acme/orders"} | {f"bootstrap:{key}": text for key, text in config.items()}
    run = functools.partial(program, BOOTSTRAP)
    return record(stack="main", root=BOOTSTRAP, program=run, preview=preview, config=values)


@functools.cache
def deployed() -> Graph:
    return bootstrap()


def document(resource: Resource, key: str = "policy") -> Any:
    parsed = json.loads(resource.properties[key])
    assert parsed["Version"] == "2012-10-17"
    return parsed


@functools.cache
def statements(role: str) -> list[dict[str, Any]]:
    """Everything that a role's own policies say."""
    policies = deployed().all(ROLE_POLICY).values()
    return [each for policy in policies if policy.properties["role"] == role for each in document(policy)["Statement"]]


def boundary() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(deployed().one(MANAGED_POLICY, "orders-boundary"))["Statement"]
    return found
