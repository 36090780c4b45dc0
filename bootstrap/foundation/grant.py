"""What a policy grants, as data: the same table gives the policy that reads and the one that also writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi


@dataclass(frozen=True)
class Grant:
    """Actions on one kind of resource."""

    sid: str
    resources: pulumi.Input[str] | Sequence[pulumi.Input[str]]
    """ARNs or patterns of them; `*` where AWS knows no resource for the actions."""
    read: str = ""
    """Actions of a preview, separated by spaces."""
    write: str = ""
    """Further actions of a deployment."""
    condition: Mapping[str, Mapping[str, Any]] | None = None


def document(grants: Sequence[Grant], *, writes: bool) -> dict[str, Any]:
    """The policy document of the grants, with or without what they let one write."""
    stated = [(grant, f"{grant.read} {grant.write if writes else ''}".split()) for grant in grants]
    return policy(*(_statement(grant, actions) for grant, actions in stated if actions))


def _statement(grant: Grant, actions: list[str]) -> dict[str, Any]:
    resources = list(grant.resources) if isinstance(grant.resources, list) else [grant.resources]
    statement = {"Sid": grant.sid, "Effect": "Allow", "Action": actions, "Resource": resources}
    return statement | ({"Condition": grant.condition} if grant.condition else {})


def policy(*statements: Mapping[str, Any]) -> dict[str, Any]:
    """A policy document; without its version AWS keeps the creation waiting until it times out."""
    return {"Version": "2012-10-17", "Statement": list(statements)}
