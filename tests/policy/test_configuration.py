"""Whatever the configuration accepts, the policy pack accepts: at its defaults, at both bounds and for each choice."""

from dataclasses import Field, fields
from typing import Any

import pytest
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from config import StackConfig, key_of
from tests.defaults import record_defaults
from tools.recording.pack import analyze

TEXTS = {
    "permissionsBoundary": "arn:aws:iam::123456789012:policy/orders-boundary",
    "alarmEmail": "someone@example.com",
    "alarmRunbook": "https://wiki.example.com/runbook",
}


def values(field: Field[Any]) -> list[Any]:
    """The least, the default and the most; of texts, each."""
    rule = next(iter(field.metadata.values()))
    if isinstance(field.default, bool):
        return ["false", "true"]
    if isinstance(field.default, int):
        low, high = (min(rule.choices), max(rule.choices)) if rule.choices else (rule.low, rule.high)
        return [low, field.default, high]
    return list(rule.choices or [field.default or TEXTS[key_of(field)], TEXTS.get(key_of(field))])


ALL = {f"orders:{key_of(field)}": values(field) for field in fields(StackConfig)}


@pytest.mark.parametrize("column", range(3), ids=["the least", "the defaults", "the most"])
def test_what_the_configuration_accepts_passes_the_pack(analyzer: AnalyzerStub, column: int) -> None:
    graph = record_defaults(config={key: str(each[min(column, len(each) - 1)]) for key, each in ALL.items()})
    assert [each.rule for each in analyze(analyzer, graph).violations if each.level == "mandatory"] == []


def test_every_choice_of_a_text_is_among_them() -> None:
    assert max(len(each) for each in ALL.values()) == 3
