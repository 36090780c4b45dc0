"""One reading of IAM policy documents, whatever shape they are written in."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

from framework.rule import Undecided, Verdict
from framework.stack import Resource, is_arn, short_name
from framework.values import MISSING, UNKNOWN, items

ANYONE = ("aws", "*")

# Conditions on these say who may call, or for whom.
CALLERS = ("aws:SourceArn", "aws:SourceAccount", "aws:PrincipalOrgID", "aws:PrincipalArn", "aws:PrincipalAccount")

# Operators that hold only if the key is present and equal; ...IfExists and ForAllValues: hold without the key.
_EQUALITY = frozenset({"stringequals", "stringequalsignorecase", "stringlike", "arnequals", "arnlike"})


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One operator applied to one key, both in lower case."""

    operator: str
    key: str
    values: tuple[Any, ...]

    @property
    def demands(self) -> bool:
        """Whether it holds only if the key is there and fits."""
        return self.operator.removeprefix("foranyvalue:") in _EQUALITY and bool(self.values)

    def pins(self, *keys: str) -> bool:
        """Whether it holds only for fixed values of one of these keys; a value not known yet counts as fixed."""
        return (
            self.demands
            and self.key in {key.lower() for key in keys}
            and not any(isinstance(value, str) and ("*" in value or "?" in value) for value in self.values)
        )


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement; parts that are not known yet are UNKNOWN."""

    allows: bool
    principals: tuple[tuple[str, Any], ...]
    """Pairs of kind in lower case and identifier; everyone, however written, is ANYONE."""
    excludes_principals: bool
    """NotPrincipal: everyone but the principals."""
    actions: tuple[Any, ...]
    """In lower case, wildcards as written."""
    excludes_actions: bool
    """NotAction: everything but the actions."""
    resources: tuple[Any, ...]
    excludes_resources: bool
    conditions: tuple[Condition, ...]

    def covers(self, action: str) -> bool:
        """Whether an action such as `sqs:SendMessage` is among those of the statement."""
        hit = any(pattern is UNKNOWN or matches(pattern, action.lower()) for pattern in self.actions)
        return hit != self.excludes_actions

    def reaches(self, target: Resource) -> bool:
        """Whether a resource is among those of the statement; yes where that is not known."""
        return any(_stands_for(pattern, target) for pattern in self.resources) != self.excludes_resources

    def speaks_for(self, service: str) -> bool:
        """Whether a service such as `sns.amazonaws.com` is a principal, also as one of everyone."""
        return not self.excludes_principals and any(each in self.principals for each in (("service", service), ANYONE))

    def pinned_to(self, *keys: str) -> bool:
        """Whether some condition holds only for fixed values of one of these keys."""
        return any(condition.pins(*keys) for condition in self.conditions)

    @property
    def open(self) -> bool:
        """Whether everyone is a principal."""
        return self.excludes_principals or ANYONE in self.principals


def _stands_for(pattern: Any, target: Resource) -> bool:
    """Whether an ARN with wildcards means a resource, by its name before it has an ARN."""
    arn, name = target.get("arn"), target.get("name")
    if pattern is UNKNOWN or isinstance(arn, str):
        return pattern is UNKNOWN or matches(pattern, arn)
    return not isinstance(name, str) or not is_arn(pattern) or matches(short_name(pattern), name)


def statements(document: Any) -> tuple[Statement, ...]:
    """Read a document given as JSON or as an object.

    Raises ValueError saying what is wrong; the caller decides what an unknown or missing document means.
    """
    if isinstance(document, str):
        return _written(document)
    if not isinstance(document, Mapping):
        raise ValueError("is not an object")
    parts = _lower_keys(document)
    if "statement" not in parts:
        raise ValueError("has no Statement")
    return tuple(_statement(part) for part in items(parts["statement"]))


@lru_cache(maxsize=1000)
def _written(text: str) -> tuple[Statement, ...]:
    try:
        document = json.loads(text)
    except ValueError as error:
        raise ValueError("is not JSON") from error
    return statements(document if isinstance(document, Mapping) else None)


def readable(document: Any) -> tuple[Statement, ...]:
    """Read a document; one that is malformed, unknown or missing says nothing."""
    try:
        return statements(document)
    except ValueError:
        return ()


def judged(document: Any, key: str, judge: Callable[[Statement], Iterator[Verdict]]) -> Iterator[Verdict]:
    """What a judge says of each statement that allows something in the document of a property.

    One that is missing says nothing, one that is unknown has to wait, and one that cannot be read is a violation.
    """
    if document is UNKNOWN:
        yield Undecided(key)
    elif document is not MISSING:
        try:
            found = statements(document)
        except ValueError as error:
            yield f"has a document in {key} that {error}"
            return
        for statement in found:
            if statement.allows:
                yield from judge(statement)


def _statement(part: Any) -> Statement:
    if not isinstance(part, Mapping):
        raise ValueError("has a Statement that is not an object")
    part = _lower_keys(part)
    effect = part.get("effect")
    if not isinstance(effect, str) or effect.lower() not in ("allow", "deny"):
        raise ValueError("has a Statement whose Effect is neither Allow nor Deny")
    actions = items(part.get("action", part.get("notaction", MISSING)))
    if not actions or not all(action is UNKNOWN or isinstance(action, str) for action in actions):
        raise ValueError("has a Statement without a text as Action")
    return Statement(
        allows=effect.lower() == "allow",
        principals=tuple(_principals(part.get("principal", part.get("notprincipal", MISSING)))),
        excludes_principals="notprincipal" in part,
        actions=tuple(action.lower() if isinstance(action, str) else UNKNOWN for action in actions),
        excludes_actions="notaction" in part,
        resources=tuple(items(part.get("resource", part.get("notresource", MISSING)))),
        excludes_resources="notresource" in part,
        conditions=tuple(_conditions(part.get("condition", {}))),
    )


def _principals(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for kind, names in value.items():
            for name in items(names):
                yield ANYONE if name == "*" else (kind.lower(), name)
    else:
        for name in items(value):
            yield ANYONE if name == "*" else ("aws", name)


def _conditions(value: Any) -> Iterator[Condition]:
    if not isinstance(value, Mapping):
        raise ValueError("has a Statement whose Condition is not an object")
    for operator, tests in value.items():
        if not isinstance(tests, Mapping):
            raise ValueError(f"has a Condition {operator} that is not an object")
        for key, values in tests.items():
            yield Condition(operator=operator.lower(), key=key.lower(), values=tuple(items(values)))


def _lower_keys(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(key).lower(): item for key, item in value.items()}


def matches(pattern: Any, text: str) -> bool:
    """Whether a pattern with `*` and `?` matches the whole text, in a time that does not explode with the stars."""
    # The standard library's matcher does not look back behind a star that has matched; only its brackets mean nothing.
    return isinstance(pattern, str) and fnmatchcase(text, pattern.replace("[", "[[]"))
