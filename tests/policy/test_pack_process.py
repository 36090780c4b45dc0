"""The pack as a process, started and spoken to as the Pulumi CLI does."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from framework.aws import QUEUE
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub
from pulumi_policy import EnforcementLevel
from rules import RULES

from tests.policy.judge import judge
from tests.policy.pipeline import Mode, Ref, added, given, graph, pipeline, without
from tools.recording.graph import record
from tools.recording.levels import configuration
from tools.recording.pack import analyze, serve
from tools.recording.report import print_report
from tools.terminal import Printer

LOST = graph(pipeline(added(QUEUE, "lost")), Mode.BLIND)


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_stack_passes(analyzer: AnalyzerStub, stack: str, preview: bool) -> None:
    report = analyze(analyzer, record(stack=stack, preview=preview))
    assert report.violations == ()
    assert report.rules == len(RULES)
    # For the key's id, which nothing can know before the key exists.
    assert sorted(each.rule for each in report.of("waits")) == (
        ["consumer-role-can-use-queue", "iam-least-privilege"] if preview else []
    )


@pytest.mark.parametrize("mode", Mode)
def test_the_process_says_what_the_rules_say(analyzer: AnalyzerStub, mode: Mode) -> None:
    damaged = pipeline(
        added(QUEUE, "lost"),
        without("OrderQueue-redrive-allow"),
        given("ProcessOrder-mapping", functionResponseTypes=None),
        given("OrderKey", enableKeyRotation=Ref("Orders")),
    )
    report, found = analyze(analyzer, graph(damaged, mode)), judge(damaged, mode)
    assert {violation.rule for violation in report.violations} == found.violated
    assert {(each.rule, each.resource) for each in report.of("waits")} == {each[1:3] for each in found.notes}
    assert {"sqs-queue-has-dlq", "sqs-dlq-redrive-allow", "esm-partial-batch-response"} < found.violated


def test_every_rule_states_its_level_remedy_severity_and_link(analyzer: AnalyzerStub) -> None:
    info = analyzer.GetAnalyzerInfo(empty_pb2.Empty())
    told = {each.name: each for each in info.policies}
    assert list(told) == [rule.name for rule in RULES]
    for rule in RULES:
        each = told[rule.name]
        assert (each.enforcementLevel == analyzer_pb2.MANDATORY) is (rule.level is EnforcementLevel.MANDATORY)
        assert (each.remediation_steps, each.url) == (rule.remedy, rule.link)
        assert each.severity != analyzer_pb2.POLICY_SEVERITY_UNSPECIFIED


def test_settings_keep_a_mandatory_rule_mandatory(analyzer: AnalyzerStub) -> None:
    exempt = {"sqs-queue-has-dlq": {"exempt": [{"match": "another", "reason": "a test"}]}}
    assert [each.level for each in analyze(analyzer, LOST, exempt).mandatory if each.rule == "sqs-queue-has-dlq"]


def test_a_rule_can_be_weakened_or_disabled_and_all_at_once(analyzer: AnalyzerStub) -> None:
    rule = "sqs-queue-has-dlq"
    assert [each.level for each in analyze(analyzer, LOST, {rule: "advisory"}).violations if each.rule == rule] == [
        "advisory"
    ]
    assert rule not in {each.rule for each in analyze(analyzer, LOST, {rule: "disabled"}).violations}
    assert analyze(analyzer, LOST, {"all": "disabled"}).violations == ()
    assert analyze(analyzer, LOST, {"all": "disabled"}).rules == 0


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"no-such-rule": "disabled"}, "no-such-rule must be a rule of order-notifications"),
        ({"sqs-queue-has-dlq": "strict"}, "enforcementLevel must be one of"),
        ({"sqs-dlq-has-alarm": {"maxThreshold": "x"}}, "maxThreshold"),
        ({"sqs-queue-has-dlq": {"include": ["x"]}}, "include"),
        ({"sqs-queue-has-dlq": {"exempt": [{"match": "lost"}]}}, "'reason' is a required property"),
        ({"sqs-queue-has-dlq": {"exempt": [{"match": "lost", "reason": " "}]}}, "reason"),
        (
            {"sqs-queue-has-dlq": {"exempt": [{"match": "x", "reason": "x", "expires": "2027-02-31"}]}},
            "is not a 'date'",
        ),
        ({"sqs-queue-has-dlq": {"exempt": [{"match": "(lost", "reason": "x"}]}}, "match"),
        ({"sqs-queue-has-dlq": {"exempt": [{"match": "lost", "reason": "x", "until": "2999-01-01"}]}}, "until"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused_before_anything_runs(
    analyzer: AnalyzerStub, config: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ValueError, match="the policy configuration must fit the pack") as refused:
        configuration(analyzer.GetAnalyzerInfo(empty_pb2.Empty()), config)
    assert problem in str(refused.value)


def test_an_exemption_is_visible_in_the_report(analyzer: AnalyzerStub) -> None:
    exempt = {"exempt": [{"match": "lost", "reason": "scratch queue", "expires": "2999-01-01"}]}
    report = analyze(analyzer, LOST, {"sqs-queue-has-dlq": exempt})
    printed = io.StringIO()
    print_report(report, printer=Printer(out=printed))
    [found] = report.of("exempt")
    assert (found.rule, found.resource, found.text) == ("sqs-queue-has-dlq", "lost", "until 2999-01-01: scratch queue")
    assert "exempt: sqs-queue-has-dlq: lost: until 2999-01-01: scratch queue" in printed.getvalue()


def test_the_report_is_readable_by_machines(analyzer: AnalyzerStub) -> None:
    printed = io.StringIO()
    print_report(analyze(analyzer, LOST), printer=Printer(out=printed, as_json=True))
    (report,) = json.loads(printed.getvalue())
    lost = next(each for each in report["findings"] if each["rule"] == "sqs-queue-has-dlq")
    assert (lost["kind"], lost["resource"], lost["level"]) == ("violation", "lost", "mandatory")


def test_secrets_are_judged_but_never_shown(analyzer: AnalyzerStub) -> None:
    variables = {"DB_PASSWORD": "correct horse battery"}
    broken = graph(pipeline(given("ProcessOrder", environment={"variables": variables})), Mode.PREVIEW)
    report = analyze(analyzer, broken)
    assert {violation.rule for violation in report.violations} == {"lambda-env-protected"}
    assert "correct horse" not in str(report)


def test_a_pack_that_does_not_start_says_why_and_knows_the_stack(tmp_path: Path) -> None:
    asks = "import pulumi\nraise LookupError(pulumi.get_stack() + pulumi.Config('orders').require('size'))\n"
    (tmp_path / "__main__.py").write_text(asks)
    with pytest.raises(RuntimeError, match="prod7"), serve(tmp_path, stack="prod", config={"orders:size": "7"}):
        pass


def test_a_pack_that_prints_first_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "__main__.py").write_text("print('hello')\n")
    with pytest.raises(RuntimeError, match="must start"), serve(tmp_path):
        pass
