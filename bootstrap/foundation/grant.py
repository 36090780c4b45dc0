"""What a policy grants, as data: the same table gives the policy that reads and the one that also writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi


@dataclass(frozen=True, kw_only=True)
class Grant:
    """Actions on one kind of resource."""

    sid: str
    resources: Sequence[pulumi.Input[str]]
    """ARNs or patterns of them; `*` where AWS knows no resource for the actions."""
    read: str = ""
    """Actions of a preview, separated by spaces."""
    write: str = ""
    """Further actions of a deployment."""
    condition: Mapping[str, Mapping[str, Any]] | None = None


def document(grants: Sequence[Grant], *, writes: bool) -> dict[str, Any]:
    """The policy document of the grants, with or without what they let one write."""
    statements: list[dict[str, Any]] = []
    for grant in grants:
        actions = f"{grant.read} {grant.write if writes else ''}".split()
        if actions:
            statement = {
                "Sid": grant.sid,
                "Effect": "Allow",
                "Action": actions,
                "Resource": list(grant.resources),
            }
            statements.append(statement | ({"Condition": grant.condition} if grant.condition else {}))
    return {"Version": "2012-10-17", "Statement": statements}
