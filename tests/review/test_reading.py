"""What the engine writes is read whole: values, marks, differences, policies, failures."""

import contextlib
import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.review.cases import CASES, EVENTS, REPORTS, finding
from tests.review.stack import QUEUE, changed, orders, preview, step, steps, urn
from tests.review.stack import SECRET as SECRET_OBJECT
from tests.review.stack import UNKNOWN as UNKNOWN_TEXT
from tools.review.changes import Change, State
from tools.review.differences import differences
from tools.review.engine import read_events, read_preview
from tools.review.policies import policies, read_reports
from tools.review.report import report
from tools.review.values import FILES, MISSING, SECRET, SIGNATURE, UNKNOWN, plain


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ({**SECRET_OBJECT, "ciphertext": "v1:abc", "plaintext": '"hunter2"'}, SECRET),
        (UNKNOWN_TEXT, UNKNOWN),
        ('{"a": [1.0, "[secret]"]}', {"a": [1, SECRET]}),
        (f"arn:{UNKNOWN_TEXT}:x", "arn:…:x"),
        ("{not json", "{not json"),
        ({"__defaults": ["x"], "a": None}, {"a": None}),
        ({SIGNATURE: FILES[1], "hash": "a" * 64}, "code aaaaaaaaaaaa"),
    ],
)
def test_a_value_is_read_as_a_reviewer_may_see_it(value: Any, seen: Any) -> None:
    assert plain(value) == seen


def differ(
    before: dict[str, Any], after: dict[str, Any], *paths: str, outputs: dict[str, Any] | None = None
) -> list[Any]:
    old = State(urn="u", type="t", inputs=plain(before), outputs=plain(outputs or before))
    new = State(urn="u", type="t", inputs=plain(after))
    found = differences(Change(operation="update", before=old, after=new, paths=paths))
    return [(each.path, each.before, each.after) for each in found]


A, B, C = ({"Sid": sid, "Action": [sid.lower()]} for sid in "ABC")


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 1.0}, []),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": ["x", "y"]}, {"a": ["y", "z"]}, [("a", "x", MISSING), ("a", MISSING, "z")]),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, [("a", ["x", "y"], ["y", "x"])]),
        ({"a": [{"n": 1}]}, {"a": [{"n": 2}]}, [("a.n", 1, 2)]),
        ({"a": json.dumps({"s": [A, B]})}, {"a": json.dumps({"s": [B, A]})}, []),
        (
            {"w": [{"x": 1}, {"y": {"z": 1}}, {"v": 1}]},
            {"w": [{"x": 1}, {"y": {"z": 2}}, {"v": 1}]},
            [("w[1].y.z", 1, 2)],
        ),
        (
            {"a": json.dumps({"s": [A, B]})},
            {"a": json.dumps({"s": [{**A, "Action": ["x"]}, C]})},
            [("a.s[A].Action", "a", "x"), ("a.s[B]", B, MISSING), ("a.s[C]", MISSING, C)],
        ),
    ],
)
def test_what_differs_is_told_by_its_path(before: dict[str, Any], after: dict[str, Any], found: list[Any]) -> None:
    assert differ(before, after) == found


def test_what_the_engine_alone_sees_to_differ_is_told_a_secret_without_its_value_and_drift_with_what_is_there() -> None:
    secret = {"environment": {"variables": SECRET_OBJECT}}
    assert differ(secret, secret, 'environment.variables["TOKEN"]') == [("environment", SECRET, SECRET)]
    drifted = differ({"delaySeconds": 0}, {"delaySeconds": 0}, "delaySeconds", outputs={"delaySeconds": 30})
    assert drifted == [("delaySeconds", 30, 0)]


def test_each_resource_is_one_change_with_the_old_and_the_new_state() -> None:
    old, new = (stack["OrderKey"] for stack in (orders(), changed(orders(), "OrderKey", x=1)))
    replaced = [step(op, old, new, "x") for op in ("create-replacement", "replace")]
    found = read_preview(preview([*replaced, step("delete-replaced", old, None)]))
    [key] = found.changes
    assert (key.operation, key.reasons, key.paths) == ("replace", ("x",), ("x",))
    assert key.before is not None
    assert key.after is not None
    assert (key.before.get("x"), key.after.get("x")) == (MISSING, 1)
    assert found.stack == "prod"
    assert found.whole
    assert not found.problems


def test_a_preview_without_the_unchanged_resources_is_not_whole() -> None:
    document = json.loads(preview(steps(orders(), changed(orders(), "OrderKey", x=1))))
    document["steps"] = [each for each in document["steps"] if each["op"] != "same"]
    assert not read_preview(json.dumps(document)).whole


def test_a_resource_that_the_engine_could_not_write_down_is_told_by_its_urn() -> None:
    lost = {"op": "delete", "urn": urn(f"orders:index:Queue${QUEUE}", "a::b")}
    [change] = read_preview(preview([lost])).changes
    assert (change.operation, change.state.type, change.state.name) == ("delete", QUEUE, "a::b")


@pytest.mark.parametrize("text", ["", "[]", '{"steps": [{}]}', "error: no stack"])
def test_what_is_no_preview_is_a_failed_one(text: str) -> None:
    found = read_preview(text, log="error: no stack named 'prod'")
    assert found.problems
    assert "no stack named 'prod'" in found.problems[-1]


def parts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON document."""
    if path:
        yield path
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from parts(item, (*path, key))


DOCUMENT = json.loads(CASES["secret-and-unknown"].made())
DOCUMENT["steps"] = sorted(DOCUMENT["steps"], key=lambda each: each["op"] == "same")[:6]  # what changes comes first
PLACES = [path for path in parts(DOCUMENT) if len(path) <= 5]  # below are the values of inputs
JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["urn", "a", SIGNATURE]), inner),
    max_leaves=3,
)


@settings(max_examples=15)
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK), min_size=1, max_size=3))
def test_whatever_stands_where_a_preview_should_be_there_is_a_report(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    document = copy.deepcopy(DOCUMENT)
    for (*path, last), junk in changes:
        place = document
        with contextlib.suppress(KeyError, IndexError, TypeError):
            for key in path:
                place = place[key]
            place[last] = junk
    assert report(replace(CASES["secret-and-unknown"], made=lambda: json.dumps(document)).review())


def test_a_step_that_is_not_known_makes_the_preview_a_failed_one() -> None:
    found = read_preview(preview([step("evaporate", orders()["OrderKey"], None)]))
    assert "evaporate" in found.problems[0]


def test_an_error_or_a_bad_exit_status_makes_a_preview_a_failed_one_unless_only_policies_have_stopped_it() -> None:
    assert read_preview(preview([], ("error", "\x1b[31mno\x1b[0m"))).problems == ("no",)
    assert read_preview(preview([]), failed=True).problems
    assert not read_preview(preview([], ("warning", "hm"))).problems
    stopped = preview([], ("error", "error: preview failed\n"))
    assert read_preview(stopped).problems
    assert not read_preview(stopped, failed=True, refused=True).problems
    broken = preview([], ("error", "error: preview failed\n"), ("error", "no credentials"))
    assert read_preview(broken, failed=True, refused=True).problems == ("no credentials",)


def test_policies_are_those_of_the_event_log_with_what_only_the_pack_tells() -> None:
    noise = ("", "7", '{"policyEvent": 7}', '{"policyEvent": {"policyName": []}}', '{"cut off')
    events = read_events(EVENTS + "\n".join(noise))
    found, update = (policies(events, json.loads(REPORTS), new=new) for new in (True, False))
    assert found is not None
    assert update is not None
    assert [(each.mandatory, each.resource) for each in found.verdicts] == [
        (True, "OrderKey"),
        (False, "OrderQueue-dlq"),
    ]
    assert "{%" not in found.verdicts[1].text
    assert found.exempt is not None
    assert len(found.exempt) == 1
    assert (found.waiting, update.waiting) == (1, 0)


@pytest.mark.parametrize("text", ["{", '[{"mode": "update", "findings": [{}]}]'])
def test_what_the_pack_does_not_write_is_refused(text: str) -> None:
    assert read_reports(REPORTS)
    with pytest.raises(ValueError, match="orders policy --json"):
        read_reports(text)


def test_without_an_engine_policies_are_those_of_the_pack() -> None:
    reports = json.loads(REPORTS)
    for each in reports:
        each["findings"] = [finding("violation", "r", "Orders", "no", "mandatory")]
    found = policies(None, reports, new=False)
    assert found is not None
    assert [(each.rule, each.text) for each in found.verdicts] == [("r", "no")]
    assert policies(None, None, new=False) is None
