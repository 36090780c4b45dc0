"""Decides requests by the words of IAM policies: those of roles, queues, topics and keys."""

import functools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

Statement = Mapping[str, Any]

like = functools.cache(fnmatchcase)
"""Whether a text matches a pattern; the same few pairs are asked for hundreds of thousands of times."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What somebody asks of AWS."""

    action: str
    resource: str
    """An ARN."""
    principal: tuple[str, str] | None = None
    """Kind and name of who asks, such as `Service`, `sns.amazonaws.com`; None where the policy is that of who asks."""
    context: Mapping[str, str] = field(default_factory=dict)
    """By condition key, what the request carries."""


def many(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else [value]


def allows(statements: Iterable[Statement], request: Request) -> bool:
    """Whether policies allow a request: one statement does, and none denies it."""
    effects = {statement.get("Effect") for statement in statements if _applies(statement, request)}
    return "Allow" in effects and "Deny" not in effects


def grants(statements: Iterable[Statement], effect: str) -> Iterator[Statement]:
    """Statements of one effect, without their names, in parts of one principal, action and resource each."""
    for each in statements:
        if each.get("Effect") != effect:
            continue
        same = {key: each[key] for key in ("NotAction", "NotResource", "NotPrincipal", "Condition") if key in each}
        for action in many(each.get("Action")):
            for resource in many(each.get("Resource")):
                for principal in principals(each.get("Principal")):
                    part = {"Effect": effect, "Action": action, "Resource": resource, "Principal": principal, **same}
                    yield {key: value for key, value in part.items() if value is not None}


def principals(value: Any) -> list[Any]:
    if not isinstance(value, Mapping):
        return [value]
    return [{kind: name} for kind, names in value.items() for name in many(names)]


def without(lost: Sequence[Statement], kept: Sequence[Statement]) -> list[Statement]:
    """The grants that no other one includes."""
    return [each for each in lost if not any(_includes(other, each) for other in kept)]


def _includes(wide: Statement, narrow: Statement) -> bool:
    same = ("NotAction", "NotResource", "NotPrincipal", "Condition", "Principal")
    return all(wide.get(key) == narrow.get(key) for key in same) and all(
        like(str(narrow.get(key)), str(wide.get(key))) for key in ("Action", "Resource")
    )


def _applies(statement: Statement, request: Request) -> bool:
    """Whether a statement speaks of a request; one that cannot be read denies, and allows nothing."""
    action, resource = request.action.lower(), request.resource
    return (
        _named(statement, "Action", lambda pattern: like(action, pattern.lower()))
        and _named(statement, "Resource", lambda pattern: like(resource, pattern))
        and (request.principal is None or _is_meant(statement.get("Principal"), *request.principal))
        and all(
            _fulfilled(operator, key, many(wanted), request.context, denies=statement.get("Effect") == "Deny")
            for operator, lines in (statement.get("Condition") or {}).items()
            for key, wanted in lines.items()
        )
    )


def _named(statement: Statement, key: str, matches: Callable[[str], bool]) -> bool:
    if key in statement:
        return any(matches(str(pattern)) for pattern in many(statement[key]))
    return not any(matches(str(pattern)) for pattern in many(statement.get(f"Not{key}", "*")))


def _is_meant(principal: Any, kind: str, name: str) -> bool:
    if not isinstance(principal, Mapping):
        return bool(principal == "*")
    known = {name, name.split(":")[4]} if name.startswith("arn:") else {name}  # an account by its root or its number
    return any(each == "*" or each in known for each in many(principal.get(kind, [])))


def _fulfilled(operator: str, key: str, wanted: list[Any], context: Mapping[str, str], *, denies: bool) -> bool:
    """One line of a condition, as IAM decides it; without the key only IfExists and ForAllValues are fulfilled."""
    kind = operator.removeprefix("ForAllValues:").removesuffix("IfExists")
    if key not in context:
        return operator != kind or kind.startswith(("StringNot", "ArnNot"))
    has = context[key]
    texts = [json.dumps(each) if isinstance(each, bool) else str(each) for each in wanted]
    if kind in ("StringEquals", "Bool"):
        return has in texts
    if kind == "StringNotEquals":
        return has not in texts
    if kind in ("ArnEquals", "ArnLike", "StringLike"):
        return any(like(has, pattern) for pattern in texts)
    if kind in ("ArnNotEquals", "ArnNotLike", "StringNotLike"):
        return not any(like(has, pattern) for pattern in texts)
    return denies  # an operator that is not known here
