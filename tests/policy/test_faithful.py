"""The recorder sends the pack what a real engine sent, request by request, but for the listed differences."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tests.defaults import BARE
from tests.engine.record import CALLS, FOLDER
from tests.policy.test_engine_traffic import calls
from tools.recording.graph import program, record
from tools.recording.pack import analyze
from tools.recording.types import TYPES
from tools.root import ROOT

Request = dict[str, Any]
RUNS = [
    pytest.param("preview-of-a-new-stack", True, {}, id="the first preview"),
    pytest.param("first-update", False, {}, id="the first update"),
    pytest.param("preview-of-functionTimeout-60", False, {"orders:functionTimeout": "60"}, id="a later change"),
]
CONFIG = {
    "aws:defaultTags": '{"tags":{"owner":"orders-team","project":"orders","stack":"dev"}}',
    "pulumi:autonaming": '{"pattern":"${name}-${stack}-${hex(7)}"}',
}
"""The configuration under which the engine was recorded; a stack file of today may say something else."""


def without_suffixes(request: Request) -> Request:
    return dict(json.loads(re.sub(r"(-dev)?-[0-9a-f]{7}(?![0-9a-f-])", "", json.dumps(request))))


def without_code(request: Request) -> Request:
    properties = {key: value for key, value in request.get("properties", {}).items() if key != "code"}
    return {**request, "properties": properties}


def without_computed(request: Request) -> Request:
    """Leave out what only creation tells; where inputs hold it, a key's id is its name, and no address is compared."""
    computed = TYPES[request["type"]].computed.split() if request["type"] in TYPES else ()
    properties = {key: value for key, value in request["properties"].items() if key not in computed}
    text = re.sub(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "OrderKey", json.dumps({**request, "properties": properties})
    )
    return dict(json.loads(re.sub(r"https://[^/]+/", "https://", text)))


def sorted_urns(request: Request) -> Request:
    request.get("dependencies", []).sort()
    for told in request.get("propertyDependencies", {}).values():
        told["urns"].sort()
    return request


DIFFERENCES: Mapping[str, tuple[str, Callable[[Request], Request]]] = {
    "automatic names": ("the recorder gives bare names, as `pulumi:autonaming` verbatim does", without_suffixes),
    "the archive": ("it names files of the machine, and what they held that day", without_code),
    "computed outputs": ("after an update they are what a cloud invented: ids, times, addresses", without_computed),
    "the order of URNs": ("a set, in a list", sorted_urns),
}
"""All that may differ in a request, why, and how it is evened out."""


def evened(request: Request, *, preview: bool) -> Request:
    request = json.loads(json.dumps(request))
    for name, (_, even) in DIFFERENCES.items():
        if not (preview and name == "computed outputs"):
            request = even(request)
    return request


class Listening:
    """A policy pack that keeps what it is asked."""

    def __init__(self, analyzer: AnalyzerStub) -> None:
        self._analyzer = analyzer
        self.heard: list[tuple[str, Request]] = []

    def __getattr__(self, call: str) -> Callable[[Any], Any]:
        def ask(request: Any) -> Any:
            if call in CALLS:
                self.heard.append((call, MessageToDict(request)))
            return getattr(self._analyzer, call)(request)

        return ask


def ours(analyzer: AnalyzerStub, *, preview: bool, config: Mapping[str, str]) -> list[tuple[str, Request]]:
    graph = record(
        stack="dev",
        root=BARE,
        program=lambda: program(ROOT),
        preview=preview,
        account="000000000000",
        config={**CONFIG, **config},
    )
    pack = Listening(analyzer)
    analyze(pack, graph)  # type: ignore[arg-type]
    return pack.heard


def theirs(run: str) -> list[tuple[str, Request]]:
    return [(call["call"], call["request"]) for call in calls(FOLDER / f"{run}.json")]


def alone(traffic: list[tuple[str, Request]]) -> dict[str, Request]:
    return {request["urn"]: request for call, request in traffic if call == "Analyze"}


def together(traffic: list[tuple[str, Request]]) -> dict[str, Request]:
    [request] = [request for call, request in traffic if call == "AnalyzeStack"]
    return {resource["urn"]: resource for resource in request["resources"]}


@pytest.mark.parametrize(("run", "preview", "config"), RUNS)
def test_the_recorder_configures_and_asks_the_pack_as_the_engine_does(
    analyzer: AnalyzerStub, run: str, preview: bool, config: Mapping[str, str]
) -> None:
    """It says which stack it is and each rule's level with every default filled in, then sends request by request."""
    mine, real = ours(analyzer, preview=preview, config=config), theirs(run)
    assert [call for call, _ in mine] == [call for call, _ in real]
    if not config:  # the later change is a preview to the engine, and an update to the recorder
        assert mine[:2] == real[:2]
    for part in (alone, together):
        assert part(mine).keys() == part(real).keys()
        for urn, request in part(real).items():
            assert evened(part(mine)[urn], preview=preview) == evened(request, preview=preview)
