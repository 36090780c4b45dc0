"""What AWS documents of the actions in the bootstrap's policies, and requests that carry no more than that."""

import functools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.review import access
from tools.review.access import Request, like, many

__all__ = ["REFERENCE", "allows", "granted", "has_key", "like", "many"]

REFERENCE = json.loads((Path(__file__).parent / "authorization.json").read_text())
"""The kinds of resources and the condition keys that each action has, of those that the tests ask about.

Taken from AWS's service authorization reference (April 2026); an action that is new here needs its line:
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
"""


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


def allows(statements: Sequence[dict[str, Any]], action: str, resource: str, context: Mapping[str, str]) -> bool:
    """Whether a request is allowed; of the context it carries only the keys that its action has."""
    carried = {key: value for key, value in context.items() if has_key(action, key)}
    return access.allows(statements, Request(action=action, resource=resource, context=carried))
