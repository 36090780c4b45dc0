"""Whatever the configuration accepts, the policy pack accepts: at its defaults, at both bounds and for each choice."""

from collections.abc import Iterator
from dataclasses import fields

import pytest
from pulumi.runtime.proto.analyzer_pb2_grpc import AnalyzerStub

from config import StackConfig, key_of
from tests.defaults import record_defaults
from tools.recording.pack import analyze

ALONG = {"batchSize": {"batchingWindow": "1", "functionMemory": "256"}, "functionMemory": {"batchSize": "2"}}
"""What a value of one key asks of another."""
TEXTS = {
    "permissionsBoundary": "arn:aws:iam::123456789012:policy/orders-boundary",
    "alarmEmail": "someone@example.com",
    "alarmRunbook": "https://wiki.example.com/runbook",
}


def values() -> Iterator[tuple[str, str]]:
    for field in fields(StackConfig):
        rule, key = next(iter(field.metadata.values())), key_of(field)
        if rule.choices:
            yield from ((key, str(choice)) for choice in rule.choices)
        elif isinstance(field.default, bool):
            yield from ((key, value) for value in ("true", "false"))
        elif isinstance(field.default, int):
            yield from ((key, str(value)) for value in (rule.low, field.default, rule.high))
        else:
            yield key, TEXTS[key]


@pytest.mark.parametrize(("key", "value"), list(values()))
def test_what_the_configuration_accepts_passes_the_pack(analyzer: AnalyzerStub, key: str, value: str) -> None:
    given = {key: value} | ALONG.get(key, {})
    graph = record_defaults(config={f"orders:{name}": text for name, text in given.items()})
    assert [each.rule for each in analyze(analyzer, graph).violations if each.level == "mandatory"] == []
