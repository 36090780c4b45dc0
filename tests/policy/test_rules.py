"""Every rule against its cases: a change to the program breaks exactly the rules meant, in an update and in preview."""

import string
from collections.abc import Iterable

import pytest
from rules import RULES

from tests.policy import cases_access, cases_functions, cases_keeping, cases_queues, cases_roles, cases_topics
from tests.policy.case import Case
from tests.policy.judge import judge
from tests.policy.pipeline import Mode, pipeline

FILES = (cases_queues, cases_topics, cases_access, cases_functions, cases_roles, cases_keeping)
CASES = {rule: cases for file in FILES for rule, cases in file.CASES.items()}
ALL = [(rule, case) for rule, cases in CASES.items() for case in cases]
FAILING = [
    (rule, next(case for case in cases if case.kind == "fail" and not case.only_update))
    for rule, cases in CASES.items()
]


def cases(chosen: list[tuple[str, Case]]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(("rule", "case"), chosen, ids=[f"{rule}: {case.name}" for rule, case in chosen])


def modes(case: Case) -> Iterable[Mode]:
    """Those in which the case can be seen."""
    if case.kind == "unknown":
        return [Mode.BLIND]
    return [Mode.UPDATE] if case.only_update else Mode


@pytest.mark.parametrize("mode", Mode)
def test_the_program_breaks_no_rule(mode: Mode) -> None:
    assert judge(pipeline(), mode).messages == ()


@cases(ALL)
def test_every_mode_decides_exactly_as_meant_or_says_that_it_waits(rule: str, case: Case) -> None:
    changed = pipeline(*case.changes)
    for mode in modes(case):
        found = judge(changed, mode, config={rule: case.settings}, stack=case.stack)
        blind = mode is Mode.BLIND
        decided = case.breaks and not (blind and case.waits)
        meant = {*case.also, *(case.also_blind if blind else ()), *([rule] if decided else [])}
        assert found.violated == meant, (mode, found.messages)
        assert all(". To fix it: " in message and message.endswith(".") for message in found.messages)
        if mode is Mode.UPDATE:
            assert case.kind == "malformed" or found.notes == (), "nothing is left to wait for"
        if blind and case.waits:
            assert any(note[:2] == ("waits", rule) for note in found.notes)


@cases(FAILING)
def test_an_exemption_silences_the_rule_and_is_visible(rule: str, case: Case) -> None:
    exempt = [{"match": f"{letter}*", "reason": "migrated in May"} for letter in f"OP{string.ascii_lowercase}"]
    config = {rule: {**case.settings, "exempt": exempt}}
    found = judge(pipeline(*case.changes), Mode.UPDATE, config=config, stack=case.stack)
    assert found.violated == set(case.also)
    assert any((kind, by, why) == ("exempt", rule, "migrated in May") for kind, by, _, why in found.notes)


def test_every_rule_and_nothing_else_has_a_case_of_every_kind() -> None:
    kinds = {rule: {case.kind for case in cases} for rule, cases in CASES.items()}
    assert kinds == {rule.name: {"pass", "fail", "unknown", "malformed"} for rule in RULES}
