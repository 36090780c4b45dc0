"""What a rule is: a row of data and one small function."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from framework.stack import Resource, Stack
from pulumi_policy import EnforcementLevel, Severity

Config = Mapping[str, Any]


@dataclass(frozen=True)
class Undecided:
    """A verdict that has to wait for the update, because these properties are not known in preview."""

    properties: str


Verdict = str | Undecided
"""A violation, as words that follow the resource's name ("has no redrivePolicy"), or Undecided."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting of a rule."""

    name: str
    default: Any
    meaning: str
    schema: Mapping[str, Any]
    """JSON schema of the value, without its default."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One requirement, how to meet it, and the function that looks for violations."""

    name: str
    requires: str
    """What must hold, in one sentence."""
    remedy: str
    """How to fix a violation, as an imperative sentence."""
    level: EnforcementLevel = EnforcementLevel.MANDATORY
    severity: Severity = Severity.HIGH
    pillar: str
    """Question of the AWS Well-Architected Framework, such as REL05."""
    maps_to: tuple[str, ...] = ()
    """The same check in Security Hub, Checkov, cdk-nag and others."""
    link: str
    """Page of the documentation that the rule rests on."""
    on: tuple[str, ...]
    """Resource types that the rule judges, one resource at a time."""
    settings: tuple[Setting, ...] = field(default=())
    check: Callable[[Resource, Config], Iterator[Verdict]] | None = None
    """Judges inputs, before anything is created: blocks an update too. Give this or `check_in_stack`."""
    check_in_stack: Callable[[Resource, Stack, Config], Iterator[Verdict]] | None = None
    """Judges a resource by its neighbours; blocks a preview, but an update only after the fact."""


advice = partial(Rule, level=EnforcementLevel.ADVISORY, severity=Severity.MEDIUM)
"""A rule whose violation is told and stops nothing."""


def whole(name: str, default: int, meaning: str, minimum: int = 0) -> Setting:
    """A setting that takes a whole number."""
    return Setting(name=name, default=default, meaning=meaning, schema={"type": "integer", "minimum": minimum})


def switch(name: str, meaning: str, *, default: bool) -> Setting:
    """A setting that is on or off."""
    return Setting(name=name, default=default, meaning=meaning, schema={"type": "boolean"})


def texts(name: str, default: tuple[str, ...], meaning: str) -> Setting:
    """A setting that takes a list of texts."""
    schema = {"type": "array", "items": {"type": "string", "minLength": 1}}
    return Setting(name=name, default=list(default), meaning=meaning, schema=schema)
