"""Every rule against its cases: a change breaks exactly the rules meant, in an update and in a first preview."""

import pytest
from framework.rule import Rule
from rules import RULES

from tests.policy import cases_functions, cases_queues, cases_topics
from tests.policy.case import Case
from tests.policy.sound import judge, pipeline

CASES = cases_queues.CASES | cases_topics.CASES | cases_functions.CASES
ALL = [(rule, case) for rule, cases in CASES.items() for case in cases]
IN_UPDATE = [each for each in ALL if each[1].kind != "unknown"]
IN_PREVIEW = [each for each in ALL if not each[1].only_update]
FAILING = [
    (rule, next(case for case in cases if case.kind == "fail" and not case.only_update))
    for rule, cases in CASES.items()
]


def names(cases: list[tuple[str, Case]]) -> list[str]:
    return [f"{rule}: {case.name}" for rule, case in cases]


@pytest.mark.parametrize("preview", [True, False], ids=["preview", "update"])
def test_the_sound_pipeline_breaks_no_rule(preview: bool) -> None:
    assert judge(pipeline(), preview=preview).messages == ()


@pytest.mark.parametrize(("rule", "case"), IN_UPDATE, ids=names(IN_UPDATE))
def test_an_update_breaks_exactly_the_rules_meant(rule: str, case: Case) -> None:
    found = judge(pipeline(*case.changes), preview=False, config={rule: case.settings}, stack=case.stack)
    assert found.violated == {*case.also, *([rule] if case.breaks else [])}, found.messages


@pytest.mark.parametrize(("rule", "case"), IN_PREVIEW, ids=names(IN_PREVIEW))
def test_a_preview_decides_the_same_or_says_that_it_waits(rule: str, case: Case) -> None:
    found = judge(pipeline(*case.changes), preview=True, config={rule: case.settings}, stack=case.stack)
    decided = case.breaks and case.decided_in_preview
    assert found.violated == {*case.also, *case.also_in_preview, *([rule] if decided else [])}, found.messages
    if not case.decided_in_preview:
        assert any(note.startswith(f"{rule}: waits for the update:") for note in found.notes)


@pytest.mark.parametrize(("rule", "case"), FAILING, ids=names(FAILING))
def test_an_exemption_silences_the_rule_and_is_visible(rule: str, case: Case) -> None:
    exempt = [{"match": f"{letter}*", "reason": "migrated in May"} for letter in "abcdefghijklmnopqrstuvwxyz"]
    config = {rule: {**case.settings, "exempt": exempt}}
    found = judge(pipeline(*case.changes), preview=False, config=config, stack=case.stack)
    assert found.violated == set(case.also)
    assert any(note.startswith(f"{rule}: exempt: ") and note.endswith("migrated in May") for note in found.notes)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_every_rule_has_a_case_of_every_kind(rule: Rule) -> None:
    assert {case.kind for case in CASES[rule.name]} == {"pass", "fail", "unknown", "malformed"}


def test_no_case_is_about_a_rule_that_does_not_exist() -> None:
    assert set(CASES) == {rule.name for rule in RULES}


def test_every_violation_says_what_is_and_how_to_fix_it() -> None:
    for rule, case in FAILING:
        found = judge(pipeline(*case.changes), preview=False, config={rule: case.settings}, stack=case.stack)
        assert all(". To fix it: " in message and message.endswith(".") for message in found.messages)
