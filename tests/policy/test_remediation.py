"""Remediation repairs encryption and nothing else, and leaves secrets marked and unknown values alone."""

from collections.abc import Callable
from typing import Any

import pytest
from framework.stack import QUEUE, TOPIC
from google.protobuf import empty_pb2, json_format
from pulumi.runtime import rpc
from pulumi.runtime.proto import analyzer_pb2
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from tests.policy.pipeline import Mode, given, graph, pipeline
from tools.recording.pack import analyze, configuration

REPAIR_QUEUE = {"sqs-encrypted-at-rest": "remediate"}
REPAIR_TOPIC = {
    "sns-topic-encrypted-at-rest": {"enforcementLevel": "remediate", "remediationKey": "alias/orders"},
}
SECRET = {rpc._special_sig_key: rpc._special_secret_sig, "value": "rosebud"}


Repair = Callable[[Any, str, dict[str, Any]], Any]
"""What the engine would use instead of some inputs, under a configuration; None if it would keep them."""


@pytest.fixture
def repair(analyzer: AnalyzerStub) -> Repair:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())

    def remediate(config: Any, type_: str, inputs: dict[str, Any]) -> Any:
        analyzer.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=configuration(info, config)))
        request = analyzer_pb2.AnalyzeRequest(type=type_, name="x", urn="urn:x")
        request.properties.update(inputs)
        found = [json_format.MessageToDict(each.properties) for each in analyzer.Remediate(request).remediations]
        return found[0] if found else None

    return remediate


def test_encryption_that_is_switched_off_is_switched_on(repair: Repair) -> None:
    assert repair(REPAIR_QUEUE, QUEUE, {"sqsManagedSseEnabled": False, "name": "q"}) == {
        "sqsManagedSseEnabled": True,
        "name": "q",
    }


def test_secrets_stay_marked_and_unknown_values_unknown(repair: Repair) -> None:
    inputs = {"sqsManagedSseEnabled": False, "policy": SECRET, "redrivePolicy": rpc.UNKNOWN}
    assert repair(REPAIR_QUEUE, QUEUE, inputs) == {**inputs, "sqsManagedSseEnabled": True}


@pytest.mark.parametrize(
    "inputs",
    [
        {},
        {"sqsManagedSseEnabled": True},
        {"kmsMasterKeyId": rpc.UNKNOWN, "sqsManagedSseEnabled": False},
        {"sqsManagedSseEnabled": rpc.UNKNOWN},
    ],
)
def test_what_is_encrypted_or_not_known_is_left_alone(repair: Repair, inputs: dict[str, Any]) -> None:
    assert repair(REPAIR_QUEUE, QUEUE, inputs) is None


def test_a_topic_without_a_key_gets_the_configured_one(repair: Repair) -> None:
    assert repair(REPAIR_TOPIC, TOPIC, {"name": "t"}) == {"name": "t", "kmsMasterKeyId": "alias/orders"}
    assert repair(REPAIR_TOPIC, TOPIC, {"kmsMasterKeyId": rpc.UNKNOWN}) is None
    assert repair({"sns-topic-encrypted-at-rest": "remediate"}, TOPIC, {"name": "t"}) is None


def test_an_exempt_resource_is_not_repaired(repair: Repair) -> None:
    exempt = {"enforcementLevel": "remediate", "exempt": [{"match": "x", "reason": "a test"}]}
    assert repair({"sqs-encrypted-at-rest": exempt}, QUEUE, {"sqsManagedSseEnabled": False}) is None


def test_remediation_is_off_by_default(repair: Repair) -> None:
    assert repair({}, QUEUE, {"sqsManagedSseEnabled": False}) is None


@pytest.mark.parametrize("mode", Mode)
def test_a_repaired_resource_breaks_no_rule(analyzer: AnalyzerStub, mode: Mode) -> None:
    broken = graph(pipeline(given("OrderQueue", kmsMasterKeyId=None, sqsManagedSseEnabled=False)), mode)
    assert {violation.rule for violation in analyze(analyzer, broken).violations} == {"sqs-encrypted-at-rest"}
    report = analyze(analyzer, broken, REPAIR_QUEUE)
    assert report.violations == ()
    assert report.remediated == ("sqs-encrypted-at-rest: OrderQueue",)
