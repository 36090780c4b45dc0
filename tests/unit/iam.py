"""Decides requests by IAM policies, as far as the bootstrap's policies go."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any


def many(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def fulfilled(operator: str, key: str, wanted: list[str], context: Mapping[str, str]) -> bool:
    """One line of a condition, as IAM decides it; a key that a request does not have fulfils nothing but IfExists."""
    if key not in context:
        return operator.endswith("IfExists")
    if operator in ("StringEquals", "StringEqualsIfExists"):
        return context[key] in wanted
    assert operator in ("ArnLike", "ForAllValues:StringLike")
    return any(fnmatchcase(context[key], pattern) for pattern in wanted)


def allows(statements: Sequence[dict[str, Any]], action: str, resource: str, context: Mapping[str, str]) -> bool:
    return any(
        any(fnmatchcase(action, pattern) for pattern in many(statement["Action"]))
        and any(fnmatchcase(resource, pattern) for pattern in many(statement["Resource"]))
        and all(
            fulfilled(operator, key, many(wanted), context)
            for operator, lines in statement.get("Condition", {}).items()
            for key, wanted in lines.items()
        )
        for statement in statements
    )
