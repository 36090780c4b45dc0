"""Runs the Pulumi program in this process and records every resource that it registers."""

import contextvars
import runpy
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf import struct_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.proto import resource_pb2

from tools.recording.lookups import answered
from tools.recording.outputs import id_of, made_up
from tools.recording.running import Monitor, run
from tools.recording.stackfile import config_text, mapping
from tools.recording.types import TYPES, checked, type_of
from tools.root import ROOT

ACCOUNT = "123456789012"
ANY_REGION = "us-east-1"
"""Where a program is taken to run that does not say it."""
STACK_TYPE = "pulumi:pulumi:Stack"
PROVIDER = "pulumi:providers:aws"

Answer = Callable[[mocks.MockResourceArgs], tuple[str, dict[str, Any]]]
"""Creates one custom resource and returns its id and its outputs (camelCase)."""
Register = Callable[[str, resource_pb2.RegisterResourceRequest], tuple[str, Mapping[str, Any]]]
"""Takes one registration, by its URN, and returns its id and its outputs as the wire has them."""


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One registered resource, as the Pulumi engine would see it."""

    type: str
    """Pulumi type token, for example `aws:sqs/queue:Queue`."""
    name: str
    urn: str
    custom: bool
    """False for component resources, which exist only in the graph."""
    request: resource_pb2.RegisterResourceRequest
    """The registration itself; `request.object` holds the inputs with their secret and unknown marks."""
    properties: Mapping[str, Any]
    """Inputs as plain values, keys in camelCase; an unknown value is `pulumi.runtime.rpc.UNKNOWN`."""
    outputs: Mapping[str, Any]
    """Inputs and what creation added to them (arn, url, name ...)."""
    parent: str
    """URN of the parent."""
    dependencies: tuple[str, ...]
    """URNs of all resources this one waits for."""
    property_dependencies: Mapping[str, tuple[str, ...]]
    """Per input, the URNs of the resources its value comes from."""
    protect: bool
    told: struct_pb2.Struct = field(default_factory=struct_pb2.Struct)
    """Of a component: the outputs that it registered, with their unknown marks."""


@dataclass(frozen=True, kw_only=True)
class Graph:
    """What one run of the program registered, in order of registration, and what it exported."""

    stack: str
    preview: bool
    resources: tuple[Resource, ...]
    exports: Mapping[str, Any]
    project: str = "orders"
    config: Mapping[str, str] = field(default_factory=dict)
    """The stack's configuration, with full keys."""
    told: struct_pb2.Struct = field(default_factory=struct_pb2.Struct)
    """The exports as they were registered, with their unknown marks."""
    unanswered: tuple[str, ...] = ()
    """Functions of the provider that the program called and only a cloud could answer: their results are unknown."""

    def all(self, type_: str) -> dict[str, Resource]:
        """Every resource of a type token, by name."""
        return {resource.name: resource for resource in self.resources if resource.type == type_}

    def one(self, type_: str, name: str) -> Resource:
        """Return the resource of this type and name; KeyError if there is none."""
        return self.all(type_)[name]


def stack_config(stack: str, root: Path = ROOT, *, optional: bool = False) -> tuple[str, dict[str, str]]:
    """Read the project's name and a stack's configuration from the files that the Pulumi CLI reads.

    Returns the project name and the configuration with full keys (`orders:batchSize`), structured values as JSON.
    Raises FileNotFoundError naming the stacks that exist, unless the stack's own file is `optional`.
    """
    path = root / f"Pulumi.{stack}.yaml"
    if not path.exists() and not optional:
        known = ", ".join(sorted(p.name.split(".")[1] for p in root.glob("Pulumi.*.yaml")))
        raise FileNotFoundError(f"stack must be one of {known}, got {stack}: there is no file {path.name}")
    project, own = mapping(root / "Pulumi.yaml"), mapping(path) if path.exists() else {}
    merged = {**(project.get("config") or {}), **(own.get("config") or {})}
    # What is encrypted can be read only with the stack's key, and here the default has to do.
    plain = {key: value for key, value in merged.items() if not (isinstance(value, Mapping) and "secure" in value)}
    return project["name"], {key: config_text(value) for key, value in plain.items()}


def recorded_answer(region: str, account: str = ACCOUNT) -> Answer:
    """Answer registrations without a cloud: inputs, plus the arn, url and name AWS would give under bare names."""
    regions: dict[str, str] = {}

    def answer(args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        name = args.inputs.get("name", args.name)
        if args.typ == PROVIDER:
            regions[args.name] = args.inputs.get("region", region)
        # A provider is named by its URN, which ends in its name, and its id.
        provider = (args.provider or "").split("::")
        here = args.inputs.get("region") or regions.get(provider[-2] if len(provider) > 1 else "", region)
        arn = type_of(args.typ).arn.format(region=here, account=account, name=name)
        url = f"https://sqs.{here}.amazonaws.com/{account}/{name}"
        id_ = url if args.typ == "aws:sqs/queue:Queue" else id_of(args.typ, name)
        others = {} if args.typ in TYPES else made_up(args.typ, name, here, account, args.inputs)
        told = {"url": url, "name": name, "arn": arn, "qualifiedArn": f"{arn}:1", "keyId": name}
        return id_, {**others, **told, **args.inputs}

    return answer


def _recorded(answer: Answer, *, preview: bool) -> Register:
    """Take registrations to which `answer` creates the custom resources."""

    def register(_urn: str, request: resource_pb2.RegisterResourceRequest) -> tuple[str, Mapping[str, Any]]:
        inputs = plain(MessageToDict(request.object))
        if not request.custom:
            return "", inputs
        if preview:  # ids and computed outputs are unknown, as before a first `up`; names are not
            return "", checked(request.type, request.name, inputs)
        given = {"typ": request.type, "name": request.name, "inputs": inputs, "provider": request.provider}
        return answer(mocks.MockResourceArgs(**given))

    return register


class _Lookups(mocks.Mocks):
    """Answers the program's lookups from the account and region of the run."""

    def __init__(self, account: str, region: str) -> None:
        self.account, self.region = account, region
        self.unanswered: set[str] = set()

    def call(self, args: mocks.MockCallArgs) -> dict[str, Any]:  # type: ignore[override]  # a bare dict is accepted
        found = answered(args.token, args.args, self.account, self.region)
        if found is None:
            self.unanswered.add(args.token)
            raise LookupError(f"the function {args.token} must be one of tools/recording/lookups.py")
        return found

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        """What the program only reads."""
        return args.resource_id or "", args.inputs


class _Recorder(Monitor):
    """Keeps every registration, and the stack's exports, beside what the mock monitor does."""

    def __init__(self, lookups: _Lookups, register: Register, *, exists: bool) -> None:
        """Where everything `exists`, nothing that is looked up is unknown."""
        super().__init__(lookups)
        self.register, self.exists = register, exists
        self.requests: dict[str, resource_pb2.RegisterResourceRequest] = {}
        self.exports: dict[str, Any] = {}
        self.told: dict[str, struct_pb2.Struct] = {}

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """An URN as the engine makes it: the types of all parents but the stack, then the resource's own."""
        parents = parent.split("::")[2] if parent else STACK_TYPE
        qualified = type_ if parents == STACK_TYPE else f"{parents}${type_}"
        return f"urn:pulumi:{settings.get_stack()}::{settings.get_project()}::{qualified}::{name}"

    def GetDeploymentInfo(self, request: Any) -> Any:  # noqa: N802 - the name of the RPC
        """All features but one: a resource that is the value of an input or output is its id, as engines hand it on."""
        told = super().GetDeploymentInfo(request)  # type: ignore[no-untyped-call]
        told.supportedFeatures.remove(resource_pb2.RESOURCE_MONITOR_FEATURE_RESOURCE_REFERENCES)
        return told

    def Invoke(self, request: Any) -> Any:  # noqa: N802 - the name of the RPC
        """What only a cloud could tell is unknown, as what depends on a resource that does not exist yet."""
        try:
            return super().Invoke(request)  # type: ignore[no-untyped-call]
        except LookupError:
            if self.exists:
                raise
            return resource_pb2.ResourceInvokeResponse(unknown=True)

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name of the RPC
        urn = self.make_urn(request.parent, request.type, request.name)
        if request.type == STACK_TYPE:
            return resource_pb2.RegisterResourceResponse(urn=urn)
        with self.noted():
            id_, outputs = self.register(urn, request)
            struct = ParseDict(dict(outputs), struct_pb2.Struct())
        self.resources[urn] = self.ResourceRegistration(urn, id_, dict(outputs))
        self.requests[urn] = request
        return resource_pb2.RegisterResourceResponse(urn=urn, id=id_, object=struct)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 - the name of the RPC
        self.told[request.urn] = request.outputs
        if f"::{STACK_TYPE}::" in request.urn:
            self.exports = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
        return super().RegisterResourceOutputs(request)  # type: ignore[no-untyped-call]

    def resource(self, urn: str) -> Resource:
        request, known = self.requests[urn], self.resources[urn]
        return Resource(
            type=request.type,
            name=request.name,
            urn=urn,
            custom=request.custom,
            request=request,
            properties=plain(MessageToDict(request.object)),
            outputs=known.state,
            parent=request.parent,
            dependencies=tuple(request.dependencies),
            property_dependencies={key: tuple(urns.urns) for key, urns in request.propertyDependencies.items()},
            protect=request.protect,
            told=self.told.get(urn, struct_pb2.Struct()),
        )


def plain(value: Any) -> Any:
    """Drop the secret marks of a serialised value and turn whole floats back into integers."""
    if isinstance(value, dict):
        if value.get(rpc._special_sig_key) == rpc._special_secret_sig:  # noqa: SLF001 - the wire format's own name
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def program(root: Path = ROOT) -> None:
    """Run a project's Pulumi program, `__main__.py`, as the Pulumi CLI does: with its folder on the path."""
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
    runpy.run_path(str(root / "__main__.py"), run_name="__main__")


def record(
    *,
    stack: str = "dev",
    root: Path = ROOT,
    preview: bool = False,
    program: Callable[[], object] = program,
    answer: Answer | None = None,
    register: Register | None = None,
    account: str = ACCOUNT,
    config: Mapping[str, str] | None = None,
    secrets: Sequence[str] = (),
    foreign: bool = False,
) -> Graph:
    """Run a program to completion and return what it registered.

    `root` is the folder of the project whose stack files are read.
    `answer` creates each custom resource; without it nothing is created and ARNs are made up under bare names.
    `register` answers in its place, as an engine does: with URNs, options and values of the wire.
    In `preview`, ids and computed outputs are unknown, as before the first deployment of a stack.
    `config` overrides the stack file's values, with full keys; `secrets` are the keys that were set
    with `--secret`. A `foreign` project need not have a file for the stack, nor say its region.
    Raises what the program raises.
    """
    project, own = stack_config(stack, root, optional=foreign)
    values = {**({"aws:region": ANY_REGION} if foreign else {}), **own, **(config or {})}
    region = values["aws:region"]
    lookups = _Lookups(account, region)
    recorded = _recorded(answer or recorded_answer(region, account), preview=preview)
    recorder = _Recorder(lookups, register or recorded, exists=register is not None)
    # All of the SDK's settings are context variables: a context of its own keeps one run out of the next.
    settings_of_run = contextvars.copy_context()
    try:
        settings_of_run.run(
            lambda: run(
                program, recorder, project=project, stack=stack, config=values, secrets=secrets, preview=preview
            )
        )
    except Exception as error:
        if lookups.unanswered:
            error.add_note(f"after it had asked for what only AWS can answer: {', '.join(sorted(lookups.unanswered))}")
        raise
    return Graph(
        stack=stack,
        preview=preview,
        resources=tuple(recorder.resource(urn) for urn in recorder.requests),
        exports=recorder.exports,
        project=project,
        config=values,
        unanswered=tuple(sorted(lookups.unanswered)),
        told=next((told for urn, told in recorder.told.items() if f"::{STACK_TYPE}::" in urn), struct_pb2.Struct()),
    )
