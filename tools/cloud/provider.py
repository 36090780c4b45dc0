"""A Pulumi provider named `aws` for the types of the program, on the local cloud.

It does what the real one does between the engine and AWS: check with automatic names and defaults, diff with
replacements, create, read, update, delete, and the lookups. https://www.pulumi.com/docs/iac/guides/building-extending/providers/
"""

import contextlib
import hashlib
import importlib.metadata
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, cast

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from pulumi.runtime import rpc
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc, plugin_pb2, provider_pb2, provider_pb2_grpc

from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.provision import not_honoured
from tools.cloud.resources import KEEPERS, Keeper, Values
from tools.cloud.resources.keeper import Tagged, is_gone, same, whole
from tools.recording.graph import lookups
from tools.recording.row import Type
from tools.recording.types import checked, default_tags, tags_of, type_of

DEFAULTS = "__defaults"
"""Where the AWS provider keeps the names of the inputs that its check has filled in; the engine shows it no pack."""
_Diff = provider_pb2.PropertyDiff
_LIMIT = 400 * 1024 * 1024  # the Pulumi engine's own


@contextlib.contextmanager
def serving(cloud: Cloud) -> Iterator[int]:
    """The provider on a free loopback port for as long as the block runs; yields the port."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=16, thread_name_prefix="provider"),
        options=[("grpc.max_receive_message_length", _LIMIT), ("grpc.max_send_message_length", _LIMIT)],
    )
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(cloud), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        server.stop(grace=1).wait()


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """Answers the engine; the names of the methods are the protocol's."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._tags: dict[str, str] = {}
        self._engine: engine_pb2_grpc.EngineStub | None = None

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:
        self._connect(request.address)
        return empty_pb2.Empty()

    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:
        self._connect(request.engine_address)
        return provider_pb2.ProviderHandshakeResponse(supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi-aws"))

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        """The local cloud is one region: a stack of another is refused before anything is created."""
        region = _plain(request.news).get("region")
        failures = []
        if region != self._cloud.region:
            reason = f"aws:region must be {self._cloud.region}, where the local cloud is, got {region}"
            failures = [provider_pb2.CheckFailure(property="region", reason=f"{reason}: start it with --region")]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        old, new = _plain(request.old_inputs or request.olds), _plain(request.news)
        changed = [key for key in sorted({*old, *new} - {DEFAULTS}) if not same(old.get(key), new.get(key))]
        return provider_pb2.DiffResponse(
            changes=_changes(changed), diffs=changed, replaces=[key for key in changed if key == "region"]
        )

    def Configure(self, request: Any, context: Any) -> provider_pb2.ConfigureResponse:
        given = _plain(request.args)
        self._tags = default_tags({"aws:defaultTags": given.get("defaultTags", "{}")})
        return provider_pb2.ConfigureResponse(supportsPreview=True, supports_autonaming_configuration=True)

    def Invoke(self, request: Any, context: Any) -> provider_pb2.InvokeResponse:
        known = lookups(self._cloud.account, self._cloud.region)
        if request.tok not in known:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"lookup must be one of {', '.join(known)}, got {request.tok}")
        return provider_pb2.InvokeResponse(**{"return": _struct(known[request.tok])})

    def Check(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        """Fill in defaults and the physical name: the old one, if it was automatic too."""
        token, name = _identity(request.urn)
        self._keeper(token, name, context)
        old, new = _plain(request.olds), _plain(request.news)
        unnamed = type_of(token).named not in new
        if unnamed and request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE:
            reason = "a name must be given, because pulumi:autonaming is disabled"
            failure = provider_pb2.CheckFailure(property=type_of(token).named or "", reason=reason)
            return provider_pb2.CheckResponse(failures=[failure] if type_of(token).named else [])
        inputs = checked(token, _automatic_name(request, name), new)
        named = type_of(token).named
        if named and unnamed and named in old.get(DEFAULTS, ()):
            inputs[named] = old[named]
        inputs[DEFAULTS] = sorted(inputs.keys() - new.keys())
        if unheeded := not_honoured(token, new):
            self._warn(request.urn, f"the local cloud does not honour {', '.join(unheeded)}")
        return provider_pb2.CheckResponse(inputs=_struct(inputs))

    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        token, _ = _identity(request.urn)
        old, new, state = _plain(request.old_inputs), _plain(request.news), _plain(request.olds)
        type_ = type_of(token)
        keys = {*old, *new} - {DEFAULTS, *request.ignoreChanges}
        details = {key: _kind(key, old, new, type_) for key in keys if not same(old.get(key), new.get(key))}
        tags = tags_of(token, new, self._tags)
        if tags and state.get("tagsAll", {}) != tags["tagsAll"]:
            details["tagsAll"] = _Diff(kind=_Diff.UPDATE)
        replaces = sorted(key for key, diff in details.items() if diff.kind in _REPLACING)
        return provider_pb2.DiffResponse(
            changes=_changes(details),
            diffs=sorted(details),
            detailedDiff=details,
            hasDetailedDiff=True,
            replaces=replaces,
            # Two resources of one name cannot exist at once.
            deleteBeforeReplace=bool(replaces) and _keeps_name(old, new, type_),
        )

    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:
        token, name = _identity(request.urn)
        inputs = _plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=_struct(self._planned(token, inputs)))
        keeper = self._keeper(token, name, context)
        with _refusals(context, f"creating {name}"):
            given = _given(request.properties)
            id_, made = keeper.create(given.get(type_of(token).named or "") or name, given)
            tags = tags_of(token, inputs, self._tags)
            if tags.get("tagsAll"):
                cast("Tagged", keeper).tag(id_, tags["tagsAll"], [])
            told = {**keeper.read(id_, inputs), **made}
            computed = {key: told[key] for key in type_of(token).computed if told.get(key) is not None}
            return provider_pb2.CreateResponse(id=id_, properties=_struct({**computed, **inputs, **tags}))
        raise AssertionError  # the context has ended the call

    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:
        """What is, in the words of what was told where both mean the same; nothing if it does not exist."""
        token, name = _identity(request.urn)
        keeper = self._keeper(token, name, context)
        state, inputs = _plain(request.properties), _plain(request.inputs)
        with _refusals(context, f"reading {name}"):
            try:
                told = keeper.read(request.id, state)
            except ClientError as error:
                if not is_gone(error):
                    raise
                told = {}
        if not told:
            return provider_pb2.ReadResponse()
        if type_of(token).tagged:
            state["tagsAll"] = told.pop("tags")
        if not inputs:  # an import: everything that can be an input is one
            inputs = {key: value for key, value in told.items() if key in keeper.honours and value is not None}
        now = {key: told[key] for key in inputs if key in told and not same(inputs[key], told[key])}
        inputs = {key: value for key, value in {**inputs, **now}.items() if value is not None}
        computed = {key: told[key] for key in type_of(token).computed if told.get(key) is not None}
        return provider_pb2.ReadResponse(
            id=request.id, properties=_struct({**state, **computed, **inputs}), inputs=_struct(inputs)
        )

    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:
        token, name = _identity(request.urn)
        inputs, state = _plain(request.news), _plain(request.olds)
        tags = tags_of(token, inputs, self._tags)
        if request.preview:
            told = {key: state.get(key, rpc.UNKNOWN) for key in type_of(token).computed}
            return provider_pb2.UpdateResponse(properties=_struct({**told, **inputs, **tags}))
        keeper = self._keeper(token, name, context)
        with _refusals(context, f"updating {name}"):
            keeper.update(request.id, _given(request.news), _given(request.old_inputs))
            if tags and state.get("tagsAll") != tags["tagsAll"]:
                gone = sorted(state.get("tagsAll", {}).keys() - tags["tagsAll"].keys())
                cast("Tagged", keeper).tag(request.id, tags["tagsAll"], gone)
            told = keeper.read(request.id, inputs)
            computed = {key: told.get(key, state.get(key)) for key in type_of(token).computed}
            known = {key: value for key, value in computed.items() if value is not None}
            return provider_pb2.UpdateResponse(properties=_struct({**known, **inputs, **tags}))
        raise AssertionError  # the context has ended the call

    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:
        token, name = _identity(request.urn)
        keeper = self._keeper(token, name, context)
        with _refusals(context, f"deleting {name}"):
            try:
                keeper.delete(request.id, _plain(request.properties))
            except ClientError as error:
                if not is_gone(error):
                    raise
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def _planned(self, token: str, inputs: Values) -> dict[str, Any]:
        """The outputs of a resource that does not exist yet: what only creation can tell is unknown."""
        computed = dict.fromkeys(type_of(token).computed, rpc.UNKNOWN)
        return {**computed, **inputs, **tags_of(token, inputs, self._tags)}

    def _keeper(self, token: str, name: str, context: Any) -> Keeper:
        if token not in KEEPERS:
            text = f"resource type must be one the local cloud can keep, got {token} ({name})"
            context.abort(grpc.StatusCode.UNIMPLEMENTED, f"{text}: {', '.join(sorted(KEEPERS))}")
        return KEEPERS[token](self._cloud)

    def _connect(self, address: str) -> None:
        self._engine = engine_pb2_grpc.EngineStub(
            grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)])
        )

    def _warn(self, urn: str, text: str) -> None:
        if self._engine is not None:
            severity = engine_pb2.LogSeverity.Value("WARNING")
            self._engine.Log(engine_pb2.LogRequest(severity=severity, message=text, urn=urn))


_REPLACING = {_Diff.ADD_REPLACE, _Diff.DELETE_REPLACE, _Diff.UPDATE_REPLACE}


def _identity(urn: str) -> tuple[str, str]:
    """The type and name of a resource."""
    _, _, types, name = urn.split("::", 3)
    return types.split("$")[-1], name


def _automatic_name(request: Any, name: str) -> str:
    """What the engine proposes, or the resource's name and seven random digits, as the AWS provider makes it."""
    if request.autonaming.proposed_name:
        return str(request.autonaming.proposed_name)
    return f"{name}-{hashlib.sha256(request.randomSeed + request.urn.encode()).hexdigest()[:7]}"


def _kind(key: str, old: Values, new: Values, type_: Type) -> provider_pb2.PropertyDiff:
    kind = _Diff.UPDATE if key in old and key in new else _Diff.ADD if key in new else _Diff.DELETE
    if key in type_.replaced_by:
        kind = {_Diff.ADD: _Diff.ADD_REPLACE, _Diff.DELETE: _Diff.DELETE_REPLACE}.get(kind, _Diff.UPDATE_REPLACE)
    return _Diff(kind=kind, inputDiff=True)


def _keeps_name(old: Values, new: Values, type_: Type) -> bool:
    return type_.named is not None and type_.named not in new[DEFAULTS] and old.get(type_.named) == new.get(type_.named)


def _changes(changed: Any) -> Any:
    return provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE


def _plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The wire's values with whole numbers as integers; assets and unknown values stay as they are."""
    return dict(whole(MessageToDict(struct)))


def _given(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The same, with archives as the SDK's objects."""
    return dict(whole(rpc.deserialize_properties(struct)))


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    return ParseDict(dict(values), struct_pb2.Struct())


@contextlib.contextmanager
def _refusals(context: Any, doing: str) -> Iterator[None]:
    """Tell the engine what the cloud refused, as the real provider does."""
    try:
        yield
    except (ClientError, BotoCoreError, CloudError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, f"{doing}: {error}")
