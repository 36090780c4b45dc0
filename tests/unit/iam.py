"""Decides requests by IAM policies, as far as the bootstrap's policies go."""

import functools
import json
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

REFERENCE = json.loads((Path(__file__).parent / "authorization.json").read_text())
"""The kinds of resources and the condition keys that each action has, of those that the tests ask about.

Taken from AWS's service authorization reference (April 2026); an action that is new here needs its line:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""

like = functools.cache(fnmatchcase)
"""Whether a text matches a pattern; the same few pairs are asked for hundreds of thousands of times."""


def many(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


@functools.cache
def has_key(action: str, key: str) -> bool:
    """Whether requests of an action carry a condition key."""
    return any(like(key, pattern) for pattern in REFERENCE[action]["keys"])


def granted(statements: Sequence[dict[str, Any]]) -> set[str]:
    """Every action that the statements name, with patterns resolved."""
    patterns = {pattern for statement in statements for pattern in many(statement["Action"])}
    unknown = {pattern for pattern in patterns if not any(like(action, pattern) for action in REFERENCE)}
    assert not unknown, f"{unknown} must have their lines in authorization.json"
    return {action for action in REFERENCE if any(like(action, pattern) for pattern in patterns)}


def fulfilled(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    """One line of a condition, as IAM decides it; without the key only IfExists and ForAllValues are fulfilled."""
    if key not in context:
        return operator.endswith("IfExists") or operator.startswith("ForAllValues:")
    if operator in ("StringEquals", "StringEqualsIfExists"):
        return context[key] in wanted
    assert operator in ("ArnLike", "StringLike", "ForAllValues:StringLike")
    return any(like(context[key], pattern) for pattern in wanted)


def allows(statements: Sequence[dict[str, Any]], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether a request is allowed; of the context it carries only the keys that its action has."""
    carried = {key: value for key, value in context.items() if has_key(action, key)}
    return any(
        any(like(action, pattern) for pattern in many(statement["Action"]))
        and any(like(resource, pattern) for pattern in many(statement["Resource"]))
        and all(
            fulfilled(operator, key, many(wanted), carried)
            for operator, lines in statement.get("Condition", {}).items()
            for key, wanted in lines.items()
        )
        for statement in statements
    )
