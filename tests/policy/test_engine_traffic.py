"""What a real engine sent to the pack, for four runs of a development stack: the pack finds nothing wrong in any."""

import json
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import analyzer_pb2
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub
from pulumi.runtime.rpc import UNKNOWN

from tools.recording.levels import configuration

FOLDER = Path(__file__).parent / "engine"
TRAFFIC = sorted(FOLDER.glob("*.json"))


def calls(path: Path) -> list[dict[str, Any]]:
    """The calls of one run, in the order in which the engine made them."""
    return list(json.loads(path.read_text()))


def replayed(analyzer: AnalyzerStub, traffic: list[dict[str, Any]]) -> list[analyzer_pb2.AnalyzeDiagnostic]:
    """Ask the pack what the engine asked it, and return what it objects to."""
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=configuration(info, {})))
    found: list[analyzer_pb2.AnalyzeDiagnostic] = []
    for call in traffic:
        if call["call"] == "Analyze":
            request = json_format.ParseDict(call["request"], analyzer_pb2.AnalyzeRequest())
            found += analyzer.Analyze(request).diagnostics
        elif call["call"] == "AnalyzeStack":
            request = json_format.ParseDict(call["request"], analyzer_pb2.AnalyzeStackRequest())
            found += analyzer.AnalyzeStack(request).diagnostics
    return found


def in_stack(traffic: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """One AWS resource of the stack analysis, as a part of the traffic that may be changed."""
    [call] = [call for call in traffic if call["call"] == "AnalyzeStack"]
    resources = [each for each in call["request"]["resources"] if each["type"].startswith("aws:")]
    return next(each for each in resources if each["name"] == name)


def alone(traffic: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The inputs of an AWS resource, as a part of the traffic that may be changed."""
    requests = [call["request"] for call in traffic if call["call"] == "Analyze"]
    found = next(each for each in requests if each["name"] == name and each["type"].startswith("aws:"))
    inputs: dict[str, Any] = found["properties"]
    return inputs


def policies_broken(analyzer: AnalyzerStub, traffic: list[dict[str, Any]]) -> set[str]:
    return {each.policyName for each in replayed(analyzer, traffic)}


@pytest.mark.parametrize("path", TRAFFIC, ids=lambda path: path.stem)
def test_the_pack_objects_to_nothing_in_the_sound_program(analyzer: AnalyzerStub, path: Path) -> None:
    assert [(each.policyName, each.urn) for each in replayed(analyzer, calls(path))] == []


@pytest.mark.parametrize("path", TRAFFIC, ids=lambda path: path.stem)
def test_a_key_that_admits_nobody_is_seen_in_every_run(analyzer: AnalyzerStub, path: Path) -> None:
    traffic = calls(path)
    in_stack(traffic, "OrderKey")["properties"]["policy"] = '{"Version": "2012-10-17", "Statement": []}'
    assert "kms-key-admits-pipeline-services" in policies_broken(analyzer, traffic)


@pytest.mark.parametrize("path", TRAFFIC, ids=lambda path: path.stem)
def test_a_queue_without_a_redrive_policy_is_seen_in_every_run(analyzer: AnalyzerStub, path: Path) -> None:
    traffic = calls(path)
    queue = in_stack(traffic, "OrderQueue")
    del alone(traffic, "OrderQueue")["redrivePolicy"]
    queue["properties"]["redrivePolicy"] = UNKNOWN  # what the provider may compute, without anybody having set it
    assert "sqs-queue-has-dlq" in policies_broken(analyzer, traffic)


@pytest.mark.parametrize("path", TRAFFIC, ids=lambda path: path.stem)
def test_a_constant_policy_beside_a_separate_one_is_seen_in_every_run(analyzer: AnalyzerStub, path: Path) -> None:
    traffic = calls(path)
    for properties in (alone(traffic, "OrderQueue"), in_stack(traffic, "OrderQueue")["properties"]):
        properties["policy"] = '{"Version": "2012-10-17", "Statement": []}'
    assert "queue-policy-accepts-topic-only" in policies_broken(analyzer, traffic)


def test_what_a_refresh_reads_back_from_a_separate_policy_is_not_a_second_one(analyzer: AnalyzerStub) -> None:
    traffic = calls(FOLDER / "preview-without-changes.json")
    for name, policy in (("OrderQueue", "OrderQueue-policy"), ("OrderTopic", "OrderTopic-policy")):
        stated = json.loads(in_stack(traffic, policy)["properties"]["policy"])
        in_stack(traffic, name)["properties"]["policy"] = json.dumps(stated, sort_keys=True)
    assert policies_broken(analyzer, traffic) == set()


@pytest.mark.parametrize("path", TRAFFIC, ids=lambda path: path.stem)
def test_a_program_that_tells_of_no_property_dependencies_raises_no_alarm(analyzer: AnalyzerStub, path: Path) -> None:
    traffic = calls(path)
    [call] = [call for call in traffic if call["call"] == "AnalyzeStack"]
    for resource in call["request"]["resources"]:
        resource.pop("propertyDependencies", None)
    assert policies_broken(analyzer, traffic) == set()


def test_limits_that_the_provider_has_filled_in_count_as_left_to_the_default(analyzer: AnalyzerStub) -> None:
    """The engine does not tell a pack which values the provider's check has filled in."""
    traffic = calls(FOLDER / "preview-of-a-new-stack.json")
    [function] = [
        call["request"]
        for call in traffic
        if call["call"] == "Analyze" and call["request"]["type"] == "aws:lambda/function:Function"
    ]
    function["properties"] |= {"timeout": 3, "memorySize": 128}
    assert policies_broken(analyzer, traffic) == {"lambda-runtime-and-limits"}
