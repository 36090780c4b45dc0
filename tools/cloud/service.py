"""Offers the provider of the local cloud to the real Pulumi engine, over gRPC and under the name `aws`.

https://www.pulumi.com/docs/iac/guides/building-extending/providers/
"""

import contextlib
import hashlib
import importlib.metadata
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2, struct_pb2
from google.protobuf.json_format import MessageToDict, ParseDict
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc

from tools.cloud import provider
from tools.cloud.cloud import Cloud, CloudError
from tools.cloud.resources import KEEPERS
from tools.cloud.resources.keeper import whole
from tools.recording.lookups import lookups
from tools.recording.types import default_tags, type_of

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

    def Attach(self, request: Any, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def Handshake(self, request: Any, context: Any) -> provider_pb2.ProviderHandshakeResponse:
        return provider_pb2.ProviderHandshakeResponse(supports_autonaming_configuration=True)

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi-aws"))

    def GetSchema(self, request: Any, context: Any) -> provider_pb2.GetSchemaResponse:
        """Enough of a schema for `pulumi import` to write the program's lines: the inputs that are honoured here."""
        value = {"$ref": "pulumi.json#/Any"}
        resources = {
            token: {"inputProperties": dict.fromkeys(keeper.honours.split(), value), "properties": {}}
            for token, keeper in KEEPERS.items()
        }
        meta = {"moduleFormat": "(.*)(?:/[^/]*)"}
        names = {"python": {"moduleNameOverrides": {"lambda": "lambda_"}, "respectSchemaVersion": True}}
        version = importlib.metadata.version("pulumi-aws")
        schema = {"name": "aws", "version": version, "meta": meta, "language": names, "resources": resources}
        return provider_pb2.GetSchemaResponse(schema=json.dumps(schema))

    def CheckConfig(self, request: Any, context: Any) -> provider_pb2.CheckResponse:
        """The local cloud is one region: a stack of another is refused before anything is created."""
        region = _plain(request.news).get("region")
        failures = []
        if region != self._cloud.region:
            reason = f"aws:region must be {self._cloud.region}, where the local cloud is, got {region}"
            failures = [provider_pb2.CheckFailure(property="region", reason=f"{reason}: start it with --region")]
        return provider_pb2.CheckResponse(inputs=request.news, failures=failures)

    def DiffConfig(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        return provider_pb2.DiffResponse()  # the engine then compares by itself; another region is refused before

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
        token, name = _identity(request.urn)
        with _refusals(context, f"checking {name}"):
            provider.keeper_of(self._cloud, token, name)
        new, named = _plain(request.news), type_of(token).named
        disabled = request.autonaming.mode == provider_pb2.CheckRequest.AutonamingOptions.DISABLE
        if named and named not in new and disabled:
            reason = "a name must be given, because pulumi:autonaming is disabled"
            return provider_pb2.CheckResponse(failures=[provider_pb2.CheckFailure(property=named, reason=reason)])
        inputs = provider.check(token, new, _plain(request.olds), _automatic_name(request, name))
        wrong = provider.misnamed(token, inputs, request.urn.split(":")[2])
        failures = [provider_pb2.CheckFailure(property=named or "", reason=wrong)] if wrong else []
        return provider_pb2.CheckResponse(inputs=_struct(inputs), failures=failures)

    def Diff(self, request: Any, context: Any) -> provider_pb2.DiffResponse:
        token, _ = _identity(request.urn)
        old, new = _plain(request.old_inputs), _plain(request.news)
        found = provider.diff(token, old, new, _plain(request.olds), self._tags)
        return provider_pb2.DiffResponse(
            changes=provider_pb2.DiffResponse.DIFF_SOME if found.keys else provider_pb2.DiffResponse.DIFF_NONE,
            diffs=sorted(found.keys),
            replaces=sorted(found.replaces),
            deleteBeforeReplace=found.delete_first,
        )

    def Create(self, request: Any, context: Any) -> provider_pb2.CreateResponse:
        token, name = _identity(request.urn)
        inputs = _plain(request.properties)
        if request.preview:
            return provider_pb2.CreateResponse(properties=_struct(provider.planned(token, inputs, {}, self._tags)))
        with _refusals(context, f"creating {name}"):
            id_, outputs = provider.create(self._cloud, token, name, inputs, self._tags)
        return provider_pb2.CreateResponse(id=id_, properties=_struct(outputs))

    def Read(self, request: Any, context: Any) -> provider_pb2.ReadResponse:
        token, name = _identity(request.urn)
        inputs, state = _plain(request.inputs), _plain(request.properties)
        with _refusals(context, f"reading {name}"):
            found = provider.read(self._cloud, token, name, request.id, inputs, state)
        if found is None:
            return provider_pb2.ReadResponse()
        return provider_pb2.ReadResponse(id=request.id, inputs=_struct(found[0]), properties=_struct(found[1]))

    def Update(self, request: Any, context: Any) -> provider_pb2.UpdateResponse:
        token, name = _identity(request.urn)
        old, new, state = _plain(request.old_inputs), _plain(request.news), _plain(request.olds)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=_struct(provider.planned(token, new, state, self._tags)))
        with _refusals(context, f"updating {name}"):
            outputs = provider.update(self._cloud, token, name, request.id, old, new, state, self._tags)
        return provider_pb2.UpdateResponse(properties=_struct(outputs))

    def Delete(self, request: Any, context: Any) -> empty_pb2.Empty:
        token, name = _identity(request.urn)
        with _refusals(context, f"deleting {name}"):
            provider.delete(self._cloud, token, name, request.id, _plain(request.properties))
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()


def _identity(urn: str) -> tuple[str, str]:
    """The type and name of a resource."""
    _, _, types, name = urn.split("::", 3)
    return types.split("$")[-1], name


def _automatic_name(request: Any, name: str) -> str:
    """What the engine proposes, or the resource's name and seven random digits, as the AWS provider makes it."""
    if request.autonaming.proposed_name:
        return str(request.autonaming.proposed_name)
    return f"{name}-{hashlib.sha256(request.randomSeed + request.urn.encode()).hexdigest()[:7]}"


def _plain(struct: struct_pb2.Struct) -> dict[str, Any]:
    """The wire's values with whole numbers as integers; assets and unknown values stay as they are."""
    return dict(whole(MessageToDict(struct)))


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    return ParseDict(dict(values), struct_pb2.Struct())


@contextlib.contextmanager
def _refusals(context: Any, doing: str) -> Iterator[None]:
    """Tell the engine what the cloud refused, as the real provider does."""
    try:
        yield
    except (ClientError, BotoCoreError, CloudError, OSError) as error:
        context.abort(grpc.StatusCode.UNKNOWN, f"{doing}: {error}")
