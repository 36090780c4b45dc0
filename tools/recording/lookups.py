"""What the provider's functions answer: the few that need no cloud."""

import json
from collections.abc import Callable, Mapping
from typing import Any

Lookup = Callable[[Mapping[str, Any]], dict[str, Any]]


def lookups(account: str, region: str) -> dict[str, dict[str, Any]]:
    """What the provider's functions answer in an account and region, by token."""
    return {
        "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": account, "id": account},
        "aws:index/getRegion:getRegion": {"region": region, "name": region, "id": region},
        "aws:index/getPartition:getPartition": {"partition": "aws", "dnsSuffix": "amazonaws.com", "id": "aws"},
    }


def policy_document(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """What `getPolicyDocument` makes of its arguments: the provider asks nobody for it, either."""
    statements = [
        {
            "Effect": stated.get("effect") or "Allow",
            **{part: stated[key] for key, part in _PARTS.items() if stated.get(key)},
            **{part: principals for key, part in _WHO.items() if (principals := _principals(stated.get(key)))},
            **({"Condition": _conditions(stated["conditions"])} if stated.get("conditions") else {}),
        }
        for stated in arguments.get("statements") or ()
    ]
    text = json.dumps({"Version": arguments.get("version") or "2012-10-17", "Statement": statements})
    return {"id": str(len(text)), "json": text, "minifiedJson": text}


_PARTS = {
    "sid": "Sid",
    "actions": "Action",
    "notActions": "NotAction",
    "resources": "Resource",
    "notResources": "NotResource",
}
_WHO = {"principals": "Principal", "notPrincipals": "NotPrincipal"}
_COMPUTED: Mapping[str, Lookup] = {"aws:iam/getPolicyDocument:getPolicyDocument": policy_document}


def _principals(stated: Any) -> Any:
    named: dict[str, list[str]] = {}
    for each in stated or ():
        named.setdefault(each["type"], []).extend(each["identifiers"])
    return "*" if "*" in named else named


def _conditions(stated: Any) -> dict[str, dict[str, list[str]]]:
    found: dict[str, dict[str, list[str]]] = {}
    for each in stated:
        found.setdefault(each["test"], {}).setdefault(each["variable"], []).extend(each["values"])
    return found


def answered(token: str, arguments: Mapping[str, Any], account: str, region: str) -> dict[str, Any] | None:
    """What a function of the provider answers, None if only a cloud can tell."""
    if token in _COMPUTED:
        return _COMPUTED[token](arguments)
    return lookups(account, region).get(token)
