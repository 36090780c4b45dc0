"""A stack on the local cloud: what runs, and the program applied to it step by step as the Pulumi engine does."""

import contextlib
import dataclasses
import hashlib
import importlib
import json
import re
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf.json_format import MessageToDict

from tools.cloud import provider
from tools.cloud.cloud import Cloud, CloudError
from tools.recording.graph import STACK_TYPE, Graph, plain, program, record, stack_config
from tools.recording.types import default_tags, type_of
from tools.root import ROOT


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
    type: str
    name: str
    urn: str
    inputs: tuple[str, ...] = ()
    """Inputs that changed."""
    lost: str = ""
    """What was lost with it."""

    def __str__(self) -> str:
        inputs = f" ({', '.join(self.inputs)})" if self.inputs else ""
        return f"{self.action} {self.name}{inputs}{f': {self.lost}' if self.lost else ''}"


@dataclass(frozen=True, kw_only=True)
class Applied:
    """What one application of the program did."""

    steps: tuple[Step, ...]
    seconds: float

    def __str__(self) -> str:
        return "; ".join(map(str, self.steps)) or "nothing to change"


class NotAppliedError(CloudError):
    """A program was applied in part; the text says which part was, and which was not."""

    def __init__(self, reason: str, steps: tuple[Step, ...], missing: tuple[Step, ...]) -> None:
        self.steps, self.missing = steps, missing
        done = f"already applied: {'; '.join(map(str, steps))}" if steps else "nothing was applied"
        names = ", ".join(sorted({step.name for step in missing}))
        super().__init__("; ".join([reason, done, *([f"not applied: {names}"] if names else [])]))


class Deployment:
    """A stack that runs on a local cloud."""

    def __init__(
        self,
        cloud: Cloud,
        *,
        stack: str = "local",
        config: Mapping[str, str] | None = None,
        say: Callable[[str], object] = sys.stderr.write,
    ) -> None:
        """`config` overrides the stack file's values; `say` is told of inputs that make no difference here."""
        self.cloud, self.stack, self.say = cloud, stack, say
        self.config = dict(config or {})
        self.resources: dict[str, Running] = {}
        """What runs, by URN."""
        self.replaced: list[Running] = []
        """What has been replaced, and could not be deleted yet."""
        self.outputs: Mapping[str, Any] = {}
        """The stack's exports."""
        self.seconds = 0.0
        """How long the latest application took."""

    def client(self, service: str) -> Any:
        """A boto3 client of one service of this cloud."""
        return self.cloud.client(service)

    def addresses(self) -> dict[str, Any]:
        """What another process needs to use the stack, as JSON-ready values."""
        return {
            "endpoint": self.cloud.endpoint,
            "region": self.cloud.region,
            "accountId": self.cloud.account,
            "caBundle": str(self.cloud.ca_bundle),
            "accessKeyId": self.cloud.access_key_id,
            "secretAccessKey": self.cloud.secret_access_key,
            "outputs": dict(self.outputs),
        }

    def apply(self, root: Path = ROOT, program: Callable[[], None] | None = None) -> Applied:
        """Run the program in a folder, or the one given, and bring what runs to what it registers.

        It runs twice: first as a preview, after which nothing has changed if it fails. Raises what the program
        raises, CloudError for what cannot be deployed, and NotAppliedError if the cloud refuses a part.
        """
        started = time.monotonic()
        plan = _Application(self, root, preview=True)
        plan.run(root, program)
        plan.delete_unregistered()
        work = _Application(self, root, preview=False)
        try:
            graph = work.run(root, program)
            work.delete_unregistered()
        except (BotoCoreError, ClientError, CloudError, OSError) as error:
            missing = tuple(step for step in plan.steps.values() if step.urn not in work.steps)
            raise NotAppliedError(str(error), tuple(work.steps.values()), missing) from error
        self.outputs = dict(sorted(graph.exports.items()))
        self.seconds = time.monotonic() - started
        return Applied(steps=tuple(work.steps.values()), seconds=self.seconds)

    def changed_functions(self) -> Iterator[Running]:
        """Each function whose files are not what runs, with the inputs that it should have."""
        for each in list(self.resources.values()):
            if "code" in each.inputs and (inputs := provider.hashed(each.inputs)) != each.inputs:
                yield dataclasses.replace(each, inputs=inputs)

    def update_code(self, function: Running) -> None:
        """Give a function the inputs that it should have."""
        old = self.resources[function.urn]
        outputs = provider.update(
            self.cloud, old.type, old.name, old.id, old.inputs, function.inputs, old.outputs, old.outputs["tagsAll"]
        )
        self.resources[function.urn] = dataclasses.replace(function, outputs=outputs)


class _Application:
    """One run of a program against a deployment; in a `preview` nothing changes."""

    def __init__(self, deployment: Deployment, root: Path, *, preview: bool) -> None:
        self._on, self._preview, self._cloud = deployment, preview, deployment.cloud
        self._config = stack_config(deployment.stack, root)[1] | deployment.config
        self._tags = default_tags(self._config)
        self._left = dict(deployment.resources)
        """What has not been registered yet."""
        self._names = {(each.type, _physical(each)) for each in (*self._left.values(), *deployment.replaced)}
        self._lock = threading.Lock()
        self._count = 0
        self._aliases: dict[str, list[str]] = {}
        self.steps: dict[str, Step] = {}

    def run(self, root: Path, given: Callable[[], None] | None) -> Graph:
        """Run the program: one given, or the one in `root`, with its own modules."""
        with contextlib.nullcontext() if given else _own_modules(root):
            return record(
                stack=self._on.stack,
                root=root,
                preview=self._preview,
                program=given or (lambda: program(root)),
                register=self._register,
                account=self._cloud.account,
                config=self._on.config,
            )

    def _register(self, urn: str, request: Any) -> tuple[str, Mapping[str, Any]]:
        """Take one registration through check, diff, and what follows."""
        token, name = request.type, request.name
        with self._lock:
            self._count += 1
            old = self._claim(urn, request)
        if not request.custom:
            return "", plain(MessageToDict(request.object))
        given = provider.hashed(plain(MessageToDict(request.object)))
        if old:
            given = _ignoring(given, old.inputs, request.ignoreChanges)
        provider.keeper_of(self._cloud, token, name)
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
            return self._created(new, Step(action="created", type=token, name=name, urn=urn))
        found = provider.diff(token, old.inputs, new.inputs, old.outputs, self._tags)
        replaces = found.replaces | {key for key in found.keys if _named_by(key, request.replaceOnChanges)}
        changed = tuple(sorted(found.keys))
        if replaces:
            first = request.deleteBeforeReplace if request.deleteBeforeReplaceDefined else found.delete_first
            step = Step(action="replaced", type=token, name=name, urn=urn, inputs=changed)
            return self._replaced(old, new, given, step, first=first)
        if changed:
            return self._updated(old, new, Step(action="updated", type=token, name=name, urn=urn, inputs=changed))
        self._keep(new)
        return new.id, new.outputs

    def _claim(self, urn: str, request: Any) -> Running | None:
        """What runs under an URN or one of its aliases."""
        aliases = self._aliases[urn] = aliases_of(urn, request, self._aliases.get(request.parent, ()))
        for each in (urn, *aliases):
            if old := self._left.pop(each, None):
                if not self._preview:
                    del self._on.resources[old.urn]
                    self._on.resources[urn] = old
                return old
        return None

    def _check(self, urn: str, token: str, name: str, given: Mapping[str, Any], old: Mapping[str, Any]) -> Any:
        if not self._preview and (unheeded := provider.not_honoured(token, given)):
            self._on.say(f"{name}: the local cloud does not honour {', '.join(unheeded)} of {token}\n")
        with self._lock:
            free, number = name, self._count
            while (token, type_of(token).prefix + free) in self._names:
                free = f"{name}-{hashlib.sha256(f'{urn}{number}'.encode()).hexdigest()[:7]}"
                number += 1
            inputs = provider.check(token, given, old, free)
            self._names.add((token, inputs.get(type_of(token).named or "", "")))
        return inputs

    def _created(self, new: Running, step: Step) -> tuple[str, Mapping[str, Any]]:
        if self._preview:
            self.steps[new.urn] = step
            return "", provider.planned(new.type, new.inputs, {}, self._tags)
        with _explained(new):
            id_, outputs = provider.create(self._cloud, new.type, new.name, new.inputs, self._tags)
        self._keep(dataclasses.replace(new, id=id_, outputs=outputs), step)
        return id_, outputs

    def _updated(self, old: Running, new: Running, step: Step) -> tuple[str, Mapping[str, Any]]:
        if self._preview:
            self.steps[new.urn] = step
            return old.id, provider.planned(new.type, new.inputs, old.outputs, self._tags)
        with _explained(new):
            outputs = provider.update(
                self._cloud, new.type, new.name, old.id, old.inputs, new.inputs, old.outputs, self._tags
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
        elif not self._preview:
            with self._lock:
                self._on.replaced.append(old)
        fresh = self._check(new.urn, new.type, new.name, given, {})
        return self._created(dataclasses.replace(new, inputs=fresh), step)

    def _dependents(self, old: Running) -> list[Running]:
        """What has to be replaced with a resource that goes before its successor comes; the last registered first."""
        gone, found = {old.urn}, list[Running]()
        for each in sorted(self._left.values(), key=lambda each: each.number):
            reached = {key for key, urns in each.property_dependencies.items() if urns & gone}
            if reached & type_of(each.type).replaced_by:
                gone.add(each.urn)
                found.insert(0, each)
        for each in found:
            del self._left[each.urn]
        return found

    def _keep(self, new: Running, step: Step | None = None) -> None:
        if not self._preview:
            with self._lock:
                self._on.resources[new.urn] = new
                if step:
                    before = self.steps.get(new.urn)  # its deletion, if it had to go first
                    lost = before.lost if before else ""
                    self.steps[new.urn] = dataclasses.replace(step, action="replaced", lost=lost) if before else step

    def delete_unregistered(self) -> None:
        """Delete what was replaced and what is no longer registered, in reverse order of dependency."""
        left = [*self._left.values(), *self._on.replaced]
        for each in sorted(left, key=lambda each: each.number, reverse=True):
            self._delete(each, self.steps.get(each.urn))

    def _delete(self, old: Running, step: Step | None) -> None:
        step = step or Step(action="left" if old.retain else "deleted", type=old.type, name=old.name, urn=old.urn)
        if old.protect:
            raise _protected(old, "deleted, and the program does not register it any more")
        if not self._preview:
            if not old.retain:
                with _explained(old):
                    step = dataclasses.replace(step, lost=provider.held(self._cloud, old.type, old.id))
                    provider.delete(self._cloud, old.type, old.name, old.id, old.outputs)
            if old in self._on.replaced:
                self._on.replaced.remove(old)
            elif self._on.resources.get(old.urn) is old:
                del self._on.resources[old.urn]
        self.steps[old.urn] = step


def aliases_of(urn: str, request: Any, of_parent: Iterable[str]) -> list[str]:
    """The URNs under which a resource may have been known before."""
    own = [*request.aliasURNs, *(_alias(urn, alias) for alias in request.aliases)]
    return [*own, *(_inherited(urn, request.parent, alias) for alias in of_parent)]


def _alias(urn: str, alias: Any) -> str:
    """The URN that an alias stands for."""
    if alias.urn:
        return str(alias.urn)
    head, project, types, name = urn.split("::", 3)
    *parents, own = types.split("$")
    if alias.spec.noParent:
        parents = []
    elif alias.spec.parentUrn:
        parents = [type_ for type_ in alias.spec.parentUrn.split("::")[2].split("$") if type_ != STACK_TYPE]
    head = f"urn:pulumi:{alias.spec.stack}" if alias.spec.stack else head
    qualified = "$".join([*parents, alias.spec.type or own])
    return "::".join([head, alias.spec.project or project, qualified, alias.spec.name or name])


def _inherited(urn: str, parent: str, alias: str) -> str:
    """What a resource was called while its parent was called `alias`."""
    *head, types, name = urn.split("::", 3)
    *_, parents, before = alias.split("::", 3)
    own = name.removeprefix(parent.split("::", 3)[3])
    return "::".join([*head, f"{parents}${types.split('$')[-1]}", before + own if own != name else name])


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


def _path(text: str) -> list[str]:
    """The parts of a property path: `tags["a.b"].c[0]`."""
    found = re.findall(r'\["((?:[^"\\]|\\.)*)"\]|\[([^"\]]+)\]|([^.\[\]]+)', text)
    return [next(part for part in parts if part) for parts in found]


def _named_by(key: str, paths: list[str]) -> bool:
    return any(_path(path)[:1] in ([key], ["*"]) for path in paths)


def _ignoring(given: Mapping[str, Any], old: Mapping[str, Any], paths: list[str]) -> dict[str, Any]:
    """Inputs with the old values at the paths whose changes are ignored."""
    new = json.loads(json.dumps(given))
    for path in paths:
        *way, last = _path(path)
        target, before = new, old
        for part in way:
            target, before = _at(target, part), _at(before, part)
        if isinstance(target, dict):
            if isinstance(before, Mapping) and last in before:
                target[last] = before[last]
            else:
                target.pop(last, None)
    return dict(new)


def _at(value: Any, part: str) -> Any:
    if isinstance(value, list) and part.isdecimal() and int(part) < len(value):
        return value[int(part)]
    return value.get(part) if isinstance(value, Mapping) else None


@contextlib.contextmanager
def _own_modules(root: Path) -> Iterator[None]:
    """Load the modules of the program in a folder afresh, and leave none of them behind."""
    own = {path.stem for path in root.iterdir() if path.suffix == ".py" or path.is_dir()} - {"tools", "tests"}
    before = {name: module for name, module in sys.modules.items() if name.split(".")[0] in own - {"__main__"}}
    path = list(sys.path)
    for name in before:
        del sys.modules[name]
    importlib.invalidate_caches()
    sys.path.insert(0, str(root))
    try:
        yield
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] in own - {"__main__"}]:
            del sys.modules[name]
        sys.modules.update(before)
        sys.path[:] = path
