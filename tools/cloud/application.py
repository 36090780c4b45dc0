"""One run of a program against what runs: each registration goes through the steps of the Pulumi engine."""

import contextlib
import dataclasses
import hashlib
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf.json_format import MessageToDict

from tools.cloud import provider
from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.options import aliases_of, ignoring, named_by
from tools.recording.graph import Resource, plain
from tools.recording.types import type_of


@dataclass(frozen=True, kw_only=True)
class Running:
    """A resource that runs."""

    type: str
    name: str
    urn: str
    id: str
    inputs: Mapping[str, Any]
    """As the provider's check has completed them."""
    outputs: Mapping[str, Any]
    dependencies: frozenset[str]
    """URNs of the resources it was registered after."""
    property_dependencies: Mapping[str, frozenset[str]]
    """Per input, the URNs of the resources its value comes from."""
    protect: bool
    retain: bool
    """Whether it stays on the cloud when it leaves the stack."""
    number: int
    """Of its registration: dependencies have smaller ones."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """What was done to one resource."""

    action: str
    """created, updated, replaced, deleted, or left."""
    name: str
    urn: str
    inputs: tuple[str, ...] = ()
    """Inputs that changed."""
    lost: str = ""
    """What it held."""

    def __str__(self) -> str:
        inputs = f" ({', '.join(self.inputs)})" if self.inputs else ""
        return f"{self.action} {self.name}{inputs}{f': {self.lost} lost' if self.lost else ''}"


@dataclass(kw_only=True)
class Application:
    """One run of a program against a deployment; in a `preview` nothing changes."""

    cloud: Cloud
    preview: bool
    resources: dict[str, Running]
    """What runs, by URN."""
    replaced: list[Running]
    """What has been replaced, and still has to be deleted."""
    tags: Mapping[str, str]
    """The provider's default ones."""
    say: Callable[[str], object]
    problem: Callable[[Mapping[str, Any]], str]
    """Why a function's new code is not to be deployed, by its inputs; empty: nothing speaks against it."""
    broken: dict[str, str] = field(default_factory=dict)
    """By URN, why a function keeps the code that it has."""
    steps: dict[str, Step] = field(default_factory=dict)
    """What was done, or would be, by URN."""
    at: float = field(default_factory=time.monotonic)
    """When the program last registered something."""

    def begin(self) -> None:
        """Expect every registration of a run."""
        self._left = dict(self.resources)  # what has not been registered yet
        self._names = {(each.type, _physical(each)) for each in (*self._left.values(), *self.replaced)}
        self._lock = threading.Lock()
        self._count = 0
        self._aliases: dict[str, list[str]] = {}

    @property
    def foreseen(self) -> bool:
        """Of a preview: whether it has told all outputs, so that they can be registered without another run."""
        return all(step.action == "updated" for step in self.steps.values())

    def repeat(self, registered: Iterable[Resource]) -> bool:
        """Register what a preview did, up to the first output that it did not foresee; whether there was none."""
        self.begin()
        return all(self.register(each.urn, each.request)[1] == each.outputs for each in registered)

    def register(self, urn: str, request: Any) -> tuple[str, Mapping[str, Any]]:
        """Take one registration through check, diff, and what follows."""
        token, name = request.type, request.name
        self.at = time.monotonic()
        with self._lock:
            self._count += 1
            if urn in self._aliases:
                raise CloudError(f"{urn} must be registered once, and is twice: give one of them another name")
            old = self._claim(urn, request)
        given = plain(MessageToDict(request.object))
        if not request.custom:
            return "", given
        given = self._with_sound_code(urn, provider.hashed(given), old)
        if old:
            given = ignoring(given, old.inputs, request.ignoreChanges)
        provider.keeper_of(self.cloud, token, name)
        new = Running(
            type=token,
            name=name,
            urn=urn,
            id=old.id if old else "",
            inputs=self._check(urn, token, name, given, old.inputs if old else {}),
            outputs=old.outputs if old else {},
            dependencies=frozenset(request.dependencies),
            property_dependencies={key: frozenset(urns.urns) for key, urns in request.propertyDependencies.items()},
            protect=request.protect,
            retain=request.retainOnDelete,
            number=self._count,
        )
        if old is None:
            return self._created(new, Step(action="created", name=name, urn=urn))
        found = provider.diff(token, old.inputs, new.inputs, old.outputs, self.tags)
        replaces = found.replaces | {key for key in found.keys if named_by(key, request.replaceOnChanges)}
        changed = tuple(sorted(found.keys))
        if replaces:
            first = request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else found.delete_first
            step = Step(action="replaced", name=name, urn=urn, inputs=changed)
            return self._replaced(old, new, given, step, first=first)
        if changed:
            return self._updated(old, new, Step(action="updated", name=name, urn=urn, inputs=changed))
        self._keep(new)
        return new.id, new.outputs

    def _claim(self, urn: str, request: Any) -> Running | None:
        """What runs under an URN or one of its aliases."""
        aliases = self._aliases[urn] = aliases_of(urn, request, self._aliases.get(request.parent, ()))
        for each in (urn, *aliases):
            if old := self._left.pop(each, None):
                if not self.preview:
                    del self.resources[old.urn]
                    self.resources[urn] = old
                return old
        return None

    def _with_sound_code(self, urn: str, given: dict[str, Any], old: Running | None) -> dict[str, Any]:
        """A function's inputs, with the code that runs in place of new one that would not."""
        before = old.inputs.get("code") if old else None
        if "code" not in given or (before and before.get("hash") == given["code"].get("hash")):
            return given
        if self.preview and (reason := self.problem(given)):
            self.broken[urn] = reason
        return {**given, "code": before} if before and urn in self.broken else given

    def _check(self, urn: str, token: str, name: str, given: Mapping[str, Any], old: Mapping[str, Any]) -> Any:
        with self._lock:
            free, number = name, self._count
            while (token, type_of(token).prefix + free) in self._names:
                free = f"{name}-{hashlib.sha256(f'{urn}{number}'.encode()).hexdigest()[:7]}"
                number += 1
            inputs = provider.check(token, given, old, free)
            if wrong := provider.misnamed(token, inputs, urn.split(":")[2]):
                raise CloudError(f"{name}: {wrong}")
            self._names.add((token, inputs.get(type_of(token).named or "", "")))
        return inputs

    def _created(self, new: Running, step: Step) -> tuple[str, Mapping[str, Any]]:
        if self.preview:
            self.steps[new.urn] = step
            return "", provider.planned(new.type, new.inputs, {}, self.tags)
        with _explained(new):
            id_, outputs = provider.create(self.cloud, new.type, new.name, new.inputs, self.tags)
        self._keep(dataclasses.replace(new, id=id_, outputs=outputs), step)
        return id_, outputs

    def _updated(self, old: Running, new: Running, step: Step) -> tuple[str, Mapping[str, Any]]:
        if self.preview:
            self.steps[new.urn] = step
            return old.id, provider.planned(new.type, new.inputs, old.outputs, self.tags)
        with _explained(new):
            outputs = provider.update(
                self.cloud, new.type, new.name, old.id, old.inputs, new.inputs, old.outputs, self.tags
            )
        self._keep(dataclasses.replace(new, outputs=outputs), step)
        return old.id, outputs

    def _replaced(
        self, old: Running, new: Running, given: Mapping[str, Any], step: Step, *, first: bool
    ) -> tuple[str, Mapping[str, Any]]:
        if old.protect:
            raise _protected(old, f"replaced, which {', '.join(step.inputs)} would need")
        if first:
            for each in (*self._dependents(old), old):
                self._delete(each, step if each is old else None)
        fresh = self._check(new.urn, new.type, new.name, given, {})
        made = self._created(dataclasses.replace(new, inputs=fresh), step)
        if not first and not self.preview:
            with self._lock:
                self.replaced.append(old)
        return made

    def _dependents(self, old: Running) -> list[Running]:
        """What has to be replaced with a resource that goes before its successor comes; the last registered first."""
        gone, found = {old.urn}, list[Running]()
        for each in sorted(self._left.values(), key=lambda each: each.number):
            reached = {key for key, urns in each.property_dependencies.items() if urns & gone}
            if reached.intersection(type_of(each.type).replaced_by.split()):
                gone.add(each.urn)
                found.insert(0, each)
        for each in found:
            del self._left[each.urn]
        return found

    def _keep(self, new: Running, step: Step | None = None) -> None:
        if not self.preview:
            with self._lock:
                self.resources[new.urn] = new
                if step:
                    before = self.steps.get(new.urn)
                    if before and before.action != "updated":  # it had to go first
                        step = dataclasses.replace(step, action="replaced", lost=before.lost)
                    self.steps[new.urn] = step
        if step and (unheeded := provider.not_honoured(new.type, new.inputs)):
            self.say(f"{new.name}: the local cloud does not honour {', '.join(unheeded)} of {new.type}\n")

    def delete_unregistered(self) -> None:
        """Delete what was replaced and what is no longer registered, in reverse order of dependency."""
        left = [*self._left.values(), *self.replaced]
        for each in sorted(left, key=lambda each: each.number, reverse=True):
            self._delete(each, self.steps.get(each.urn))

    def _delete(self, old: Running, step: Step | None) -> None:
        step = step or Step(action="left" if old.retain else "deleted", name=old.name, urn=old.urn)
        if old.protect:
            raise _protected(old, "deleted, and the program does not register it any more")
        if not self.preview:
            if not old.retain:
                with _explained(old):
                    lost = provider.delete(self.cloud, old.type, old.name, old.id, old.outputs)
                    step = dataclasses.replace(step, lost=lost)
            if old in self.replaced:
                self.replaced.remove(old)
            elif self.resources.get(old.urn) is old:
                del self.resources[old.urn]
        self.steps[old.urn] = step


def _physical(resource: Running) -> str:
    return str(resource.inputs.get(type_of(resource.type).named or "", ""))


def _protected(resource: Running, what: str) -> CloudError:
    return CloudError(
        f"{resource.name} is protected and must not be {what}: take `protect` away first, and deploy that"
    )


@contextlib.contextmanager
def _explained(resource: Running) -> Iterator[None]:
    """What the cloud refuses is told with the resource."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise CloudError(
            f"the local cloud must accept {resource.name} ({resource.type}), but answered: {error}"
        ) from error
