"""How a case of a rule is written: a change to the sound pipeline and the exact set of rules it breaks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.policy.sound import Change

Kind = Literal["pass", "fail", "unknown", "malformed"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One change and what the rules must say to it."""

    kind: Kind
    name: str
    changes: tuple[Change, ...]
    breaks: bool
    """Whether the rule that the case belongs to is violated once everything is known."""
    also: tuple[str, ...] = ()
    """Other rules that the same change rightly violates."""
    also_in_preview: tuple[str, ...] = ()
    """Rules that decide by dependencies in preview what this rule says once it is known."""
    only_update: bool = False
    """Whether the preview of a new stack cannot even know that there is something to decide."""
    decided_in_preview: bool = True
    """False: the preview cannot tell, and must say that it waits."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """The rule's configuration."""
    stack: str = "dev"


def passes(name: str, *changes: Change, also: tuple[str, ...] = (), stack: str = "dev", **settings: Any) -> Case:
    """The rule is content, in both modes."""
    return Case(kind="pass", name=name, changes=changes, breaks=False, also=also, settings=settings, stack=stack)


def fails(
    name: str,
    *changes: Change,
    also: tuple[str, ...] = (),
    also_in_preview: tuple[str, ...] = (),
    waits: bool = False,
    only_update: bool = False,
    stack: str = "dev",
    **settings: Any,
) -> Case:
    """The rule is violated; in preview too, unless it `waits`."""
    return Case(
        kind="fail",
        name=name,
        changes=changes,
        breaks=True,
        also=also,
        also_in_preview=also_in_preview,
        only_update=only_update,
        decided_in_preview=not waits,
        settings=settings,
        stack=stack,
    )


def unknown(
    name: str,
    *changes: Change,
    breaks: bool = False,
    also: tuple[str, ...] = (),
    waits: bool = False,
    **settings: Any,
) -> Case:
    """What the rule looks at is unknown in preview; `breaks` says what it decides by dependencies all the same."""
    return Case(
        kind="unknown",
        name=name,
        changes=changes,
        breaks=breaks,
        also=also,
        decided_in_preview=not waits,
        settings=settings,
    )


def malformed(name: str, *changes: Change, breaks: bool = True, also: tuple[str, ...] = ()) -> Case:
    """The input is not what AWS accepts: no exception, and a violation wherever the rule has to see it."""
    return Case(kind="malformed", name=name, changes=changes, breaks=breaks, also=also)
