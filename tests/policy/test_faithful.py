"""The recorder sends the pack what a real engine sent, request by request, but for the listed differences."""

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from google.protobuf import empty_pb2
from google.protobuf.json_format import MessageToDict
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub
from pulumi.runtime.rpc import UNKNOWN

from recording.graph import ROOT, program, record
from recording.pack import configuration, requests, stack_request
from recording.schema import TYPES
from tests.defaults import BARE
from tests.policy.test_engine_traffic import FOLDER, calls

Request = dict[str, Any]
RUNS = [
    pytest.param("preview-of-a-new-stack", True, {}, id="the first preview"),
    pytest.param("first-update", False, {}, id="the first update"),
    pytest.param("preview-of-functionTimeout-60", False, {"orders:functionTimeout": "60"}, id="a later change"),
]
CONFIG = {"aws:defaultTags": '{"tags":{"owner":"orders-team","project":"orders","stack":"dev"}}'}
"""The configuration under which the engine was recorded; a stack file of today may say something else."""


def without_suffixes(text: str) -> str:
    return re.sub(r"-[0-9a-f]{7}(?![0-9a-f-])", "", text)


def short_arns(text: str) -> str:
    return re.sub(r"arn:aws:(cloudwatch|logs):[a-z0-9-]+:\d{12}:(alarm:|log-group:)?", "arn:", text)


DIFFERENCES: Mapping[str, tuple[str, Callable[[str], str]]] = {
    "automatic names": ("the recorder gives bare names, as `pulumi:autonaming` verbatim does", without_suffixes),
    "ARNs of alarms and log groups": ("what stood in for AWS invented shorter ones", short_arns),
}
"""All that may differ in a text, why, and how it is evened out."""
UNKNOWN_THEN = "what depends on an ARN was unknown in the recorded preview; ARNs are composed of names since"
ADDED_SINCE = "::ProcessOrder-decryption"
"""A resource that the recorded program did not have: it took the key out of ProcessOrder-permissions."""
SPLIT_SINCE = "::ProcessOrder-permissions"
LEFT_OUT = ("code",)
"""Properties that are not compared: the files of the archive are those of the day of the recording."""
# After an update computed outputs are left out too: what stood in for AWS invented them, and left some empty.


def evened(request: Request) -> Request:
    text = json.dumps(request)
    for _, even in DIFFERENCES.values():
        text = even(text)
    even_request: Request = json.loads(text)
    even_request["properties"] = {
        key: value for key, value in even_request.get("properties", {}).items() if key not in LEFT_OUT
    }
    even_request.get("dependencies", []).sort()
    for told in even_request.get("propertyDependencies", {}).values():
        told["urns"].sort()
    return even_request


def known_since(mine: Request, real: Request) -> Request:
    """Take back what is known today and was not when the engine was recorded, and what was split since."""
    before = {"properties": {}, "dependencies": [], "propertyDependencies": {}, **json.loads(json.dumps(mine))}
    for key, value in real.get("properties", {}).items():
        if value in (UNKNOWN, [UNKNOWN]):
            before["properties"][key] = value
    if real["urn"].endswith(SPLIT_SINCE):
        before |= {key: real[key] for key in ("properties", "dependencies", "propertyDependencies") if key in real}
    before["dependencies"] = [urn for urn in before["dependencies"] if not urn.endswith(ADDED_SINCE)]
    return {key: value for key, value in before.items() if value or key in real}


def without_invented(request: Request) -> Request:
    computed = TYPES[request["type"]].computed if request["type"] in TYPES else ()
    properties = {key: value for key, value in request.get("properties", {}).items() if key not in computed}
    return {**request, "properties": properties}


def ours(*, preview: bool, config: Mapping[str, str]) -> tuple[Request, dict[str, Request], dict[str, Request]]:
    graph = record(
        stack="dev",
        root=BARE,
        program=lambda: program(ROOT),
        preview=preview,
        config={**CONFIG, **config},
    )
    alone, together = requests(graph)
    return (
        MessageToDict(stack_request(graph)),
        {each.urn: MessageToDict(each) for each in alone if not each.urn.endswith(ADDED_SINCE)},
        {each.urn: MessageToDict(each) for each in together.resources if not each.urn.endswith(ADDED_SINCE)},
    )


def theirs(run: str) -> tuple[Request, dict[str, Request], dict[str, Request]]:
    traffic = calls(FOLDER / f"{run}.json")
    alone = [call["request"] for call in traffic if call["call"] == "Analyze"]
    together = traffic[-1]["request"]["resources"]
    return traffic[0]["request"], {each["urn"]: each for each in alone}, {each["urn"]: each for each in together}


@pytest.mark.parametrize(("run", "preview", "config"), RUNS)
def test_the_stack_is_announced_as_the_engine_announces_it(run: str, preview: bool, config: Mapping[str, str]) -> None:
    if run != "preview-of-functionTimeout-60":  # its value came from the command line; and it was a preview
        assert ours(preview=preview, config=config)[0] == theirs(run)[0]


@pytest.mark.parametrize(("run", "preview", "config"), RUNS)
def test_each_resource_is_shown_alone_as_the_engine_shows_it(
    run: str, preview: bool, config: Mapping[str, str]
) -> None:
    mine, real = ours(preview=preview, config=config)[1], theirs(run)[1]
    assert mine.keys() == real.keys()
    for urn in real:
        assert evened(known_since(mine[urn], real[urn])) == evened(real[urn])


@pytest.mark.parametrize(("run", "preview", "config"), RUNS)
def test_the_whole_stack_is_shown_as_the_engine_shows_it(run: str, preview: bool, config: Mapping[str, str]) -> None:
    mine, real = ours(preview=preview, config=config)[2], theirs(run)[2]
    assert mine.keys() == real.keys()
    even = evened if preview else lambda request: without_invented(evened(request))
    for urn in real:
        assert even(known_since(mine[urn], real[urn])) == even(real[urn])


def test_the_pack_is_configured_as_the_engine_configures_it(analyzer: AnalyzerStub) -> None:
    """Every default filled in, the level stated; a rule that was added since is in no recording."""
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    mine = {name: MessageToDict(each) for name, each in configuration(info, {}).items()}
    real = calls(FOLDER / "first-update.json")[1]["request"]["policyConfig"]
    assert mine.keys() - real.keys() <= {"kms-key-rotates"}
    for configured in (mine, real):
        del configured["lambda-runtime-and-limits"]["properties"]["runtimes"]  # a list that grows with AWS's
    assert {name: mine[name] for name in real} == real
