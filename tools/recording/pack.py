"""Runs the policy pack over a recorded program, as the Pulumi CLI would: a process of its own, spoken to over gRPC."""

import importlib.metadata
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

from tools.recording.graph import PROVIDER, STACK_TYPE, Graph, Resource
from tools.recording.levels import configuration
from tools.recording.report import Finding, Report
from tools.recording.types import DEFAULTS, checked, default_tags, tags_of, type_of
from tools.root import ROOT

PACK = ROOT / "policy"
ORGANIZATION = "organization"
"""What the CLI calls the owner of a stack in a backend without organizations."""
START_LIMIT = 60
"""Seconds that the pack may take to start."""
PROCESS = """
import os, runpy, sys, threading
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
runpy.run_module("pulumi.policy", run_name="__main__", alter_sys=True)
"""
"""The pack's process, which ends with the one that started it, whatever ends that."""
_MESSAGE_LIMIT = 400 * 1024 * 1024  # the Pulumi engine's own


def check(*graphs: Graph, config: Mapping[str, Any] | None = None) -> list[Report]:
    """Start the pack, judge recorded runs of one stack and stop the pack.

    `config` is what `pulumi preview --policy-pack-config` reads. Raises ValueError if it does not fit the pack, and
    RuntimeError if the pack does not start.
    """
    with serve(stack=graphs[0].stack, config=graphs[0].config) as analyzer:
        return [analyze(analyzer, graph, config) for graph in graphs]


@contextmanager
def serve(
    pack: Path = PACK, *, stack: str = "dev", config: Mapping[str, str] | None = None
) -> Iterator[analyzer_pb2_grpc.AnalyzerStub]:
    """Run the pack's process as the CLI's language host does for a preview, and connect to it.

    It may serve any number of runs; a rule that asks the SDK itself for the stack's settings is told these.
    """
    environment = {
        **os.environ,
        "PULUMI_PROJECT": "orders",
        "PULUMI_ORGANIZATION": ORGANIZATION,
        "PULUMI_STACK": stack,
        "PULUMI_CONFIG": json.dumps(config or {}),
        "PULUMI_DRY_RUN": "true",
        "PYTHONDONTWRITEBYTECODE": "",  # bytecode caches halve the start
    }
    # The engine's address is never dialled. `-u`, or the port would stay in a buffer.
    command = [sys.executable, "-u", "-c", PROCESS, "127.0.0.1:1", str(pack)]
    pipe = subprocess.PIPE
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, cwd=pack, env=environment, stdin=pipe, stdout=pipe, stderr=errors) as process,
    ):
        try:
            port = _port(process)
            if port is None:
                process.kill()
                errors.seek(0)
                raise RuntimeError(f"the policy pack {pack} must start, got:\n{errors.read().decode()[-2000:]}")
            # The user's proxy is not asked to find this machine.
            options = [("grpc.max_receive_message_length", _MESSAGE_LIMIT), ("grpc.enable_http_proxy", 0)]
            with grpc.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
                yield analyzer_pb2_grpc.AnalyzerStub(channel)
        finally:
            process.kill()  # it keeps nothing, and sleeps through SIGTERM's grace


def _port(process: subprocess.Popen[bytes]) -> int | None:
    """Return the port, which is the first line of the pack's output; None if it says anything else."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], START_LIMIT)
    line = process.stdout.readline().strip() if ready else b""
    return int(line) if line.isdigit() else None


def analyze(analyzer: analyzer_pb2_grpc.AnalyzerStub, graph: Graph, config: Mapping[str, Any] | None = None) -> Report:
    """Judge a recorded run by a running pack: each resource by its inputs, then the stack by its outputs."""
    started = time.perf_counter()
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    settings = configuration(info, config or {})
    analyzer.ConfigureStack(_stack_request(graph))
    analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=settings))

    diagnostics: list[analyzer_pb2.AnalyzeDiagnostic] = []
    notes: list[analyzer_pb2.PolicyNotApplicable] = []
    outputs = _engines_own(graph)
    provider, tags = _provider(graph), default_tags(graph.config)
    own_providers = {each.urn: _own_provider(each) for each in graph.all(PROVIDER).values()}
    for own in outputs:
        inputs = None if own.type == STACK_TYPE else own.properties
        request = analyzer_pb2.AnalyzeRequest(
            type=own.type, name=own.name, urn=own.urn, properties=inputs, options=own.options
        )
        diagnostics += analyzer.Analyze(request).diagnostics
    for resource in graph.resources:
        named = resource.request.provider.rpartition("::")[0]
        request = _request(resource, own_providers.get(named, provider))
        answer = analyzer.Analyze(request)
        for diagnostic in answer.diagnostics:
            diagnostic.urn = resource.urn
        diagnostics += answer.diagnostics
        notes += answer.not_applicable
        outputs.append(_outputs(resource, request, tags, preview=graph.preview))
    answer = analyzer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=outputs))
    diagnostics += answer.diagnostics
    notes += answer.not_applicable

    # The pack writes each finding that is no violation as JSON; other packs write here whatever they like.
    lines = [line for note in notes for line in note.reason.splitlines() if line.startswith('{"kind": ')]
    enforced = [each for each in settings.values() if each.enforcementLevel != analyzer_pb2.DISABLED]
    return Report(
        stack=graph.stack,
        mode="preview" if graph.preview else "update",
        pack=info.name,
        rules=len(enforced),
        resources=len(graph.resources),
        seconds=time.perf_counter() - started,
        findings=(*_violations(diagnostics, graph, info), *(Finding(**json.loads(line)) for line in lines)),
        unanswered=graph.unanswered,
    )


def _stack_request(graph: Graph) -> analyzer_pb2.AnalyzerStackConfigureRequest:
    """What an engine says of the stack before it asks about it."""
    return analyzer_pb2.AnalyzerStackConfigureRequest(
        stack=graph.stack,
        project=graph.project,
        organization=ORGANIZATION,
        dry_run=graph.preview,
        config=graph.config,
    )


def _engines_own(graph: Graph) -> list[analyzer_pb2.AnalyzerResource]:
    """The resources that no program registers by itself: the default provider and the stack."""
    provider = _provider(graph)
    options = _timeouts()
    name = f"{graph.project}-{graph.stack}"
    return [
        analyzer_pb2.AnalyzerResource(
            type=provider.type,
            name=provider.name,
            urn=provider.urn,
            properties=provider.properties,
            options=_timeouts(),
        ),
        analyzer_pb2.AnalyzerResource(
            type=STACK_TYPE,
            name=name,
            urn=f"urn:pulumi:{graph.stack}::{graph.project}::{STACK_TYPE}::{name}",
            properties=graph.told,
            options=options,
        ),
    ]


def _timeouts(**more: Any) -> analyzer_pb2.AnalyzerResourceOptions:
    custom = analyzer_pb2.AnalyzerResourceOptions.CustomTimeouts()
    return analyzer_pb2.AnalyzerResourceOptions(customTimeouts=custom, **more)


def _provider(graph: Graph) -> analyzer_pb2.AnalyzerProviderResource:
    version = importlib.metadata.version("pulumi-aws")
    name = f"default_{version.replace('.', '_')}"
    properties = {"region": graph.config.get("aws:region", ""), "version": version}
    if tags := graph.config.get("aws:defaultTags"):
        properties["defaultTags"] = tags
    return analyzer_pb2.AnalyzerProviderResource(
        type=PROVIDER,
        name=name,
        urn=f"urn:pulumi:{graph.stack}::{graph.project}::{PROVIDER}::{name}",
        properties=_struct(properties),
    )


def _own_provider(resource: Resource) -> analyzer_pb2.AnalyzerProviderResource:
    """A provider that the program registers by itself, for another region."""
    return analyzer_pb2.AnalyzerProviderResource(
        type=resource.type, name=resource.name, urn=resource.urn, properties=resource.request.object
    )


def _request(resource: Resource, provider: analyzer_pb2.AnalyzerProviderResource) -> analyzer_pb2.AnalyzeRequest:
    """One resource by its inputs as the provider's check returns them."""
    properties = struct_pb2.Struct()
    properties.CopyFrom(resource.request.object)
    if resource.custom:
        filled = {key: resource.outputs[key] for key in resource.outputs.get(DEFAULTS, ())}
        _add(properties, filled or checked(resource.type, resource.name, {}))
    return analyzer_pb2.AnalyzeRequest(
        type=resource.type,
        name=resource.name,
        urn=resource.urn,
        properties=properties,
        options=_timeouts(protect=resource.protect, parent=resource.parent),
        provider=provider if resource.custom else None,
    )


def _add(properties: struct_pb2.Struct, values: Mapping[str, Any]) -> None:
    """Add values to properties that are not there."""
    for key in set(values) - set(properties.fields):
        properties[key] = values[key]


def _outputs(
    resource: Resource, request: analyzer_pb2.AnalyzeRequest, tags: Mapping[str, str], *, preview: bool
) -> analyzer_pb2.AnalyzerResource:
    """Return a resource as it is after the step: its inputs, and what the provider computes or would compute.

    Dependencies are told as an engine tells them: only of properties that depend on something.
    """
    properties = struct_pb2.Struct()
    if not resource.custom:
        properties.CopyFrom(resource.told)
    else:
        properties.CopyFrom(request.properties)
        computed = type_of(resource.type).computed.split()
        told = {**(dict.fromkeys(computed, rpc.UNKNOWN) if preview else {}), **resource.outputs}
        _add(properties, {key: told[key] for key in computed if key in told})
        plain = {"tags": resource.properties.get("tags")}
        _add(properties, tags_of(resource.type, plain, tags))
    dependencies = {
        key: analyzer_pb2.AnalyzerPropertyDependencies(urns=urns)
        for key, urns in resource.property_dependencies.items()
        if urns
    }
    return analyzer_pb2.AnalyzerResource(
        type=resource.type,
        name=resource.name,
        urn=resource.urn,
        properties=properties,
        options=request.options,
        provider=request.provider if resource.custom else None,
        parent=resource.parent,
        dependencies=resource.dependencies,
        propertyDependencies=dependencies,
    )


def _struct(values: Mapping[str, Any]) -> struct_pb2.Struct:
    struct = struct_pb2.Struct()
    struct.update(values)
    return struct


def _violations(
    diagnostics: Sequence[analyzer_pb2.AnalyzeDiagnostic], graph: Graph, info: analyzer_pb2.AnalyzerInfo
) -> Iterator[Finding]:
    resources = {resource.urn: resource for resource in graph.resources}
    links = {policy.name: policy.url for policy in info.policies}
    for diagnostic in diagnostics:
        resource = resources.get(diagnostic.urn)
        yield Finding(
            kind="violation",
            rule=diagnostic.policyName,
            level=analyzer_pb2.EnforcementLevel.Name(diagnostic.enforcementLevel).lower(),
            severity=analyzer_pb2.PolicySeverity.Name(diagnostic.severity).removeprefix("POLICY_SEVERITY_").lower(),
            type=resource.type if resource else "",
            resource=resource.name if resource else "",
            urn=diagnostic.urn,
            requirement=diagnostic.description,
            text=diagnostic.message.removeprefix(diagnostic.description).strip(),
            link=links.get(diagnostic.policyName, ""),
        )
