"""The recorded bootstrap, for the tests of its parts."""

import functools
import json
from typing import Any

import config
from tools.recording.graph import ACCOUNT, Graph, Resource, program, record
from tools.root import ROOT

BOOTSTRAP = ROOT / "bootstrap"
MANAGED_POLICY = "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


def bootstrap(preview: bool = False, **given: str) -> Graph:
    values = {"bootstrap:repository": "acme/orders"} | {f"bootstrap:{key}": text for key, text in given.items()}
    run = functools.partial(program, BOOTSTRAP)
    return record(stack="main", root=BOOTSTRAP, program=run, preview=preview, config=values)


STACKS = '["dev", "staging", "prod"]'


@functools.cache
def deployed(stacks: str = STACKS) -> Graph:
    return bootstrap(stacks=stacks)


LONGEST = "a" * config.STACK_NAME
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"


@functools.cache
def elsewhere() -> Graph:
    """In an account that has a provider for GitHub: of a repository with numbers, for stacks of unusual names."""
    stacks = json.dumps(["dev", "dev-eu", LONGEST])
    return bootstrap(repository="acme@12/orders@345", githubProviderArn=PROVIDER, stacks=stacks)


def document(resource: Resource, key: str = "policy") -> Any:
    parsed = json.loads(resource.properties[key])
    assert parsed["Version"] == "2012-10-17"
    return parsed


def policies(graph: Graph, role: str) -> list[Any]:
    """The documents that are attached to a role such as `prod-deploy`."""
    by_arn = {policy.outputs["arn"]: policy for policy in graph.all(MANAGED_POLICY).values()}
    attached = [each.properties for each in graph.all(ATTACHMENT).values()]
    return [document(by_arn[each["policyArn"]]) for each in attached if each["role"] == f"orders-{role}"]


@functools.cache
def statements(role: str, *, alone: bool = False) -> list[dict[str, Any]]:
    """Everything that the policies of a role say; `alone` in an account without other stacks."""
    graph = deployed(json.dumps([role.split("-")[0]])) if alone else deployed()
    return [statement for policy in policies(graph, role) for statement in policy["Statement"]]


def boundary(stack: str = "prod") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = document(deployed().one(MANAGED_POLICY, f"orders-{stack}-boundary"))["Statement"]
    return found
