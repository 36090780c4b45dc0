"""The program under settings of the tests' own: what a user's stack files say decides no test."""

import functools
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

from config import StackConfig, key_of
from tools.recording.graph import Graph, Resource, record
from tools.recording.pages import text_of

BARE = Path(__file__).parent / "bare"
"""A project with a stack `dev` that sets nothing."""
DEFAULTS = {f"orders:{key_of(field)}": text_of(field.default) for field in fields(StackConfig)}
"""Every setting at its default, with full keys."""
LOCAL = {
    **DEFAULTS,
    "orders:functionTimeout": "1",
    "orders:maximumConcurrency": "2",
    "orders:logLevel": "DEBUG",
}
"""The stack `local` of the tests, in which a message that fails is a dead letter after some 20 s."""

_OTHER_TEXTS = {
    "batch_size": "7",  # more than ten would need a batching window
    "alarm_email": "ops@example.com",
    "alarm_runbook": "https://example.com/runbook",
    "permissions_boundary": "arn:aws:iam::123456789012:policy/orders-boundary",
}


def another(field: Field[Any]) -> str:
    """A legal value of a setting that is not its default."""
    default: Any = field.default
    choices = [choice for choice in field.metadata["setting"].choices if choice != default]
    if field.name in _OTHER_TEXTS or choices:
        return _OTHER_TEXTS.get(field.name) or text_of(choices[-1])
    return text_of(not default if isinstance(default, bool) else default + 1)


@functools.cache
def bare() -> Graph:
    """The run of the whole program where nothing is set: it is immutable, and one recording takes half a second."""
    return record(root=BARE)


IDENTITIES = (Path(__file__).parent / "contract/identities.txt").read_text().splitlines()
"""Of each resource that must not be renamed, what its URN says after stack and project: types and name."""


def identity(resource: Resource) -> str:
    """By what Pulumi knows a resource again within its stack: the types of its parents and itself, and its name."""
    return resource.urn.split("::", 2)[2]


def record_defaults(*, stack: str = "dev", config: dict[str, str] | None = None, **options: Any) -> Graph:
    """The run of a program with every setting at its default but those given.

    Of the project's own program only what is pinned: what other consumers add decides no test.
    """
    graph = record(stack=stack, config={**DEFAULTS, **(config or {})}, **options)
    pinned = {*IDENTITIES, "orders:index:Monitoring$aws:sns/topicSubscription:TopicSubscription::OrderAlarms-email"}
    own = tuple(resource for resource in graph.resources if identity(resource) in pinned)
    return graph if "program" in options else replace(graph, resources=own)


@functools.cache
def recorded(*, stack: str = "dev", preview: bool = False) -> Graph:
    """The same without another setting, once for all that only look at it."""
    return record_defaults(stack=stack, preview=preview)
