"""What a preview is to a reviewer: each resource once, as it was and as it would be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tools.review.values import MISSING, Mark, plain

OPTIONS = ("ignoreChanges", "replaceOnChanges", "deleteBeforeReplace", "provider", "retainOnDelete")
"""What Pulumi writes of a resource's options, and protection apart."""


def name_of(urn: str) -> str:
    """The name in a URN, which may hold anything."""
    return urn.split("::", 3)[-1]


@dataclass(frozen=True, kw_only=True)
class State:
    """A resource on one side of a change."""

    urn: str
    type: str
    """Pulumi type token."""
    custom: bool = True
    """False for a component, which exists in the graph only."""
    protect: bool = False
    retained: bool = False
    """Whether AWS keeps it when Pulumi deletes it."""
    inputs: Mapping[str, Any]
    """What the program and the provider's check ask for, as plain values."""
    outputs: Mapping[str, Any] = field(default_factory=dict)
    defaults: frozenset[str] = frozenset()
    """The inputs that the provider's check has filled in."""
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By input, the URNs that its value comes from."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """By those of OPTIONS that are set, what the program says of it besides its inputs."""
    dependencies: frozenset[str] = frozenset()
    """The URNs of what is there before it."""

    @property
    def name(self) -> str:
        return name_of(self.urn)

    def get(self, *path: str) -> Any:
        """The value at a path of the inputs, or MISSING; a mark hides all that lies below it."""
        value: Any = self.inputs
        for key in path:
            if isinstance(value, list) and len(value) == 1:
                value = value[0]  # a block of the provider's that is written as a list of one
            if not isinstance(value, Mapping):
                return value if isinstance(value, Mark) else MISSING
            value = value.get(key, MISSING)
        return MISSING if value is None else value


@dataclass(frozen=True, kw_only=True)
class Change:
    """What would happen to one resource."""

    operation: str
    """`create`, `update`, `replace`, `delete`, `import`, `read` or `same`."""
    before: State | None = None
    after: State | None = None
    reasons: tuple[str, ...] = ()
    """The inputs that force a replacement."""
    paths: tuple[str, ...] = ()
    """Every path that the engine says differs, also where no value may be shown."""

    @property
    def state(self) -> State:
        """The resource as it is, or as it will be if it is new."""
        known = self.before or self.after
        assert known is not None
        return known

    @property
    def counts(self) -> bool:
        """Whether it is a thing in the cloud: not a component, the stack or a provider."""
        return self.state.custom and not self.state.type.startswith("pulumi:")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What would happen to a stack."""

    source: str
    """Where this comes from, as a sentence for the reviewer."""
    stack: str
    changes: tuple[Change, ...] = ()
    problems: tuple[str, ...] = ()
    """Why the preview is not whole; empty if it is."""
    whole: bool = False
    """Whether the resources that stay the same are among the changes."""
    besides: tuple[str, ...] = ()
    """What changes and is no resource's, or cannot be seen; each as words for the headline."""

    def states(self, side: str) -> list[State]:
        """All resources `before` or `after` the change."""
        found: Iterable[State | None] = (getattr(change, side) for change in self.changes)
        return [state for state in found if state is not None]


_REPLACES = {"replace", "create-replacement", "import-replacement", "read-replacement", "discard-replaced"}
_NOTHING = {"same", "refresh", "remove-pending-replace", "diff", "extend-parameterize", "discard"}
_ALONE = ("update", "import", "create", "read")


def operation_of(operations: set[str]) -> str:
    """The one operation that the engine's steps at a resource come to.

    Raises ValueError naming a step that is not known: what it does to orders is not known either.
    """
    if unknown := operations - {*_REPLACES, *_NOTHING, *_ALONE, "delete", "delete-replaced"}:
        raise ValueError(f"a step must be one that the review knows, got {', '.join(sorted(unknown))}")
    deletes = operations & {"delete", "delete-replaced"}
    if operations & _REPLACES or (deletes and "create" in operations):
        return "replace"
    if deletes:
        return "delete"  # alone, `delete-replaced` is what an update that was broken off left to do
    return next((operation for operation in _ALONE if operation in operations), "same")


def state_of(document: Mapping[str, Any] | None) -> State | None:
    """A resource's state as Pulumi writes it to JSON."""
    if document is None:
        return None
    given = document.get("inputs") or {}
    return State(
        urn=document["urn"],
        type=document["type"],
        custom=document.get("custom", False),
        protect=document.get("protect", False),
        retained=document.get("retainOnDelete", False),
        inputs={key: plain(value) for key, value in given.items() if key != "__defaults"},
        outputs={key: plain(value) for key, value in (document.get("outputs") or {}).items()},
        defaults=frozenset(given.get("__defaults") or ()),
        dependencies=frozenset(document.get("dependencies") or ()),
        sources={key: tuple(urns or ()) for key, urns in (document.get("propertyDependencies") or {}).items()},
        options={key: document[key] for key in OPTIONS if document.get(key)},
    )
