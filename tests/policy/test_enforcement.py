"""Settings, exemptions and faults are handled the same way for every rule."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from typing import Any

import pytest
from framework.aws import QUEUE
from framework.enforcement import Policies, config_schema, configured, policy
from framework.exemptions import Exemption
from framework.rule import Config, Rule, Verdict, switch, texts, whole
from framework.stack import Resource, Stack
from pulumi_policy import (
    EnforcementLevel,
    Severity,
    StackValidationArgs,
    StackValidationPolicy,
)
from pulumi_policy.policy import _NotApplicableError, empty_report_violation

from tests.policy.judge import POLICIES, judge, policy_resources
from tests.policy.pipeline import Change, Mode, given, graph, pipeline

NO_KEY = "sqs-dlq-encryption-parity"


def rule(**changes: Any) -> Rule:
    """A rule that only its test knows."""
    stated: dict[str, Any] = {
        "name": "test-rule",
        "requires": "A queue must be a queue.",
        "remedy": "make it one.",
        "level": EnforcementLevel.MANDATORY,
        "severity": Severity.HIGH,
        "pillar": "REL05",
        "link": "https://docs.aws.amazon.com/",
        "on": (QUEUE,),
        "settings": (whole("most", 3, "", 1), switch("strict", "", default=False), texts("names", (), "")),
    }
    return Rule(**{**stated, **changes})


def fault(queue: Resource, _stack: Stack, _config: Config) -> Iterator[Verdict]:
    yield "is seen first"
    if queue.name == "OrderQueue-dlq":
        raise KeyError("password hunter2")


def test_a_fault_is_a_violation_that_hides_values_and_leaves_the_others_judged() -> None:
    messages: list[str] = []
    enforced = policy(rule(check_in_stack=fault))
    assert isinstance(enforced, StackValidationPolicy)
    stack = StackValidationArgs(policy_resources(graph(pipeline(), Mode.BLIND)))

    def report(message: str, urn: str | None = None) -> None:
        messages.append(message)

    enforced.validate(stack, report)
    sound = sorted(message.split()[0] for message in messages if "is seen first" in message)
    assert sound == ["OrderQueue", "OrderQueue-dlq", "OrderTopic-dlq"]
    [faulty] = [message for message in messages if "is seen first" not in message]
    assert "OrderQueue-dlq could not be judged: test-rule failed with KeyError at fault, line " in faulty
    assert "hunter2" not in faulty


def test_settings_are_merged_over_the_defaults() -> None:
    assert configured(rule(), {}) == {"most": 3, "strict": False, "names": []}
    assert configured(rule(), {"most": 5.0, "names": ["a"]}) == {"most": 5, "strict": False, "names": ["a"]}


def test_a_misconfigured_rule_fails_closed() -> None:
    found = judge(pipeline(), Mode.PREVIEW, config={"sqs-redrive-policy-valid": {"minReceive": 5}})
    assert found.violated == {"sqs-redrive-policy-valid"}
    assert all("is misconfigured: setting must be one of minReceives" in message for message in found.messages)


def test_the_schema_carries_every_setting_its_default_and_exemptions() -> None:
    assert config_schema(rule())["most"] == {"type": "integer", "minimum": 1, "default": 3, "description": ""}
    assert set(config_schema(rule())) == {"most", "strict", "names", "exempt"}


@pytest.mark.parametrize(
    ("match", "covered"),
    [("orders", True), ("order", False), ("*ders", True), ("urn:pulumi:prod::*::orders", True), ("rders", False)],
)
def test_a_pattern_matches_the_whole_name_or_urn(match: str, covered: bool) -> None:
    exemption = Exemption(match=match, reason="x")
    assert exemption.covers("orders", "urn:pulumi:prod::p::aws:sqs/queue:Queue::orders") is covered


def test_an_exemption_holds_on_its_last_day() -> None:
    exemption = Exemption(match="a", reason="x", expires=date(2026, 5, 31))
    assert not exemption.expired(date(2026, 5, 31))
    assert exemption.expired(date(2026, 6, 1))


WEAK = given("OrderQueue-dlq", kmsMasterKeyId=None)


def exempted(*entries: dict[str, str], change: Change = WEAK) -> Any:
    return judge(pipeline(change), Mode.UPDATE, config={NO_KEY: {"exempt": list(entries)}})


def test_an_expired_exemption_is_a_violation_even_of_a_sound_resource() -> None:
    expired = {"match": "OrderQueue-dlq", "reason": "until the migration", "expires": "2020-01-01"}
    found = exempted(expired, change=given("OrderQueue-dlq"))
    assert found.violated == {NO_KEY}
    assert "OrderQueue-dlq has an exemption that expired on 2020-01-01 (until the migration)" in found.messages[0]


def test_an_exemption_that_holds_wins_over_one_that_expired() -> None:
    old = {"match": "OrderQueue-dlq", "reason": "old", "expires": "2020-01-01"}
    assert exempted(old, {"match": "*-dlq", "reason": "renewed"}).violated == set()


def test_an_exemption_without_a_violation_is_not_mentioned() -> None:
    assert exempted({"match": "OrderQueue", "reason": "x"}, change=given("OrderQueue")).notes == ()


def test_how_much_waits_is_told_in_one_line_once_the_stack_is_judged(capsys: pytest.CaptureFixture[str]) -> None:
    stack = StackValidationArgs(policy_resources(graph(pipeline(), Mode.BLIND)))
    policies = Policies([POLICIES["consumer-role-can-use-queue"], POLICIES["kms-key-admits-pipeline-services"]])
    for _ in range(2):
        for each in policies:
            assert isinstance(each, StackValidationPolicy)
            with suppress(_NotApplicableError):
                each.validate(stack, empty_report_violation)
        assert capsys.readouterr().err == "1 decision waits for the update: consumer-role-can-use-queue\n"
    assert [*policies]
    assert capsys.readouterr().err == ""
